"""The studies of digits: what trains and tests, images that are no digits, methods that differ in negatives alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.metrics import auroc
from ebgan.reproductions.anomalies import one_class, out_of_distribution
from ebgan.reproductions.anomalies.image_methods import ALONE, CHAINED, METHODS, NOISED, SPHERE, Trained
from ebgan.reproductions.anomalies.image_sets import Digits, opened, strangers
from ebgan.reproductions.anomalies.study import Measured, read_results, write_results
from ebgan.reproductions.claims import Request


def request(out: Path, **fields: object) -> Request:
    return Request("tiny", out, lambda _: None, **fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def digits() -> Digits:
    return opened(request(Path()))


@pytest.mark.parametrize(("method", "alone"), [(NOISED, ALONE), (CHAINED, SPHERE)])
def test_a_method_and_its_auto_encoder_alone_differ_in_their_negatives(method: str, alone: str) -> None:
    one, other = METHODS[method](100, 3), METHODS[alone](100, 3)
    assert other.turns.generator == 0
    assert other.pretraining == other.images == one.images
    assert replace(one, turns=other.turns, pretraining=other.pretraining) == other
    assert one.pretraining is not None
    assert one.pretraining < one.images


def test_strangers_are_as_many_of_the_same_shape_and_differ_by_seed(digits: Digits) -> None:
    made, others = strangers(digits.test, 0), strangers(digits.test, 1)
    for kind, images in made.items():
        assert images.shape == digits.test.shape, kind
        assert 0 <= images.min() <= images.max() <= 1
        assert torch.equal(images, others[kind]) == (kind == "mirrored")
    assert torch.equal(made["constants"].flatten(1).std(1), torch.zeros(len(digits.test)))
    assert torch.equal(made["mirrored"].flip(-1), digits.test)


def test_digits_that_test_are_none_of_those_that_train(digits: Digits) -> None:
    assert len(digits.train) + len(digits.test) == 1797
    rows = {row.tobytes() for row in digits.train.numpy()}
    assert not rows & {row.tobytes() for row in digits.test.numpy()}


def test_the_class_that_is_measured_is_the_one_that_trains(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def on(images: torch.Tensor, name: str, steps: int, seed: int) -> Trained:
        seen.append(images)
        return Trained(lambda others: others.flatten(1).sum(1).double())

    monkeypatch.setattr(Trained, "on", on)
    found = one_class.measured(digits, 4, NOISED, 1, 0)
    assert torch.equal(seen[0], digits.train[digits.classes == 4])
    assert found.auroc == auroc(digits.test.flatten(1).sum(1).double(), digits.tested != 4)
    assert (found.table, found.rows, found.features) == ("4", len(seen[0]), 64)


def test_one_class_goes_on_after_the_last_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = one_class.reproduce(request(tmp_path, limit=1))
    found = read_results(tmp_path / one_class.FILE)
    assert [each.method for each in found] == list(one_class.NAMES)
    monkeypatch.setattr(Trained, "on", lambda *_: pytest.fail("it was measured already"))
    assert one_class.reproduce(request(tmp_path, limit=1)) == first
    write_results(tmp_path / one_class.FILE, found[:1])
    with pytest.raises(pytest.fail.Exception):
        one_class.reproduce(request(tmp_path, limit=1))


def made(kind: str, seed: int, name: str, area: float) -> Measured:
    return Measured(kind, 10, 64, seed, name, area, 0.5, 1.0)


def test_only_seeds_of_which_every_class_was_measured_count() -> None:
    rows = [made(kind, 0, name, 0.9) for kind in "01" for name in one_class.NAMES]
    findings = one_class.summary([*rows, made("0", 1, NOISED, 0.1)])
    (table,) = findings.tables.values()
    assert table[1] == ["0", "0.9", "0.9", "0.980"]
    assert table[-1][1] == "0.9"
    assert one_class.summary([made("0", 0, NOISED, 0.1)]).tables == {}


def test_the_mean_and_the_gain_over_the_classes_are_judged() -> None:
    draw = np.random.default_rng(0)
    rows = [
        made(str(kind), seed, name, area + draw.normal(scale=1e-3))
        for kind in range(10)
        for seed in range(3)
        for name, area in ((NOISED, 0.98), (ALONE, 0.97))
    ]
    mean, gain = one_class.summary(rows).claims
    assert mean.holds
    assert gain.holds
    other = {NOISED: ALONE, ALONE: NOISED}
    swapped = [replace(each, method=other[each.method], auroc=each.auroc - 0.1) for each in rows]
    assert [claim.holds for claim in one_class.summary(swapped).claims] == [False, False]


def test_out_of_distribution_measures_every_kind_with_every_method(tmp_path: Path) -> None:
    findings = out_of_distribution.reproduce(request(tmp_path))
    (table,) = findings.tables.values()
    assert table[0] == ["kind", *METHODS]
    assert {row[0] for row in table[1:]} == set(strangers(torch.zeros(2, 1, 8, 8), 0))
    found = read_results(tmp_path / out_of_distribution.FILE)
    noise = {each.method: each.auroc for each in found if each.table == "noise"}
    assert min(noise.values()) > 0.9  # uniform pixels are far from digits for any auto-encoder
    assert len(findings.claims) == 6
