"""What a run reads: images in the range and size of its data, and the weights of a checkpoint."""

from __future__ import annotations

from torch import Tensor

from ebgan.data.given import ImageReader
from ebgan.errors import CheckpointError
from ebgan.experiment import Data


def to_limits(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """Images in [-1, 1] as the nets read them; without limits, points as they are."""
    if limits is None:
        return images
    low, high = limits
    return (images + 1) / 2 * (high - low) + low


def from_limits(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """What the nets make of images, in [-1, 1]; without limits, points as they are."""
    if limits is None:
        return images
    low, high = limits
    return (images - low) / (high - low) * 2 - 1


def reader_of(data: Data, shape: tuple[int, int, int]) -> ImageReader:
    """Reads images as `ebgan score` sizes them: of a run on pieces of images, the centre is read."""
    _, height, width = shape
    square = height - 2 * data.padding if height == width else None
    return ImageReader(
        shape=shape,
        points=data.limits is None,
        size=data.size if data.crop else square,
        padding=data.padding,
        crop=data.crop,
        white=data.white,
    )


def refuse_misfit(run: str, name: str, found: Tensor | None, place: Tensor) -> None:
    """Raise CheckpointError for a tensor of a checkpoint that does not fit into its place in the nets of a run."""
    if found is not None and found.is_floating_point() != place.is_floating_point():
        raise CheckpointError(
            f"{run}: the checkpoint has {name} in {found.dtype}, not in {place.dtype}, as training writes it. Put back "
            "a copy of the file, or delete it"
        )
    if found is None or found.shape != place.shape:
        held = "none" if found is None else f"one of {list(found.shape)}"
        raise CheckpointError(
            f"{run}/config.yaml: is of a net with {name} of shape {list(place.shape)}, and the checkpoint has {held}. "
            "Put the config back that the run was trained with"
        )
