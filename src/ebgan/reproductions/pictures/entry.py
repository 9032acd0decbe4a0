"""Train or resume a picture recipe, and measure its samples."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from ebgan.data import Images, scaled
from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Experiment
from ebgan.metrics import nearest
from ebgan.report import grid
from ebgan.reproductions.claims import Claim, Request
from ebgan.reproductions.pictures.checkpoints_by_third import Thirds, distances
from ebgan.reproductions.pictures.sizes import Counted, ScaledRecipe, side_of
from ebgan.reproductions.verdicts import below, within
from ebgan.runs.calibration import constant_outputs
from ebgan.runs.examiners.base import METRIC_SEED
from ebgan.runs.examiners.images import some
from ebgan.runs.trainer import train
from ebgan.storage.runfolder import Record, RunFolder, read_records

TITLES = {"dcgan": "DCGAN", "ebgan": "EBGAN", "ebgan_pt": "EBGAN-PT", "began": "BEGAN", "magan": "MAGAN"}
COLLAPSED = 0.5  # spread below which samples are too much alike


@dataclass(frozen=True)
class PictureEntry:
    """The results of a recipe's run: metrics and a panel of samples."""

    recipe: str
    last: Record  # the last record of stats.jsonl
    mean_image: float | None  # energy if every image were reconstructed as the mean image; None without reconstruction
    energies: list[float]  # of images of the data, after training
    apart: list[float]  # L2 distance from each sample to the nearest other one, pixels in [-1, 1]
    apart_real: list[float]  # the same for as many images of the data
    distances: list[Record]  # FID and KID after each third; [] if they are not measured
    panel: Image.Image

    @property
    def title(self) -> str:
        """The name of the recipe's method."""
        return TITLES[self.recipe.rpartition(".")[2]]

    @property
    def spread(self) -> float:
        """The mean nearest-neighbour distance of samples divided by that of real images: near 0 if collapsed."""
        return fmean(self.apart) / fmean(self.apart_real)

    @property
    def kernel(self) -> list[float]:
        """KID after each third."""
        return [each["metrics"]["kid_inception"] for each in self.distances]

    def words(self) -> dict[str, str]:
        """The measurements as text: name -> value."""
        last, frechet, kernel = self.last, "not measured", "not measured"
        if self.distances:
            frechet = f"{self.distances[-1]['metrics']['fid_inception']:.1f}"
            kernel = ", ".join(f"{each:.3f}" for each in self.kernel)
        return {
            "images seen": f"{last['images']:,}",
            "seconds": f"{last['seconds']:,.0f}",
            "E(x)": f"{last['energy_real']:.4g}",
            "E(G(z))": f"{last['energy_fake']:.4g}",
            "E of the mean image": "" if self.mean_image is None else f"{self.mean_image:.4g}",
            "margin": f"{last['margin']:.4g}" if "margin" in last else "",
            "share below the margin": f"{last['hinge_share']:.0%}" if "hinge_share" in last else "",
            "spread": f"{self.spread:.2f}",
            "FID": frechet,
            "KID, by thirds": kernel,
        }

    def claims(self) -> list[Claim]:
        """Claims about the run: the data has low energy, samples are diverse, and KID falls during training."""
        found = []
        if self.mean_image is not None:
            message = f"{fmean(self.energies):.4g} and {self.mean_image:.4g}"
            what = f"{self.title}: the energy of the data lies below that of the mean image"
            lower = within(self.energies, high=self.mean_image, of="image")
            found.append(lower.claim(what, "the first the smaller", message))
        what = f"{self.title}: samples differ as images do (spread)"
        wide = below([COLLAPSED * each for each in self.apart_real], self.apart, "image")
        found.append(wide.claim(what, f"over {COLLAPSED:g}", f"{self.spread:.2f}"))
        if len(self.distances) > 1:
            message = ", ".join(f"{each:.3f}" for each in self.kernel)
            what = f"{self.title}: KID falls from third to third"
            falls = all(later < earlier for earlier, later in zip(self.kernel, self.kernel[1:], strict=False))
            found.append(
                Claim(what, "each the smaller", message, None, f"n = 1 run, {'falls' if falls else 'rises'} there")
            )
        return found


def enter(asked: Request, size: ScaledRecipe, recipe: str, made: Experiment, data: Images) -> PictureEntry:
    """Train a recipe at a size on the data, or resume it, and measure it."""
    asked.note(f"{recipe}: {made.images:,} images")
    folder = RunFolder(asked.out / recipe)
    thirds = Thirds(folder, made, asked.note)
    run = train(made, folder.path, data=size.stand_in(made), observer=thirds)
    thirds.keep()
    look = size.looks[side_of(made)]
    *before, last = thirds.kept()
    counts = dict.fromkeys(before, look.before) | {last: look.after} if look.after else {}
    return PictureEntry(
        recipe,
        read_records(folder.stats)[-1],
        _mean_image(made, data),
        run.energy(real_images(data, look.shown)).tolist(),
        apart(run.sample(look.shown, seed=METRIC_SEED)),
        apart(real_images(data, look.shown)),
        distances(run, data, counts, asked.note),
        grid(run.sample(look.shown)),
    )


def real(data: Images, look: Counted) -> Image.Image:
    """A panel of images of the data, evenly spaced in the set."""
    return grid(data.images[some(data, look.shown)])


def real_images(data: Images, count: int) -> Tensor:
    """Images [count, C, H, W] of the data in [-1, 1], evenly spaced in the set."""
    return scaled(torch.from_numpy(data.images[some(data, count)]), (-1.0, 1.0))


def apart(images: Tensor) -> list[float]:
    """The L2 distance from each image to the nearest other one."""
    rows = images.flatten(1)
    distances: list[float] = nearest(rows, [rows], torch.arange(len(rows))).distance.tolist()
    return distances


def _mean_image(made: Experiment, data: Images) -> float | None:
    energy = made.energy
    return constant_outputs(data, energy, made.data.limits)[1] if isinstance(energy, AutoencoderEnergy) else None
