"""The classifier used by metrics: trained once for a data set, then kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import math
import warnings
from collections.abc import Callable
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

VERSION = 3  # of the net and of how it is trained: another one trains anew
_HELD_OUT = 6  # one image in six is kept from training where no test set is given, as in MNIST's 10,000 of 60,000
_BATCH = 1000  # images read at a time
_CLEAR = 2.0  # standard errors by which the accuracy must exceed the share of the largest class
_SIDE = 4  # smallest height and width of images, since the net halves them twice

logger = logging.getLogger(__name__)


class HeldOut(NamedTuple):
    """Images for testing a classifier, not used for training it."""

    images: UInt8[Tensor, "tests C H W"]
    labels: Integer[Tensor, " tests"]


class Readout(NamedTuple):
    """Outputs of a classifier for images, on the CPU whatever device it runs on."""

    features: Tensor  # [samples, 128] float32
    probabilities: Tensor  # [samples, classes] float32, p(y|x)


@dataclass(frozen=True)
class TrainedClassifier:
    """A trained classifier and its accuracy."""

    net: ConvClassifier
    accuracy: float  # on the test images
    tested_on: str  # a description of these images
    chance: float = 0.0  # share of the largest class among these images
    tests: int = 0  # their number

    @property
    def doubt(self) -> str | None:
        """A message if the test accuracy is no better than chance, so that metrics would mean nothing; else None."""
        error = math.sqrt(self.chance * (1 - self.chance) / max(self.tests, 1))
        if self.accuracy > self.chance + _CLEAR * error:
            return None
        return (
            f"a classifier of these classes is no better than chance: its accuracy on {self.tested_on} is "
            f"{self.accuracy:.1%}, and the largest class has {self.chance:.1%} of them"
        )

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


@torch.inference_mode(False)  # weights created in inference mode could not be trained
def digit_classifier(
    images: UInt8[Tensor, "samples C H W"],
    labels: Integer[Tensor, " labels"],
    *,
    checksum: str,
    test: Callable[[], HeldOut | None] = lambda: None,
    cache: Path | None = None,
    device: torch.device | str = "cpu",
) -> TrainedClassifier:
    """The classifier of the data set with this checksum, from the cache or newly trained.

    It is trained on all images, and tested on those that `test` opens, which is called only if the classifier is not in
    the cache. Without a test set, it is tested on a sixth of the images and trained on the others. A damaged cache file
    is replaced. Raises DataError if images and labels do not fit together, or have fewer than two classes.
    """
    classes = _classes(images, labels)
    folder = cache or Path(user_cache_dir("ebgan")) / "classifiers"
    paths = {apart: folder / _name(checksum, images, classes, apart) for apart in (True, False)}
    if kept := _kept(paths[True], images.shape[1], classes, device):
        return kept
    held_out = test()
    if held_out is None and (kept := _kept(paths[False], images.shape[1], classes, device)):
        return kept
    classifier = _trained(images, labels, classes, held_out, device)
    _keep(classifier, paths[held_out is not None])
    return classifier


def refusal(shape: tuple[int, ...], labels: Tensor) -> str | None:
    """The reason why no classifier can be trained on these images and labels, if there is one."""
    if shape[0] != len(labels) or shape[0] < _HELD_OUT:
        return f"{shape[0]} images have {len(labels)} labels: expected one label per image, and at least {_HELD_OUT}"
    if min(shape[-2:]) < _SIDE:
        return f"images of {shape[-2]} x {shape[-1]} pixels are too small: expected at least {_SIDE} x {_SIDE}"
    if labels.min() == labels.max():
        return "all labels are of one class: expected two or more classes"
    return None


def _classes(images: Tensor, labels: Tensor) -> int:
    if refused := refusal(tuple(images.shape), labels):
        raise DataError(f"classifier: {refused}")
    return int(labels.max()) + 1


def _name(checksum: str, images: Tensor, classes: int, apart: bool) -> str:
    """A file name that depends on everything that determines the net; `apart` says whether there is a test set."""
    identity = (VERSION, checksum, tuple(images.shape), classes, apart)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32] + ".weights"


def _keep(classifier: TrainedClassifier, path: Path) -> None:
    facts = {
        "accuracy": torch.tensor(classifier.accuracy, dtype=torch.float64),
        "chance": torch.tensor(classifier.chance, dtype=torch.float64),
        "tests": torch.tensor(classifier.tests),
        "tested_on": torch.tensor(list(classifier.tested_on.encode()), dtype=torch.uint8),
    }
    try:
        save_weights(path, classifier.net.state_dict() | facts)
    except (StorageError, OSError) as error:
        warnings.warn(f"The classifier could not be stored and will be trained again next time. {error}", stacklevel=3)


def _kept(path: Path, channels: int, classes: int, device: torch.device | str) -> TrainedClassifier | None:
    weights = load_weights(path)
    if weights is None:
        return None
    accuracy, tested_on = float(weights.pop("accuracy")), bytes(weights.pop("tested_on").tolist()).decode()
    chance, tests = float(weights.pop("chance")), int(weights.pop("tests"))
    with torch.random.fork_rng(devices=[]):  # building a net draws from torch's global generator
        net = ConvClassifier(channels, classes)
    net.load_state_dict(weights)
    return TrainedClassifier(net.eval().requires_grad_(False).to(device), accuracy, tested_on, chance, tests)


def _trained(
    images: Tensor, labels: Tensor, classes: int, held_out: HeldOut | None, device: torch.device | str
) -> TrainedClassifier:
    logger.info("Training a classifier of %s images, once for this data set", f"{len(images):,}")
    if held_out is not None:
        net = fit_classifier(images, labels, classes, device)
        return _tested(net, *held_out, torch.arange(len(held_out.images)), "images of the test set")
    order = Randomness.of(0).permutation("classifier's held-out share", len(images))
    count = len(images) // _HELD_OUT
    net = fit_classifier(images, labels, classes, device, order[count:])
    return _tested(net, images, labels, order[:count], "images of the data that it was not trained on")


def _tested(net: ConvClassifier, images: Tensor, labels: Tensor, indices: Tensor, source: str) -> TrainedClassifier:
    """Measure the accuracy of a net on the images at these indices, batch by batch."""
    learned = TrainedClassifier(net, 0.0, "")
    named = torch.cat([learned.probabilities(images[some]).argmax(-1) for some in torch.split(indices, _BATCH)])
    right = labels[indices].cpu()
    accuracy, chance = float((named == right).double().mean()), float(right.bincount().max()) / len(right)
    return TrainedClassifier(net, accuracy, f"{len(indices):,} {source}", chance, len(right))
