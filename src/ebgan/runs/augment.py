"""A run's transitions as data augmentation (VGAN; Zhai et al., 2016, section 7.2): images become others of their kind.

x~ ~ p(x~ | x) with a probability, else x;    the label stays that of x
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
    """A callable for any DataLoader: images in, as many images out, in the same order, on the same device.

    It takes a batch [N, C, H, W] or a single image [C, H, W], float within `limits`, the range of your images. The
    net works on the run's device. Every call draws anew; the same seed and the same calls draw the same. In the workers
    of a DataLoader draws follow from the seed that it gives each worker, another one in each epoch.
    """

    def __init__(
        self, run: Run, probability: float = 0.5, *, limits: tuple[float, float] = (-1.0, 1.0), seed: int = 0
    ) -> None:
        """Raises UsageError for a run without transitions, or for what is no probability or range."""
        if not run.experiment.sampler.conditional:
            raise UsageError(f"{run.folder.path}: its samples start from noise; augmentation needs transitions (VCD)")
        if not 0 <= probability <= 1:
            raise UsageError(f"probability={probability}: expected a number between 0 and 1")
        if limits[0] >= limits[1]:
            raise UsageError(f"limits={limits}: expected the lower end of the images' range, then the upper")
        self.run, self.probability, self.limits, self.seed = run, probability, limits, seed
        self.calls = 0

    def __call__(self, images: Tensor) -> Tensor:
        """The images, each with the probability replaced by a transition from it."""
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
        """One for each call, of each worker and epoch; the seeds of workers are neighbours, and are spread."""
        worker = get_worker_info()
        first = (worker.seed + 1) * SPREAD if worker else 0
        self.calls += 1
        return (self.seed & 0xFFFFFFFF) + ((first + self.calls & 0x7FFFFFFF) << 32)
