"""The study of tables with anomalies: splits, detectors, rows that are kept, and verdicts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebgan.errors import DataError, StorageError
from ebgan.reproductions.anomalies import study
from ebgan.reproductions.anomalies.methods import ALONE, DEFAULT, METHODS, Floats
from ebgan.reproductions.anomalies.study import FILE, Measured, mean_ranks, read_results, reproduce, summary
from ebgan.reproductions.anomalies.tables import Table, in_folder, read, shipped
from ebgan.reproductions.claims import Request

QUICK = {name: method for name, method in METHODS.items() if name not in (DEFAULT, ALONE)}


def table(normal: int = 60, odd: int = 12) -> Table:
    draw = np.random.default_rng(0)
    rows = np.concatenate((draw.normal(size=(normal, 4)), 6 + draw.normal(size=(odd, 4))))
    return Table("made", rows, np.arange(normal + odd) >= normal)


def request(out: Path, **fields: object) -> Request:
    return Request("tiny", out, lambda _: None)._replace(**fields)


def test_half_of_the_normal_rows_train_and_all_others_test() -> None:
    made = table()
    split = made.split(0, 1000)
    assert len(split.train) == 30
    assert len(split.test) == 30 + 12
    assert split.anomalous.sum() == 12
    together = np.concatenate((split.train, split.test))
    assert {tuple(row) for row in together} == {tuple(row) for row in made.rows}
    assert not np.array_equal(made.split(1, 1000).train, split.train)
    small = made.split(0, 5)
    assert (len(small.train), (~small.anomalous).sum(), small.anomalous.sum()) == (5, 5, 5)


@pytest.mark.parametrize("name", QUICK)
def test_every_other_detector_finds_what_is_far_away(name: str) -> None:
    split = table().split(0, 1000)
    scores = METHODS[name](split.train, split.test, 0)
    if name == "PCA":  # a direction of four is dropped at most
        assert scores.shape == split.anomalous.shape
    else:
        assert scores[split.anomalous].min() > np.median(scores[~split.anomalous])


def test_ours_and_the_auto_encoder_alone_differ_in_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []

    class Detector:
        def __init__(self, **settings: object) -> None:
            made.append(settings)

        def fit(self, rows: Floats) -> "Detector":
            return self

        def score_samples(self, rows: Floats) -> Floats:
            return np.zeros(len(rows))

    monkeypatch.setattr("ebgan.detection.estimator.EnergyAnomalyDetector", Detector)
    for name in (DEFAULT, ALONE):
        METHODS[name](np.zeros((3, 2)), np.zeros((3, 2)), 7)
    assert made == [{"random_state": 7}, {"random_state": 7, "objective": "autoencoder"}]


def test_rows_are_kept_as_they_are_made_and_a_second_call_makes_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def method(name: str, stops: int = 10**6) -> object:
        def score(train: Floats, test: Floats, seed: int) -> Floats:
            calls.append(name)
            if len(calls) > stops:
                raise KeyboardInterrupt
            return np.linalg.norm(test - train.mean(0), axis=1) * (1 if name == DEFAULT else -1)

        return score

    names = (DEFAULT, ALONE, "PCA")
    monkeypatch.setattr(study, "METHODS", {name: method(name, stops=4) for name in names})
    with pytest.raises(KeyboardInterrupt):
        reproduce(request(tmp_path, seeds=2))
    assert len(read_results(tmp_path / FILE)) == 4
    monkeypatch.setattr(study, "METHODS", {name: method(name) for name in names})
    found = reproduce(request(tmp_path, seeds=2))
    assert len(calls) == 5 + 2 * 2 * 3 - 4
    assert len(read_results(tmp_path / FILE)) == 12
    assert [row[0] for row in found.tables["AUROC, mean and standard deviation over seeds"][1:]] == [
        each.name for each in shipped()
    ]
    assert found.tables["over all tables"][1][0] == DEFAULT
    assert "of 2; mean gain" in found.claims[0].measured


def test_ranks_are_1_for_the_best_and_shared_by_equal_ones() -> None:
    assert mean_ranks(np.array([[0.9, 0.5, 0.5], [0.2, 0.8, 0.4]])) == [2.0, 1.75, 2.25]


def test_a_table_that_one_detector_has_not_been_measured_on_is_left_out() -> None:
    one = Measured("a", 10, 2, 0, DEFAULT, 0.9, 0.5, 1.0)
    whole = [one, replace(one, method=ALONE, auroc=0.8)]
    found = summary([*whole, replace(one, table="b")])
    assert len(found.tables["AUROC, mean and standard deviation over seeds"]) == 2
    assert summary([]).claims == []


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("a,b\n1,2\n")
    with pytest.raises(StorageError, match=FILE):
        read_results(tmp_path / FILE)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.ones((9, 2))}, "X and y"),
        (
            {"X": np.ones((9, 2)), "y": np.zeros(9)},
            "expected X .n, features. and y .n. with both 0 .normal. and 1 .anomaly.",
        ),
        ({"X": np.ones((9, 2)), "y": np.r_[np.zeros(7), 1]}, "expected X"),
        ({"X": np.ones(9), "y": np.r_[np.zeros(8), 1]}, "expected X"),
        ({"X": np.array([["a"]] * 9), "y": np.r_[np.zeros(8), 1]}, "numbers"),
        ({"X": np.ones((4, 2)), "y": np.r_[np.zeros(3), 1]}, "3 normal rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "t.npz")


def test_a_folder_without_tables_says_where_they_are_had(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match="ADBench"):
            in_folder(folder)


def test_a_table_of_adbench_is_read(data_folder: Path) -> None:
    found = read(data_folder / "adbench" / "4_breastw.npz")
    assert (found.features, found.anomalous.sum()) == (9, 239)
