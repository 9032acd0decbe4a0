"""Metrics: pure functions on arrays, and the classifier that some of them use."""

from ebgan.metrics.baselines import baseline_errors
from ebgan.metrics.classification import Classification, confusion_matrix
from ebgan.metrics.classifier import HeldOut, TrainedClassifier, digit_classifier
from ebgan.metrics.coverage import class_histogram, classes_covered
from ebgan.metrics.evaluate import Measurement, RealReference, evaluate, evaluate_quickly
from ebgan.metrics.frechet import frechet_distance
from ebgan.metrics.inception import inception_score, modified_inception_score
from ebgan.metrics.kernel import kernel_distance
from ebgan.metrics.modes import high_quality_share, mode_histogram, modes_covered, owners, reverse_kl
from ebgan.metrics.nearest import Nearest, nearest
from ebgan.metrics.neighbours import Overlap, overlap
from ebgan.metrics.ranking import auroc, average_precision
from ebgan.metrics.transport import transport_distance

__all__ = [
    "Classification",
    "HeldOut",
    "Measurement",
    "Nearest",
    "Overlap",
    "RealReference",
    "TrainedClassifier",
    "auroc",
    "average_precision",
    "baseline_errors",
    "class_histogram",
    "classes_covered",
    "confusion_matrix",
    "digit_classifier",
    "evaluate",
    "evaluate_quickly",
    "frechet_distance",
    "high_quality_share",
    "inception_score",
    "kernel_distance",
    "mode_histogram",
    "modes_covered",
    "modified_inception_score",
    "nearest",
    "overlap",
    "owners",
    "reverse_kl",
    "transport_distance",
]
