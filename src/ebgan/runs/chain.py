"""A Markov chain of transitions (VGAN; Zhai et al., 2016, figure 5): from images of the data, step after step.

    x(0) an image,    x(t + 1) ~ p(x~ | x(t)) = Decode(m Encode(x(t)) + (1 - m) z)

A chain that stays on the data keeps a low energy while its distance from the start grows. If the nearest training
image stays far, samples are not copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebgan.csv_cells import csv_text
from ebgan.data import Augmented, Images, scaled
from ebgan.errors import UsageError
from ebgan.metrics import Nearest, TrainedClassifier, nearest
from ebgan.runs.run import Run
from ebgan.storage.files import write_atomically

COLUMNS = ("chain", "step", "energy", "distance", "nearest", "nearest_place", "class")


class Chain(NamedTuple):
    """The images of several chains and their measurements; step 0 is the start."""

    images: Tensor  # [steps + 1, chains, C, H, W] in [-1, 1]
    energy: Tensor  # [steps + 1, chains] in units of the run's energy
    distance: Tensor  # [steps + 1, chains] L2 norm of the difference from the start, over pixels in [-1, 1]
    nearest: Tensor  # [steps + 1, chains] the same from the nearest training image
    nearest_place: Tensor  # [steps + 1, chains] int64, index of that image in the data
    kinds: Tensor | None  # [steps + 1, chains] int64, the class that a classifier names; None without one


def simulate(
    run: Run,
    start: Float[Tensor, "chains C H W"],
    steps: int,
    *,
    seed: int = 0,
    data: Images,
    classifier: TrainedClassifier | None = None,
) -> Chain:
    """Simulate chains from images in [-1, 1], and find the nearest training images; reproducible by seed.

    Raises UsageError for a run whose samples start from noise.
    """
    if not run.experiment.sampler.conditional:
        raise UsageError(f"{run.folder.path}: its samples start from noise; a chain needs transitions (VCD)")
    places = [start]
    for step in range(steps):
        places.append(run.sample(len(start), seed=of_step(seed, step), source=places[-1]))
    images = torch.stack(places)
    flat, shape = images.flatten(0, 1), images.shape[:2]
    distance, index = _nearest(flat, data)
    return Chain(
        images,
        run.energy(flat).view(shape),
        (images - start).flatten(2).norm(dim=-1),
        distance.float().view(shape),
        index.view(shape),
        classifier.probabilities(flat).argmax(-1).view(shape) if classifier else None,
    )


def of_step(seed: int, step: int) -> int:
    """The seed of a step: its upper half counts the steps, its lower half is the chain's seed."""
    return (seed & 0xFFFFFFFF) + (step << 32)


def _nearest(images: Float[Tensor, "count C H W"], data: Images) -> Nearest:
    """The L2 distance [count] of each image to the nearest in the data, and the index of that [count]."""
    whole = data.centre if isinstance(data, Augmented) else data
    return nearest(images.flatten(1), map(_seen, whole.rows()))


def _seen(rows: NDArray[np.uint8]) -> Tensor:
    """uint8 images as float rows [count, pixels] in [-1, 1]."""
    return scaled(torch.from_numpy(rows.copy()), (-1.0, 1.0)).flatten(1)


def visited(chain: Chain) -> Float[Tensor, " steps"]:
    """The number of classes visited up to each step, averaged over chains."""
    assert chain.kinds is not None
    ever = torch.nn.functional.one_hot(chain.kinds).cummax(0).values
    return ever.sum(-1).float().mean(-1)


def summary(chain: Chain) -> list[list[str]]:
    """A heading, and one row per step: means over chains of energy, distances and classes visited, as text."""
    heading = ["step", "energy", "distance from the start", "distance to the nearest training image"]
    means = [chain.energy.mean(-1), chain.distance.mean(-1), chain.nearest.mean(-1)]
    if chain.kinds is not None:
        heading.append("classes visited")
        means.append(visited(chain))
    return [heading, *([str(step), *(f"{mean[step]:.4g}" for mean in means)] for step in range(len(chain.images)))]


def write_table(chain: Chain, classes: tuple[str, ...], path: Path) -> None:
    """Write every chain at every step as CSV. Raises StorageError if the file cannot be written."""
    rows: list[Sequence[str | float]] = [COLUMNS]
    numbers = [chain.energy, chain.distance, chain.nearest, chain.nearest_place]
    for step in range(len(chain.images)):
        for each in range(chain.images.shape[1]):
            kind = "" if chain.kinds is None else classes[int(chain.kinds[step, each])]
            rows.append((each, step, *(number[step, each].item() for number in numbers), kind))
    write_atomically(path, csv_text(rows).encode())
