"""Errors of classes, worked out by hand."""

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import precision_recall_fscore_support

from ebgan.metrics import Classification, baseline_errors, confusion_matrix

TRUE = torch.tensor([0, 0, 0, 1, 1, 2])
NAMED = torch.tensor([0, 0, 1, 1, 2, 1])


def test_the_confusion_matrix_counts_what_each_class_was_taken_for() -> None:
    assert confusion_matrix(NAMED, TRUE, 4).tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_scores_are_scikit_learns_and_0_for_a_class_without_images() -> None:
    found = Classification.of(confusion_matrix(NAMED, TRUE, 4), tuple("abcd"))
    precision, recall, f1, _ = precision_recall_fscore_support(TRUE, NAMED, labels=range(4), zero_division=0)
    assert found.error == pytest.approx(0.5)
    assert found.precision == pytest.approx(precision.tolist())
    assert found.recall == pytest.approx(recall.tolist())
    assert found.f1 == pytest.approx(f1.tolist())


def test_baselines_learn_from_the_labelled_images_alone_and_are_the_same_each_time() -> None:
    pixels, names = load_digits(return_X_y=True)
    images = (torch.tensor(pixels).reshape(-1, 1, 8, 8) * 15).to(torch.uint8)
    labels = torch.tensor(names)
    errors = baseline_errors(images[:100], labels[:100], images[500:], labels[500:])
    assert errors == baseline_errors(images[:100], labels[:100], images[500:], labels[500:])
    assert set(errors) == {"test_error_svm", "test_error_mlp"}
    assert all(0.05 < error < 0.3 for error in errors.values())
