"""`ebgan score --maps FOLDER`: pictures of where images differ from what is normal, and how well that meets masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ebgan.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ebgan.data import Packed
    from ebgan.runs.run import Run

LONGEST = 100  # letters of an image's name in that of its map
GROUND_TRUTH = "ground_truth"  # the folder of masks in MVTec AD's layout: ground_truth/KIND/NAME_mask.png


class Maps(NamedTuple):
    """The errors of a set's images, and masks of what is defective, where there are any."""

    errors: NDArray[np.float64]  # [n, H, W]
    masks: NDArray[np.bool_] | None  # [n, H, W]

    def words(self) -> str:
        """How well the errors meet the masks."""
        import torch

        from ebgan.metrics import auroc
        from ebgan.metrics.regions import region_overlap

        assert self.masks is not None
        area = auroc(torch.from_numpy(self.errors.ravel()), torch.from_numpy(self.masks.ravel()))
        return f"pixels: AUROC {area:.4f}, per-region overlap {region_overlap(self.errors, self.masks):.4f}"


def write_maps(run: Run, packed: Packed, folder: Path, index: int, threshold: float | None) -> NDArray[np.float64]:
    """For each image a picture: itself, its reconstruction, the error of each pixel (white from 1 on), and marks.

    The marks are red where the smoothed error is above the threshold, and are left out without one. Pictures are
    numbered from `index` on; of an image's name only the last part is used: none leaves the folder. Returns the
    smoothed errors [n, H, W].
    """
    import numpy as np
    import torch

    from ebgan.cli.score import chunks
    from ebgan.detection.maps import error_maps, marked
    from ebgan.report import grid, save_png

    names, found = iter(packed.names or [packed.name] * len(packed)), []
    for images in chunks(packed):
        reconstructions, maps = run.reconstruct(images), error_maps(run, images)
        errors = (reconstructions - images).abs().mean(1, keepdim=True).clamp(0, 1) * 2 - 1
        parts = [images, reconstructions, errors.expand_as(images)]
        if threshold is not None:
            parts = [*(part.expand(-1, 3, -1, -1) for part in parts), marked(images, maps > threshold)]
        for row in zip(*parts, strict=True):
            name = Path(next(names)).stem[:LONGEST]
            save_png(grid(torch.stack(row), columns=len(row)), folder / f"{index:06d}-{name}.png")
            index += 1
        found.append(maps)
    return np.concatenate(found)


def masks_of(run: Run, packed: Packed, source: str) -> NDArray[np.bool_] | None:
    """The masks of a set's images if the source has them: of an image NAME.png of a class KIND, KIND/NAME_mask.png.

    A class without a folder of masks is normal throughout. Raises DataError for a mask that is missing or no picture.
    """
    import numpy as np

    from ebgan.data import UNKNOWN

    truth = Path(source) / GROUND_TRUTH
    if not truth.is_dir() or packed.labels is None or packed.names is None:
        return None
    masks = np.zeros((len(packed), *packed.shape[1:]), bool)
    for place, (name, label) in enumerate(zip(packed.names, packed.labels, strict=True)):
        kind = "" if label == UNKNOWN else packed.classes[label]
        if kind and (truth / kind).is_dir():
            masks[place] = _mask(run, truth / kind / f"{Path(name).stem}_mask.png", packed.shape[-1])
    return masks if masks.any() else None


def _mask(run: Run, path: Path, side: int) -> NDArray[np.bool_]:
    """A mask, cropped and resized as the run's images are."""
    import numpy as np
    from PIL import Image

    from ebgan.data import Packed
    from ebgan.data.framing import Framing, framed

    spec = run.experiment.data
    try:
        with Image.open(path) as picture:
            whole = np.asarray(picture.convert("L"))
    except OSError as error:
        raise DataError(f"{path}: no mask that can be read ({error}): masks of a defect are NAME_mask.png") from error
    size = spec.size if spec.crop and spec.size else side - 2 * spec.padding
    sized = framed(Packed(whole[None, None]), Framing(size=size, channels=1))
    sized = sized.padded(spec.padding) if spec.padding else sized
    sized = sized.centred(spec.crop) if spec.crop else sized
    return np.asarray(sized.images[0, 0] > 127)
