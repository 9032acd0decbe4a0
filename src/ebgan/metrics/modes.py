"""Mode coverage and sample quality on a known density (Srivastava et al., VEEGAN, 2017; Lin et al., PacGAN, 2018).

A sample belongs to its nearest mode, and has high quality if it lies within `reach` of it, 3 sigma for a Gaussian. A
mode is covered if at least one sample of high quality belongs to it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from ebgan.errors import DataError


class Owners(NamedTuple):
    """The nearest mode of each sample, and its distance."""

    mode: Integer[Tensor, " samples"]
    distance: Float[Tensor, " samples"]


def owners(samples: Float[Tensor, "samples dims"], centres: Float[Tensor, "modes dims"]) -> Owners:
    """Find the nearest mode of each sample. Raises DataError for no samples, or samples that are not finite."""
    if not len(samples) or not samples.isfinite().all():
        raise DataError("modes: expected one sample or more, all finite; the run may have diverged")
    distance, mode = torch.cdist(samples.double(), centres.double()).min(-1)
    return Owners(mode, distance)


def high_quality_share(owned: Owners, reach: float) -> float:
    """The share of samples within reach of their mode."""
    return float((owned.distance <= reach).double().mean())


def modes_covered(owned: Owners, reach: float) -> int:
    """The number of modes with at least one sample of high quality."""
    return len(torch.unique(owned.mode[owned.distance <= reach]))


def mode_histogram(owned: Owners, modes: int) -> Float[Tensor, " modes"]:
    """The share of the samples that belong to each mode, of any quality, in float64."""
    return torch.bincount(owned.mode, minlength=modes).double() / len(owned.mode)


def reverse_kl(histogram: Float[Tensor, " modes"]) -> float:
    """KL(samples || truth) in nats over modes with equal true shares: 0 if balanced, ln(modes) if all in one mode.

    A mode without samples adds 0, so the divergence is always finite.
    """
    return float(torch.special.entr(histogram).sum().neg() + torch.tensor(len(histogram)).double().log())
