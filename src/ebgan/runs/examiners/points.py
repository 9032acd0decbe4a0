"""The examiner of runs on points: the energy landscape, and the modes covered by fresh samples."""

from __future__ import annotations

from dataclasses import asdict
from typing import final

import torch
from torch import Tensor

from ebgan.data import Points
from ebgan.errors import DataError
from ebgan.metrics import (
    Measurement,
    high_quality_share,
    mode_histogram,
    modes_covered,
    owners,
    reverse_kl,
    transport_distance,
)
from ebgan.randomness import Randomness
from ebgan.report import Landscape, save_landscape
from ebgan.runs.examiners.base import METRIC_SEED, RunExaminer
from ebgan.runs.run import Run
from ebgan.storage.runfolder import Record

SIDE = 120  # grid points along each dimension of a landscape
FINER = 5  # times as many in one dimension, where they are cheap


@final
class PointsExaminer(RunExaminer):
    """Draws the landscape of the energy, and measures the modes of fresh samples."""

    def __init__(self, run: Run, data: Points, samples: int) -> None:
        """`samples` is the number of samples for metrics."""
        self.run, self.data, self.samples = run, data, samples

    def picture(self, images: int, count: int) -> None:
        """Draw the energy with points of the data and `count` samples, always from the same noise."""
        samples = self._samples(count)[..., 0, 0]
        save_landscape(survey(self.run, self.data, samples), self.run.folder, images)

    def measure(self) -> Record:
        """Modes of fresh samples: {"metrics", "histogram", "protocol"}.

        Raises DataError for other data than the run was trained on.
        """
        if self.data.checksum != self.run.data.checksum:
            raise DataError(f"{self.data.name}: not the data that the run was trained on")
        samples = self._samples(self.samples, METRIC_SEED)[..., 0, 0]
        return asdict(measure(samples, self.data))

    def score(self, evaluation: Record) -> float:
        """The number of modes covered plus the share of samples of high quality."""
        metrics = evaluation["metrics"]
        return float(metrics["modes_covered"] + metrics["high_quality"])

    def _samples(self, count: int, seed: int = 0) -> Tensor:
        return self.run.sample(count, seed=seed, source=self.run.sources(count, self.data, seed=seed))


def survey(run: Run, data: Points, samples: Tensor) -> Landscape:
    """The energy on a grid over the density's window, with the samples and as many points of the data."""
    density, dims = data.density, samples.shape[-1]
    axis = torch.linspace(*density.window, SIDE * (FINER if dims == 1 else 1))
    places = torch.stack(torch.meshgrid(*[axis] * dims, indexing="xy"), -1)  # rows are y
    flat = places.flatten(0, -2)
    energy = run.energy(flat[..., None, None]).reshape(places.shape[:-1])
    real = density.sample(Randomness.of(METRIC_SEED), len(samples))
    arrays = (axis, energy, density.log_density(places).exp(), real, samples)
    return Landscape(*(array.numpy() for array in arrays))


def measure(samples: Tensor, data: Points) -> Measurement:
    """The mode metrics of samples [count, dims], and those of as many points of the data."""
    density = data.density
    real = density.sample(Randomness.of(METRIC_SEED), len(samples))
    metrics = {}
    for suffix, points in (("", samples), ("_real", real)):
        owned = owners(points, density.centres)
        histogram = mode_histogram(owned, len(density.centres))
        metrics[f"modes_covered{suffix}"] = float(modes_covered(owned, density.reach))
        metrics[f"high_quality{suffix}"] = high_quality_share(owned, density.reach)
        metrics[f"reverse_kl{suffix}"] = reverse_kl(histogram)
    if samples.shape[-1] == 1:
        metrics["transport_distance"] = transport_distance(samples[:, 0], real[:, 0])
    shares = mode_histogram(owners(samples, density.centres), len(density.centres))
    return Measurement(metrics, shares.tolist(), _protocol(len(samples), data))


def _protocol(samples: int, data: Points) -> dict[str, str | int | float]:
    return {"samples": samples, "modes": len(data.density.centres), "reach": data.density.reach, "density": data.name}
