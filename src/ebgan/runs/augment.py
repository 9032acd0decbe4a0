"""A run's transitions as data augmentation (VGAN; Zhai et al., 2016, section 7.2): replace images by similar ones.

x~ ~ p(x~ | x) with a given probability, else x;    the label is that of x
"""

from __future__ import annotations

from typing import final

from torch import Tensor
from torch.utils.data import get_worker_info

from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.runs.run import Run

SPREAD = 0x9E3779B1  # 2^32 over the golden ratio


@final
class TransitionAugment:
    """A transform for any DataLoader: returns as many images, in the same order, on the same device.

    It takes a batch [N, C, H, W] or a single image [C, H, W], float within `limits`, the range of your images. The
    net runs on the run's device. Each call draws new noise, reproducibly by `seed`. In the workers of a DataLoader the
    noise follows from the seed that it gives to each worker in each epoch.
    """

    def __init__(
        self, run: Run, probability: float = 0.5, *, limits: tuple[float, float] = (-1.0, 1.0), seed: int = 0
    ) -> None:
        """Raises UsageError for a run without transitions, or for an invalid probability or range."""
        if not run.experiment.sampler.conditional:
            raise UsageError(f"{run.folder.path}: its samples start from noise; augmentation needs transitions (VCD)")
        if not 0 <= probability <= 1:
            raise UsageError(f"probability={probability}: expected a number between 0 and 1")
        if limits[0] >= limits[1]:
            raise UsageError(f"limits={limits}: expected the lower end of the images' range, then the upper")
        self.run, self.probability, self.limits, self.seed = run, probability, limits, seed
        self.calls = 0

    def __call__(self, images: Tensor) -> Tensor:
        """Replace each image, with the given probability, by a transition from it."""
        if not images.is_floating_point():
            raise UsageError(f"images are {images.dtype}; expected floats within {self.limits}: divide them first")
        batch = images if images.dim() == 4 else images[None]
        seed = self._next_seed()
        chance = Randomness.of(seed).uniform("augment", len(batch), 1).flatten()
        chosen = (chance <= self.probability).nonzero().flatten().to(images.device)
        out = batch.clone()
        if len(chosen):
            out[chosen] = self._moved(batch[chosen], seed).to(out)
        return out if images.dim() == 4 else out[0]

    def _moved(self, images: Tensor, seed: int) -> Tensor:
        low, high = self.limits
        moved = self.run.sample(len(images), seed=seed, source=(images - low) / (high - low) * 2 - 1)
        return (moved + 1) / 2 * (high - low) + low

    def _next_seed(self) -> int:
        """A seed for each call, worker and epoch; workers' own seeds are consecutive numbers, and are spread."""
        worker = get_worker_info()
        first = (worker.seed + 1) * SPREAD if worker else 0
        self.calls += 1
        return (self.seed & 0xFFFFFFFF) + ((first + self.calls & 0x7FFFFFFF) << 32)
