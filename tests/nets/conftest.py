from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ebgan.nets.base import BuildContext
from ebgan.randomness import Randomness


@pytest.fixture
def context() -> Callable[..., BuildContext]:
    """Where a net for 2x3x4 images is built: for one model by a seed, or for a stack by one a model."""

    def of(*seeds: int, limits: tuple[float, float] = (-1.0, 1.0)) -> BuildContext:
        seed = seeds[0] if len(seeds) == 1 else torch.tensor(seeds)
        return BuildContext((2, 3, 4), limits, Randomness.of(seed))

    return of


@pytest.fixture
def numbers() -> Callable[..., Tensor]:
    """The same normal numbers in float64 for the same shape."""

    def of(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    return of
