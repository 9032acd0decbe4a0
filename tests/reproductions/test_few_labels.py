"""Equation 11, the learning rate, and the selection on the validation set."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from ebgan.data import Packed
from ebgan.nets.regularised_classifier import RegularisedClassifier
from ebgan.reproductions.vgan import few_labels
from ebgan.reproductions.vgan.few_labels import FewLabels, loss, rate, tensors, wrong


def stripes(count: int, seed: int) -> Packed:
    """Images whose bright stripes, lying or standing, are their class."""
    images = np.random.default_rng(seed).integers(0, 100, (count, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % 2
    for image, label in zip(images, labels, strict=True):
        (image if label == 0 else image.swapaxes(1, 2))[:, ::2] += 150
    return Packed(images, labels, ("lying", "standing"))


def test_the_loss_is_half_of_either_term_and_the_first_alone_without_augmentation() -> None:
    net = RegularisedClassifier(1, 2, divide=16).eval()
    images, labels = tensors(stripes(10, 0))
    plain, turned = cross_entropy(net(images), labels), cross_entropy(net(images.flip(-1)), labels)
    torch.testing.assert_close(loss(net, images, labels, None), plain)
    torch.testing.assert_close(loss(net, images, labels, lambda x: x.flip(-1)), 0.5 * plain + 0.5 * turned)


def test_the_rate_falls_to_a_tenth_at_60_percent_and_to_a_hundredth_at_90() -> None:
    assert [rate(share) for share in (0, 0.59, 0.6, 0.89, 0.9, 0.99)] == [1, 1, 0.1, 0.1, 0.01, 0.01]


def test_it_learns_and_augmentation_that_turns_classes_round_hurts() -> None:
    task = FewLabels(stripes(200, 0), stripes(100, 1), stripes(100, 2), epochs=20, divide=8)
    seeds = range(4)
    assert np.mean([task.errors(None, seed).test for seed in seeds]) < 0.1
    assert np.mean([task.errors(lambda x: x.mT, seed).test for seed in seeds]) > 0.25


def test_the_test_error_is_that_of_the_best_epoch_on_the_validation_set(monkeypatch: pytest.MonkeyPatch) -> None:
    validation, test = stripes(4, 1), stripes(4, 2)
    said = {id(validation): iter([0.5, 0.2, 0.2, 0.4]), id(test): iter([0.7, 0.3, 0.9, 0.9])}
    monkeypatch.setattr(few_labels, "wrong", lambda net, data: next(said[id(data)]))
    assert FewLabels(stripes(4, 0), validation, test, epochs=4, divide=32).errors(None, 0) == (0.2, 0.3)


def test_the_share_that_is_named_wrongly_is_of_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_labels, "READ", 3)
    net = RegularisedClassifier(1, 2, divide=32).eval()
    torch.nn.init.zeros_(net.logits.weight)
    net.logits.bias.data = torch.tensor([1.0, 0.0])
    assert wrong(net, stripes(10, 0)) == 0.5
