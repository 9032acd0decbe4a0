"""Metrics of samples on InceptionV3: the FID, the KID and the inception score of the literature."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import torch
from jaxtyping import Float
from platformdirs import user_cache_dir
from torch import Tensor

from ebgan.data import Images
from ebgan.errors import StorageError
from ebgan.metrics import Measurement, frechet_distance, inception_score, kernel_distance
from ebgan.metrics.inception_v3 import SHA256, InceptionV3
from ebgan.metrics.weights import load_weights, save_weights
from ebgan.randomness import Randomness
from ebgan.runs.examiners.base import METRIC_SEED
from ebgan.runs.run import Run

REAL_IMAGES = 10_000  # most real images to compare with
KERNEL_SUBSETS = 100
KERNEL_SUBSET = 1000
SCORE_PARTS = 10  # parts of the samples, each with its own score, as by Salimans et al.


def inception_distances(
    run: Run, data: Images, samples: int, net: InceptionV3, classes: Float[Tensor, "classes 2048"] | None = None
) -> Measurement:
    """FID and KID of fresh samples, and their inception score if the weights of the class layer are given.

    Raises DataError for other data than the run was trained on.
    """
    run.check_data(data)
    real = real_features(data, net)
    source = run.sources(samples, data, seed=METRIC_SEED)
    fake = net.features(run.sample(samples, seed=METRIC_SEED, source=source))
    metrics = {
        "fid_inception": frechet_distance(real, fake),
        "kid_inception": kernel_distance(real, fake, subset=KERNEL_SUBSET, subsets=KERNEL_SUBSETS),
    }
    protocol: dict[str, str | int | float] = {
        "inception_samples": samples,
        "inception_real_images": len(real),
        "inception_weights": f"2015-12-05, SHA-256 {SHA256[:12]}",
        "inception_resize": "bilinear to 299, as TensorFlow 1",
        "inception_kernel": f"{KERNEL_SUBSETS} subsets of {min(KERNEL_SUBSET, samples, len(real))}",
        "inception_real_set": f"{data.name}, SHA-256 {data.checksum[:12]}",
    }
    if classes is not None:
        score, deviation = inception_score((fake @ classes.mT).softmax(-1), splits=SCORE_PARTS)
        metrics |= {"inception_score": score, "inception_score_std": deviation}
        protocol["inception_classes"] = f"{len(classes)}, without bias, {SCORE_PARTS} parts"
    return Measurement(metrics, [], protocol)


def real_features(data: Images, net: InceptionV3, cache: Path | None = None) -> Tensor:
    """The features [images, 2048] of the data, at most REAL_IMAGES drawn uniformly; kept in the user's cache."""
    path = (cache or Path(user_cache_dir("ebgan")) / "inception") / _name(data)
    kept = load_weights(path)
    if kept is not None:
        return kept["features"]
    indices = Randomness.of(0).permutation("inception", len(data))[:REAL_IMAGES].sort().values
    features = net.features(torch.from_numpy(data.images[indices.numpy()]))
    try:
        save_weights(path, {"features": features})
    except (StorageError, OSError) as error:
        warnings.warn(f"The features are not kept and will be computed again next time. {error}", stacklevel=2)
    return features


def _name(data: Images) -> str:
    """A file name that depends on everything that determines the features."""
    identity = (SHA256, data.checksum, data.shape, REAL_IMAGES)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32] + ".features"
