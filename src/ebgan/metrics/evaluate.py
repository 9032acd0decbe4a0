"""All metrics of a set of samples, from one pass of the classifier over them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Float, Shaped
from torch import Tensor

from ebgan.metrics.classifier import TrainedClassifier
from ebgan.metrics.coverage import class_histogram, classes_covered
from ebgan.metrics.frechet import frechet_distance
from ebgan.metrics.inception import modified_inception_score
from ebgan.metrics.kernel import kernel_distance
from ebgan.metrics.neighbours import overlap
from ebgan.randomness import Randomness

SWAPPED_FLOOR = 1e-4  # keeps the swapped order finite; real MNIST gives 5.8 with it
COVERED_SHARE = 0.2  # of what a class would have if all had as many, from which on it counts as covered
KERNEL_SUBSET = 1000
KERNEL_SUBSETS = 20
NEAREST = 5  # neighbours that a ball reaches to: Naeem et al.'s; Kynkaanniemi et al. take 3


@dataclass(frozen=True)
class RealReference:
    """The real images as a classifier sees them: computed once, then compared with any number of sample sets."""

    features: Float[Tensor, "reals width"]
    score: float  # I' of the real images, in the usual order: what samples can hope for
    largest: float  # the share of the largest class among the real images

    @classmethod
    def of(cls, images: Shaped[Tensor, "reals C H W"], classifier: TrainedClassifier) -> RealReference:
        """The reference of real images, uint8 or float in [-1, 1]."""
        features, probabilities = classifier.read(images)
        histogram = class_histogram(probabilities.argmax(-1), probabilities.shape[-1])
        return cls(features, float(modified_inception_score(probabilities)), float(histogram.max()))


@dataclass(frozen=True)
class Evaluation:
    """What the samples are worth, and how that was measured."""

    metrics: dict[str, float]
    histogram: list[float]  # the share of each class, by the classifier
    protocol: dict[str, str | int | float]

    def as_record(self) -> dict[str, Any]:
        """The evaluation in types that JSON has."""
        return asdict(self)


def evaluate(
    samples: Shaped[Tensor, "samples C H W"], classifier: TrainedClassifier, reference: RealReference
) -> Evaluation:
    """The metrics of samples, uint8 or float in [-1, 1], against a reference made by the same classifier.

    i_usual and i_swapped are I' in nats, i_usual_real that of the real images. The distances fid_classifier and
    kid_classifier, precision, recall, density and coverage are taken on the classifier's features, the last four over
    as many samples as real images. Raises DataError for fewer than 2 samples and for samples with NaN.
    """
    features, probabilities = classifier.read(samples)
    histogram = class_histogram(probabilities.argmax(-1), probabilities.shape[-1])
    metrics = class_metrics(probabilities, reference) | {
        "fid_classifier": frechet_distance(reference.features, features),
        "kid_classifier": kernel_distance(reference.features, features, subset=KERNEL_SUBSET, subsets=KERNEL_SUBSETS),
    }
    return Evaluation(
        metrics | _overlap(reference.features, features),
        histogram.tolist(),
        _protocol(len(samples), len(reference.features), probabilities.shape[-1], classifier),
    )


def class_metrics(probabilities: Float[Tensor, "samples classes"], reference: RealReference) -> dict[str, float]:
    """The metrics that a classifier's p(y|x) alone gives, at next to no cost."""
    histogram = class_histogram(probabilities.argmax(-1), probabilities.shape[-1])
    return {
        "i_usual": float(modified_inception_score(probabilities)),
        "i_usual_real": reference.score,
        "i_swapped": float(modified_inception_score(probabilities, swapped=True, floor=SWAPPED_FLOOR)),
        "classes_covered": classes_covered(histogram, COVERED_SHARE / len(histogram)),
        "largest_class": float(histogram.max()),
        "largest_class_real": reference.largest,
    }


def _overlap(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Precision, recall, density and coverage over as many rows of either set: they move with the numbers of rows."""
    count = min(len(real), len(fake))
    some = Randomness.of(0).permutation("overlap", len(real))[:count]  # the data may be sorted by class
    return overlap(real[some], fake[:count], nearest=_nearest(count))._asdict()


def _nearest(count: int) -> int:
    """The neighbours that a ball can reach to among so many rows."""
    return min(NEAREST, count - 1)


def _protocol(samples: int, reals: int, classes: int, classifier: TrainedClassifier) -> dict[str, str | int | float]:
    return {
        "samples": samples,
        "real_images": reals,
        "classes": classes,
        "i_usual_best": math.log(classes),
        "classifier": "3-layer ConvNet trained on the data set",
        "classifier_accuracy": classifier.accuracy,
        "swapped_floor": SWAPPED_FLOOR,
        "covered_share": COVERED_SHARE / classes,
        "kernel_subsets": KERNEL_SUBSETS,
        "kernel_subset": min(KERNEL_SUBSET, samples, reals),
        "nearest": _nearest(min(samples, reals)),
        "nearest_subset": min(samples, reals),
    }
