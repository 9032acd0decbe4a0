"""All metrics of a set of samples, or only the quick ones, from one pass of the classifier."""

from __future__ import annotations

import functools
import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from jaxtyping import Float, Shaped
from torch import Tensor

from ebgan.metrics.classifier import Readout, TrainedClassifier
from ebgan.metrics.coverage import class_histogram, classes_covered
from ebgan.metrics.features import check_features
from ebgan.metrics.frechet import FrechetReference
from ebgan.metrics.inception import modified_inception_score
from ebgan.metrics.kernel import KernelReference
from ebgan.metrics.neighbours import OverlapReference
from ebgan.randomness import Randomness

SWAPPED_FLOOR = 1e-4  # keeps the swapped order finite; real MNIST gives 5.8 with it
COVERED_SHARE = 0.2  # a class is covered if it has this share of what it would have with equal classes
KERNEL_SUBSET = 1000
KERNEL_SUBSETS = 20
NEAREST = 5  # k of the nearest-neighbour balls, as in Naeem et al.; Kynkaanniemi et al. use 3


@dataclass(frozen=True, eq=False)  # compared by identity, so that it can be a cache key
class RealReference:
    """A classifier's outputs on the real images, computed once for any number of sample sets."""

    features: Float[Tensor, "reals width"]
    score: float  # I' of the real images, in the usual order
    largest: float  # the share of the largest class among the real images

    @classmethod
    def of(cls, images: Shaped[Tensor, "reals C H W"], classifier: TrainedClassifier) -> RealReference:
        """The reference of real images, uint8 or float in [-1, 1]."""
        features, probabilities = classifier.read(images)
        histogram = class_histogram(probabilities.argmax(-1), probabilities.shape[-1])
        return cls(features, float(modified_inception_score(probabilities)), float(histogram.max()))


@dataclass(frozen=True)
class Measurement:
    """Metrics of samples, and the protocol of the measurement."""

    metrics: dict[str, float]
    histogram: list[float]  # the share of each class, by the classifier
    protocol: dict[str, str | int | float]

    def as_record(self) -> dict[str, Any]:
        """The evaluation in types that JSON can store."""
        return asdict(self)


def evaluate_quickly(
    samples: Shaped[Tensor, "samples C H W"], classifier: TrainedClassifier, reference: RealReference
) -> Measurement:
    """The metrics that need only a classifier's p(y|x), at little cost: I', classes covered, largest class.

    Samples are uint8 or float in [-1, 1]; the reference must come from the same classifier. i_usual and i_swapped are
    I' in nats, i_usual_real that of the real images. Raises DataError for samples with NaN.
    """
    return _quick(classifier.read(samples), classifier, reference)


def evaluate(
    samples: Shaped[Tensor, "samples C H W"], classifier: TrainedClassifier, reference: RealReference
) -> Measurement:
    """All metrics: the quick ones, and those on the classifier's features.

    The latter are the distances fid_classifier and kid_classifier, and precision, recall, density and coverage, which
    are computed over equal numbers of samples and real images. Raises DataError for fewer than 2 samples and for
    samples with NaN.
    """
    read = classifier.read(samples)
    check_features("fake", read.features)
    quick, real = _quick(read, classifier, reference), _real_side(reference, len(samples))
    distances = {
        "fid_classifier": real.frechet.distance(read.features),
        "kid_classifier": real.kernel.distance(read.features),
    }
    shared = real.overlap.overlap(read.features[: len(real.overlap.rows)])
    return Measurement(
        quick.metrics | distances | shared._asdict(),
        quick.histogram,
        quick.protocol | _feature_protocol(len(samples), len(reference.features)),
    )


class _RealSide(NamedTuple):
    """The part of the feature distances that depends only on the real images."""

    frechet: FrechetReference
    kernel: KernelReference
    overlap: OverlapReference


@functools.lru_cache(maxsize=2)
def _real_side(reference: RealReference, samples: int) -> _RealSide:
    """The real images' part of the distances to `samples` samples, cached for the next evaluation.

    Precision, recall, density and coverage depend on the numbers of rows, so equal numbers are used.
    """
    real = reference.features
    count = min(len(real), samples)
    some = Randomness.of(0).permutation("overlap", len(real))[:count]  # the data may be sorted by class
    return _RealSide(
        FrechetReference.of(real),
        KernelReference.of(real, samples, subset=KERNEL_SUBSET, subsets=KERNEL_SUBSETS),
        OverlapReference.of(real[some], _nearest(count)),
    )


def _quick(read: Readout, classifier: TrainedClassifier, reference: RealReference) -> Measurement:
    probabilities = read.probabilities
    histogram = class_histogram(probabilities.argmax(-1), probabilities.shape[-1])
    metrics = {
        "i_usual": float(modified_inception_score(probabilities)),
        "i_usual_real": reference.score,
        "i_swapped": float(modified_inception_score(probabilities, swapped=True, floor=SWAPPED_FLOOR)),
        "classes_covered": classes_covered(histogram, COVERED_SHARE / len(histogram)),
        "largest_class": float(histogram.max()),
        "largest_class_real": reference.largest,
    }
    return Measurement(metrics, histogram.tolist(), _class_protocol(probabilities, classifier, reference))


def _nearest(count: int) -> int:
    """The number k for nearest-neighbour balls, lowered if there are only `count` rows."""
    return min(NEAREST, count - 1)


def _class_protocol(
    probabilities: Tensor, classifier: TrainedClassifier, reference: RealReference
) -> dict[str, str | int | float]:
    samples, classes = probabilities.shape
    return {
        "samples": samples,
        "real_images": len(reference.features),
        "classes": classes,
        "i_usual_best": math.log(classes),
        "classifier": "3-layer ConvNet trained on the data set",
        "classifier_accuracy": classifier.accuracy,
        "classifier_tested_on": classifier.tested_on,
        "swapped_floor": SWAPPED_FLOOR,
        "covered_share": COVERED_SHARE / classes,
    }


def _feature_protocol(samples: int, reals: int) -> dict[str, str | int | float]:
    return {
        "kernel_subsets": KERNEL_SUBSETS,
        "kernel_subset": min(KERNEL_SUBSET, samples, reals),
        "nearest": _nearest(min(samples, reals)),
        "nearest_subset": min(samples, reals),
    }
