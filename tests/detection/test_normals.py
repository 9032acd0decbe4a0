"""A threshold and p-values from normal energies, and how a run folder keeps them."""

import json
from pathlib import Path

import numpy as np
import pytest

from ebgan.detection.normals import FILE, Normals, read_normals, write_normals
from ebgan.errors import DataError, UsageError

ENERGIES = np.random.default_rng(0).permutation(np.arange(1.0, 101.0))


@pytest.mark.parametrize(("contamination", "above"), [(0.01, 1), (0.05, 5), (0.1, 10), (0.5, 50), (0.033, 4)])
def test_no_more_than_the_share_and_one_normal_samples_lie_above_the_threshold(
    contamination: float, above: int
) -> None:
    threshold = Normals(ENERGIES).threshold(contamination)
    assert (threshold < ENERGIES).sum() == above


def test_a_p_value_counts_the_normal_samples_of_at_least_as_much_energy() -> None:
    values = Normals(ENERGIES).p_values(np.array([1000.0, 100.0, 99.5, 1.0, -5.0]))
    np.testing.assert_allclose(values * 101, [1, 2, 2, 101, 101])


def test_new_normal_samples_raise_as_many_false_alarms_as_promised() -> None:
    draw = np.random.default_rng(1)
    alarms = []
    for _ in range(200):
        normals, others = Normals(draw.exponential(size=200)), draw.exponential(size=500)
        alarms.append((others > normals.threshold(0.05)).mean())
        assert (normals.p_values(others) <= 0.05).mean() <= alarms[-1] + 0.02
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("contamination", [0, -0.1, 0.51, 1, float("nan"), True, "0.1"])
def test_a_share_that_makes_no_sense_is_refused(contamination: float) -> None:
    with pytest.raises(UsageError, match="contamination"):
        Normals(ENERGIES).threshold(contamination)


def test_a_share_of_less_than_one_sample_is_refused_with_how_many_are_needed() -> None:
    with pytest.raises(UsageError, match=r"give 1,000 normal samples or more, or a share of 0.01 or more"):
        Normals(ENERGIES).threshold(0.001)


@pytest.mark.parametrize("energies", [[], [1.0, float("nan")], [float("inf")]])
def test_no_energies_and_such_as_are_not_finite_are_refused(energies: list[float]) -> None:
    with pytest.raises(DataError, match="expected one finite energy"):
        Normals(np.array(energies))


def test_a_folder_gives_back_what_it_was_given(tmp_path: Path) -> None:
    assert read_normals(tmp_path) is None
    write_normals(tmp_path, Normals(ENERGIES / 3, "good", model="abc", peaks=ENERGIES / 7))
    again = read_normals(tmp_path)
    assert again is not None
    np.testing.assert_array_equal(again.energies, ENERGIES / 3)
    assert again.peaks is not None
    np.testing.assert_array_equal(again.peaks, ENERGIES / 7)
    assert again.pixel_threshold(0.1) == again.threshold(0.1) * 3 / 7
    assert (again.source, again.model) == ("good", "abc")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"source": "a", "model": "b"}',
        json.dumps({"source": "a", "model": "b", "peaks": None, "energies": ["x"]}),
        json.dumps({"source": "a", "model": "b", "peaks": None, "energies": None}),
        json.dumps({"source": "a", "model": "b", "peaks": None, "energies": []}),
        json.dumps({"source": "a", "model": "b", "peaks": None, "energies": [1, float("nan")]}),
        json.dumps({"source": "a", "model": "b", "peaks": None, "energies": [1], "more": 1}),
        "\x00\xff",
    ],
)
def test_a_file_that_holds_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match=FILE):
        read_normals(tmp_path)
