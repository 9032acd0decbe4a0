import json
import math

import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import RealReference, evaluate


@pytest.fixture(scope="module")
def reference(digits, trained) -> RealReference:
    return RealReference.of(digits.images[:900], trained.classifier)


def test_real_digits_score_as_real_digits(digits, trained, reference) -> None:
    metrics = evaluate(digits.images[900:], trained.classifier, reference).metrics
    assert 2.0 < metrics["i_usual"] <= math.log(10)
    assert metrics["i_usual"] == pytest.approx(metrics["i_usual_real"], abs=0.1)
    assert 4 < metrics["i_swapped"] < 6
    assert metrics["classes_covered"] == 1
    assert 0.1 <= metrics["largest_class"] < 0.15
    for name in ("precision", "recall", "density", "coverage"):
        assert 0.7 < metrics[name] < 1.1


def test_noise_is_farther_from_the_digits_than_digits_are(digits, trained, reference) -> None:
    real = evaluate(digits.images[900:], trained.classifier, reference).metrics
    noise = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    fake = evaluate(noise, trained.classifier, reference).metrics
    assert fake["i_usual"] < real["i_usual"]
    assert fake["fid_classifier"] > 10 * real["fid_classifier"]
    assert fake["kid_classifier"] > 10 * abs(real["kid_classifier"])
    assert fake["density"] < 0.1 * real["density"]
    assert fake["coverage"] < 0.1 * real["coverage"]


def test_one_digit_again_and_again_is_seen_as_collapse(digits, trained, reference) -> None:
    evaluation = evaluate(digits.images[:1].expand(200, -1, -1, -1), trained.classifier, reference)
    assert evaluation.metrics["i_usual"] == pytest.approx(0, abs=1e-6)
    assert evaluation.metrics["largest_class"] == 1
    assert evaluation.metrics["classes_covered"] == 0.1
    assert sorted(evaluation.histogram) == [0] * 9 + [1]


def test_the_classifier_passes_over_the_samples_once(digits, trained, reference, monkeypatch) -> None:
    passes = []
    read = type(trained.classifier).read
    monkeypatch.setattr(type(trained.classifier), "read", lambda self, x: passes.append(len(x)) or read(self, x))
    evaluate(digits.images[:100], trained.classifier, reference)
    assert passes == [100]


def test_the_record_is_json_and_says_how_it_was_measured(digits, trained, reference) -> None:
    evaluation = evaluate(digits.images[:100], trained.classifier, reference)
    record = json.loads(json.dumps(evaluation.as_record(), allow_nan=False))
    assert record == {
        "metrics": evaluation.metrics,
        "histogram": evaluation.histogram,
        "protocol": evaluation.protocol,
    }
    assert sum(record["histogram"]) == pytest.approx(1)
    assert record["protocol"]["samples"] == 100
    assert record["protocol"]["real_images"] == 900
    assert record["protocol"]["kernel_subset"] == 100
    assert (record["protocol"]["nearest"], record["protocol"]["nearest_subset"]) == (5, 100)
    assert record["protocol"]["classifier_accuracy"] == trained.classifier.accuracy


def test_two_samples_are_enough_to_evaluate(digits, trained, reference) -> None:
    evaluation = evaluate(digits.images[:2], trained.classifier, reference)
    assert evaluation.protocol["nearest"] == 1
    assert all(math.isfinite(value) for value in evaluation.metrics.values())


def test_evaluating_leaves_the_random_state_of_torch_as_it_was(digits, trained, reference) -> None:
    before = torch.get_rng_state()
    evaluate(digits.images[:100], trained.classifier, reference)
    assert torch.equal(before, torch.get_rng_state())


def test_samples_with_nan_are_refused(trained, reference) -> None:
    with pytest.raises(DataError, match="fake features: NaN"):
        evaluate(torch.full((5, 1, 8, 8), torch.nan), trained.classifier, reference)
