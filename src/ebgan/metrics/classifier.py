"""The classifier that metrics read samples through: trained once for a data set, then kept in the user's cache."""

from __future__ import annotations

import hashlib
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer, Shaped, UInt8
from platformdirs import user_cache_dir
from torch import Tensor

from ebgan.errors import DataError, StorageError
from ebgan.metrics.fitting import fit_classifier, scaled
from ebgan.metrics.weights import load_weights, save_weights
from ebgan.nets.classifier import ConvClassifier
from ebgan.randomness import Randomness

VERSION = 1  # of the net and of how it is trained: another one trains anew
_HELD_OUT = 6  # one image in six is kept from training where no test set is given, as in MNIST's 10,000 of 60,000
_BATCH = 1000  # images read at a time
_SIDE = 4  # pixels, of which two poolings leave one

logger = logging.getLogger(__name__)


class Readout(NamedTuple):
    """What a classifier says of images; on the CPU, whatever device it runs on."""

    features: Tensor  # [samples, 128] float32
    probabilities: Tensor  # [samples, classes] float32, p(y|x)


@dataclass(frozen=True)
class TrainedClassifier:
    """A net that has learned, and how often it is right."""

    net: ConvClassifier
    accuracy: float  # share of held-out images named rightly

    @torch.no_grad()
    def read(self, images: Shaped[Tensor, "samples C H W"]) -> Readout:
        """Features and probabilities in one pass over images, uint8 or float in [-1, 1]."""
        device = self.net.logits.weight.device
        batches = torch.split(images, _BATCH)
        features = torch.cat([self.net.features(scaled(batch.to(device))) for batch in batches])
        return Readout(features.cpu(), self.net.logits(features).softmax(-1).cpu())

    def probabilities(self, images: Shaped[Tensor, "samples C H W"]) -> Float[Tensor, "samples classes"]:
        """p(y|x) of images, uint8 or float in [-1, 1]."""
        return self.read(images).probabilities

    def features(self, images: Shaped[Tensor, "samples C H W"]) -> Float[Tensor, "samples 128"]:
        """The layer below the logits, of images uint8 or float in [-1, 1]."""
        return self.read(images).features


@torch.inference_mode(False)  # weights made within an evaluation could not learn
def digit_classifier(
    images: UInt8[Tensor, "samples C H W"],
    labels: Integer[Tensor, " labels"],
    *,
    checksum: str,
    test: tuple[UInt8[Tensor, "tests C H W"], Integer[Tensor, " tests"]] | None = None,
    cache: Path | None = None,
    device: torch.device | str = "cpu",
) -> TrainedClassifier:
    """A classifier of the data set with this checksum, from the cache or trained on the images, all but a sixth.

    With a test set it learns from all images, and the test set gives its accuracy. A damaged cache file is replaced.
    Raises DataError where images and labels do not fit or hold one class alone.
    """
    classes = _classes(images, labels)
    path = (cache or Path(user_cache_dir("ebgan")) / "classifiers") / _name(checksum, images, classes, test)
    kept = load_weights(path)
    if kept is not None:
        accuracy = float(kept.pop("accuracy"))
        return TrainedClassifier(_restored(kept, images.shape[1], classes).to(device), accuracy)
    classifier = _trained(images, labels, classes, test, device)
    try:
        save_weights(
            path, classifier.net.state_dict() | {"accuracy": torch.tensor(classifier.accuracy, dtype=torch.float64)}
        )
    except (StorageError, OSError) as error:
        warnings.warn(f"The classifier is not kept and will be trained again next time. {error}", stacklevel=2)
    return classifier


def refusal(shape: tuple[int, ...], labels: Tensor) -> str | None:
    """Why images [samples, C, H, W] with these labels teach no classifier, if they do not."""
    if shape[0] != len(labels) or shape[0] < _HELD_OUT:
        return f"{shape[0]} images have {len(labels)} labels: one label an image, {_HELD_OUT} at least, is needed"
    if min(shape[-2:]) < _SIDE:
        return f"images of {shape[-2]} x {shape[-1]} pixels are too small: {_SIDE} x {_SIDE} are the least"
    if labels.min() == labels.max():
        return "all labels are of one class, so that there is nothing to tell apart"
    return None


def _classes(images: Tensor, labels: Tensor) -> int:
    if refused := refusal(tuple(images.shape), labels):
        raise DataError(f"classifier: {refused}")
    return int(labels.max()) + 1


def _name(checksum: str, images: Tensor, classes: int, test: tuple[Tensor, Tensor] | None) -> str:
    """A file name for all that the trained net depends on."""
    tested = 0 if test is None else len(test[0])
    identity = (VERSION, checksum, tuple(images.shape), classes, tested)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32] + ".weights"


def _restored(weights: dict[str, Tensor], channels: int, classes: int) -> ConvClassifier:
    with torch.random.fork_rng(devices=[]):  # a new net draws weights, which are replaced
        net = ConvClassifier(channels, classes)
    net.load_state_dict(weights)
    return net.eval().requires_grad_(False)


def _trained(
    images: Tensor, labels: Tensor, classes: int, test: tuple[Tensor, Tensor] | None, device: torch.device | str
) -> TrainedClassifier:
    logger.info("Training a classifier of %d images, once for this data set", len(images))
    order = Randomness.of(0).permutation("classifier's held-out share", len(images))
    count = len(images) // _HELD_OUT if test is None else 0
    net = fit_classifier(images, labels, classes, device, order[count:] if test is None else None)
    tests, answers = (images, labels[order[:count]]) if test is None else test
    places = order[:count] if test is None else torch.arange(len(tests))
    learned = TrainedClassifier(net, 0.0)
    named = torch.cat([learned.probabilities(tests[some]).argmax(-1) for some in torch.split(places, _BATCH)])
    return TrainedClassifier(net, float((named == answers.cpu()).double().mean()))
