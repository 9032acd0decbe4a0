"""The 1,797 real digits that ship inside scikit-learn, and their classifier, trained once."""

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from ebgan.metrics import TrainedClassifier, digit_classifier


class Digits(NamedTuple):
    images: Tensor  # [1797, 1, 8, 8] uint8
    labels: Tensor  # [1797] int64


class Trained(NamedTuple):
    classifier: TrainedClassifier
    cache: Path
    moved: bool  # whether training moved torch's random state


@pytest.fixture(scope="session")
def digits() -> Digits:
    data = load_digits()
    images = torch.from_numpy(data.images * (255 / 16)).round().to(torch.uint8)[:, None]
    return Digits(images, torch.from_numpy(data.target).long())


@pytest.fixture(scope="session")
def trained(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    cache = tmp_path_factory.mktemp("classifiers")
    before = torch.get_rng_state()
    with torch.inference_mode():  # as from within an evaluation
        classifier = digit_classifier(*digits, checksum="digits", cache=cache)
    return Trained(classifier, cache, not torch.equal(before, torch.get_rng_state()))
