"""Which modes of a known density the samples reach, and how well (Srivastava et al., VEEGAN, 2017; Lin et al., PacGAN).

A sample belongs to its nearest mode, and is of high quality if it lies within a reach of it, 3 sigma of a Gaussian. A
mode is covered if it owns at least one sample of high quality.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from ebgan.errors import DataError


class Owners(NamedTuple):
    """The nearest mode of each sample, and how far it is."""

    mode: Integer[Tensor, " samples"]
    distance: Float[Tensor, " samples"]


def owners(samples: Float[Tensor, "samples dims"], centres: Float[Tensor, "modes dims"]) -> Owners:
    """Which mode owns each sample. Raises DataError for no samples, and for some that are not finite."""
    if not len(samples) or not samples.isfinite().all():
        raise DataError("modes: expected one sample or more, all finite; the run may have diverged")
    distance, mode = torch.cdist(samples.double(), centres.double()).min(-1)
    return Owners(mode, distance)


def high_quality_share(owned: Owners, reach: float) -> float:
    """The share of samples within reach of their mode."""
    return float((owned.distance <= reach).double().mean())


def modes_covered(owned: Owners, reach: float) -> int:
    """How many modes own at least one sample of high quality."""
    return len(torch.unique(owned.mode[owned.distance <= reach]))


def mode_histogram(owned: Owners, modes: int) -> Float[Tensor, " modes"]:
    """The share of the samples that each mode owns, near or far, in float64."""
    return torch.bincount(owned.mode, minlength=modes).double() / len(owned.mode)


def reverse_kl(histogram: Float[Tensor, " modes"]) -> float:
    """KL( samples || truth ) over modes that in truth have equal shares, in nats: 0 balanced, ln(modes) one mode alone.

    A mode without samples adds nothing, so that it is finite however many are missed.
    """
    return float(torch.special.entr(histogram).sum().neg() + torch.tensor(len(histogram)).double().log())
