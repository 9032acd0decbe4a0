"""An energy calibrated as a ratio of densities, which refinement needs.

    log r(E) = log p_data(E) / p_samples(E) = a + b e + c e^2,  c <= 0,    e = (E - mean) / deviation

An energy says which of two images fits the data better, and not by how much. A logistic regression that tells the
energies of data from those of as many samples estimates the logarithm of the ratio of their densities; the logit of a
GAN's discriminator, which Azadi et al. (2019) use, is such an estimate already. Both sides are held out: images of the
test set, where there is one, and samples from noise that training never drew. With the square the ratio can fall on
both sides: an energy that is lower than that of any data is no mark of quality.

One number cannot tell all: samples that are refined by r have the data's distribution of energies, at best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data import Images, Points, scaled
from ebgan.errors import DataError
from ebgan.randomness import Randomness
from ebgan.runs.run import Run

IMAGES = 2000  # of the data, and as many samples, for the regression
SAMPLE_SEED = 0x5EED  # of the samples for the regression


@dataclass(frozen=True)
class EnergyRatio:
    """log r(E), the ratio of the densities of an energy under the data and under the samples."""

    mean: float
    deviation: float
    constant: float  # a
    slope: float  # b
    square: float  # c, at most 0

    @classmethod
    def fitted(cls, data: Float[Tensor, " images"], samples: Float[Tensor, " samples"]) -> EnergyRatio:
        """The ratio from energies of held-out data and of samples.

        Raises DataError for energies that are not finite.
        """
        both = torch.cat((data, samples)).double()
        if not both.isfinite().all():
            raise DataError("refine: the energies of the data or of the samples are not finite; the run has diverged")
        mean, deviation = float(both.mean()), float(both.std().clamp_min(1e-12))
        standard = (both - mean) / deviation
        real = torch.cat((torch.ones_like(data), torch.zeros_like(samples)))
        constant, slope, square = _regression(torch.stack((standard, standard.square()), -1), real)
        if square > 0:
            (constant, slope), square = _regression(standard[:, None], real), 0.0
        return cls(mean, deviation, constant, slope, square)

    def log(self, energy: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """The logarithm of r at energies, of which it is a smooth function."""
        standard = (energy - self.mean) / self.deviation
        return self.constant + standard * (self.slope + self.square * standard)


class Calibration(NamedTuple):
    """An energy's ratio, and the values of log r that it was found from."""

    ratio: EnergyRatio
    data: Float[Tensor, " images"]  # log r of held-out images
    samples: Float[Tensor, " samples"]  # log r of as many samples


def calibrated(run: Run) -> Calibration:
    """The ratio for a run, from IMAGES held-out images of its data and as many samples.

    Raises DataError if the data is no longer where the run had it.
    """
    images = held_out(run, IMAGES)
    data, samples = run.energy(images), run.energy(run.sample(len(images), seed=SAMPLE_SEED))
    ratio = EnergyRatio.fitted(data, samples)
    return Calibration(ratio, ratio.log(data), ratio.log(samples))


def held_out(run: Run, count: int) -> Float[Tensor, "images C H W"]:
    """At most `count` images of the test set, or of the data if it has none, in [-1, 1]; or new points of a density."""
    spec = run.experiment.data
    try:
        data = spec.open()
        run.check_data(data)
    except DataError as error:
        raise DataError(f"refine: images of the data calibrate the energy: {error}") from error
    if isinstance(data, Points):
        return data.density.sample(Randomness.of(0), count, first=len(data))[..., None, None]
    test = spec.open_test(data.shape[0])
    chosen: Images = data if test is None or test.shape != data.shape else test
    usable = _of_its_classes(run, chosen)
    order = Randomness.of(0).permutation("refinement", len(usable))[:count].sort().values
    return scaled(torch.from_numpy(chosen.images[usable[order.numpy()]]), (-1.0, 1.0))


def _of_its_classes(run: Run, images: Images) -> NDArray[np.int64]:
    """The indices of all images; for the run of one class, of those of that class."""
    if images.labels is None or len(run.data.classes) == len(images.classes):
        return np.arange(len(images))
    return np.flatnonzero([images.classes[label] in run.data.classes for label in images.labels])


def _regression(features: Float[Tensor, "rows features"], real: Float[Tensor, " rows"]) -> list[float]:
    """Constant and weights of a logistic regression in which data and samples count as much."""
    from sklearn.linear_model import LogisticRegression  # takes a second to load

    found = LogisticRegression(C=1e6, class_weight="balanced", max_iter=1000).fit(features.numpy(), real.numpy())
    return [float(found.intercept_[0]), *map(float, found.coef_[0])]
