import gzip
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from ebgan.errors import DataError
from ebgan.metrics import HeldOut, digit_classifier
from ebgan.metrics import classifier as classifier_module


@pytest.fixture
def trainings(monkeypatch) -> list[int]:
    """The image count of each training; the nets stay untrained, which takes no time."""
    counts = []
    real = classifier_module.ConvClassifier

    def fit(images, labels, classes, device, places=None):
        counts.append(len(images if places is None else places))
        return real(images.shape[1], classes).eval()

    monkeypatch.setattr(classifier_module, "fit_classifier", fit)
    return counts


def test_the_classifier_of_the_8x8_digits_names_97_of_100_held_out_ones(trained) -> None:
    assert trained.classifier.accuracy >= 0.97


def test_a_classifier_of_labels_that_pictures_do_not_tell_is_known_to_guess(digits, trained, tmp_path) -> None:
    assert trained.classifier.doubt is None
    noise = torch.randint(0, 256, (300, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    first, again = (digit_classifier(noise, torch.arange(300) % 5, checksum="noise", cache=tmp_path) for _ in range(2))
    assert "no better than chance" in (first.doubt or "")
    assert again.doubt == first.doubt  # from the cache


@pytest.mark.parametrize(
    ("accuracy", "chance", "tests", "clear"),
    [
        (0.31, 0.30, 300, False),
        (0.30, 0.30, 10_000, False),
        (0.35, 0.30, 300, False),
        (0.36, 0.30, 300, True),
        (0.32, 0.30, 10_000, True),
        (0.5, 0.5, 4, False),
        (0.75, 0.5, 4, False),
        (1.0, 0.5, 8, True),
        (0.9, 0.9, 1_000, False),
        (0.0, 0.1, 100, False),
        (1.0, 1.0, 3, False),
    ],
)
def test_a_classifier_is_trusted_where_it_is_clearly_above_the_largest_class(
    trained, accuracy: float, chance: float, tests: int, clear: bool
) -> None:
    learned = replace(trained.classifier, accuracy=accuracy, chance=chance, tests=tests)
    assert (learned.doubt is None) == clear


def test_training_leaves_the_random_state_of_torch_as_it_was(trained) -> None:
    assert not trained.moved


def test_a_cached_classifier_says_what_the_trained_one_says(digits, trained, trainings) -> None:
    before = torch.get_rng_state()
    again = digit_classifier(*digits, checksum="digits", cache=trained.cache)
    assert trainings == []
    assert again.accuracy == trained.classifier.accuracy
    assert torch.equal(again.features(digits.images), trained.classifier.features(digits.images))
    assert torch.equal(before, torch.get_rng_state())


def test_bytes_and_floats_of_the_same_images_read_alike(digits, trained) -> None:
    floats = digits.images[:50] / 127.5 - 1
    said = trained.classifier.probabilities(digits.images[:50])
    torch.testing.assert_close(trained.classifier.probabilities(floats), said)
    torch.testing.assert_close(said.sum(-1), torch.ones(50))


def test_many_images_are_read_in_batches_in_their_order(digits, trained, monkeypatch) -> None:
    whole = trained.classifier.read(digits.images[:100])
    monkeypatch.setattr(classifier_module, "_BATCH", 7)
    parts = trained.classifier.read(digits.images[:100])
    torch.testing.assert_close(parts.features, whole.features)
    torch.testing.assert_close(parts.probabilities, whole.probabilities)


def test_a_damaged_cache_file_is_noticed_and_trained_again(digits, trained, trainings, tmp_path) -> None:
    shutil.copytree(trained.cache, tmp_path / "copy")
    (path,) = (tmp_path / "copy").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    digit_classifier(*digits, checksum="digits", cache=tmp_path / "copy")
    assert len(trainings) == 1
    digit_classifier(*digits, checksum="digits", cache=tmp_path / "copy")
    assert len(trainings) == 1


def test_other_data_other_shapes_and_a_test_set_have_classifiers_of_their_own(digits, trainings, tmp_path) -> None:
    images, labels = digits.images[:60], digits.labels[:60]
    digit_classifier(images, labels, checksum="a", cache=tmp_path)
    digit_classifier(images, labels, checksum="b", cache=tmp_path)
    digit_classifier(pad(images, (2, 2, 2, 2)), labels, checksum="a", cache=tmp_path)
    digit_classifier(images, labels, checksum="a", cache=tmp_path, test=lambda: HeldOut(images, labels))
    assert trainings == [50, 50, 50, 60]
    assert len(list(tmp_path.iterdir())) == 4


def test_all_images_are_learned_from_where_there_is_a_test_set_which_is_opened_once(
    digits, trainings, tmp_path
) -> None:
    opened = []

    def test() -> HeldOut:
        opened.append(1)
        return HeldOut(digits.images[60:100], digits.labels[60:100])

    images, labels = digits.images[:60], digits.labels[:60]
    found = [digit_classifier(images, labels, checksum="a", cache=tmp_path, test=test) for _ in range(2)]
    assert (trainings, opened) == ([60], [1])
    assert {each.tested_on for each in found} == {"40 images of the test set"}
    assert found[0].accuracy == found[1].accuracy
    named = found[0].probabilities(digits.images[60:100]).argmax(-1)
    assert found[0].accuracy == (named == digits.labels[60:100]).double().mean()


def test_a_set_without_a_test_set_keeps_a_sixth_of_its_images_to_test_on(digits, trainings, tmp_path) -> None:
    found = digit_classifier(digits.images[:60], digits.labels[:60], checksum="a", cache=tmp_path)
    assert trainings == [50]
    assert found.tested_on == "10 images of the data that it was not trained on"


def test_a_cache_that_cannot_be_written_is_said_and_does_no_harm(digits, trainings, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="trained again next time"):
        trained = digit_classifier(digits.images[:60], digits.labels[:60], checksum="a", cache=tmp_path / "file")
    assert 0 <= trained.accuracy <= 1


@pytest.mark.parametrize(
    ("labels", "reason"), [(torch.arange(59), "expected one label per image"), (torch.ones(60), "class")]
)
def test_labels_that_do_not_fit_are_refused(digits, labels: Tensor, reason: str, tmp_path) -> None:
    with pytest.raises(DataError, match=reason):
        digit_classifier(digits.images[:60], labels.long(), checksum="a", cache=tmp_path)


def mnist(part: str) -> tuple[Tensor, Tensor]:
    """The images [N, 1, 28, 28] and labels [N] of MNIST's original files."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("EBGAN_DATA", beside)) / "mnist"
    if not folder.exists():
        pytest.skip(f"no MNIST in {folder}")
    images = np.frombuffer(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    return torch.tensor(images).view(-1, 1, 28, 28), torch.tensor(labels)


@pytest.mark.slow
@pytest.mark.parametrize("padding", [0, 2])
def test_the_classifier_of_mnist_names_99_of_100_test_digits(padding: int, tmp_path) -> None:
    images, labels = mnist("train")
    test_images, test_labels = mnist("t10k")
    around = (padding,) * 4
    classifier = digit_classifier(
        pad(images, around),
        labels,
        checksum="mnist",
        cache=tmp_path,
        test=lambda: HeldOut(pad(test_images, around), test_labels),
    )
    assert classifier.accuracy >= 0.99
