"""Convert images to the range and size of a run's data, and check the weights of a checkpoint."""

from __future__ import annotations

from torch import Tensor

from ebgan.data.given import ImageReader
from ebgan.errors import CheckpointError
from ebgan.experiment import Data


def to_limits(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """Scale images from [-1, 1] to the nets' range; without limits, return points unchanged."""
    if limits is None:
        return images
    low, high = limits
    return (images + 1) / 2 * (high - low) + low


def from_limits(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """Scale images from the nets' range to [-1, 1]; without limits, return points unchanged."""
    if limits is None:
        return images
    low, high = limits
    return (images - low) / (high - low) * 2 - 1


def reader_of(data: Data, shape: tuple[int, int, int]) -> ImageReader:
    """A reader that resizes images as for `ebgan score`: a run on crops reads the centre."""
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
    """Raise CheckpointError for a checkpoint's tensor that does not fit the tensor `place` of the nets."""
    if found is not None and found.is_floating_point() != place.is_floating_point():
        raise CheckpointError(
            f"{run}: the checkpoint has {name} in {found.dtype}; expected {place.dtype}. Restore a copy of the file, "
            "or delete it"
        )
    if found is None or found.shape != place.shape:
        held = "none" if found is None else f"one of {list(found.shape)}"
        raise CheckpointError(
            f"{run}/config.yaml: describes a net with {name} of shape {list(place.shape)}, and the checkpoint has "
            f"{held}. Restore the config that the run was trained with"
        )
