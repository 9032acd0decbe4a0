"""A run on points from the first step to the report."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ebgan
from ebgan.cli.main import run as command
from ebgan.data import Points, open_points
from ebgan.errors import DataError
from ebgan.experiment import Experiment
from ebgan.randomness import Randomness
from ebgan.recipes import find
from ebgan.runs.examiners.points import PointsExaminer, measure, survey
from ebgan.storage.runfolder import read_records


def short(name: str) -> Experiment:
    made = find(name).make()
    return replace(made, images=512, evaluation=replace(made.evaluation, samples=200, grid=50, pictures=256, every=512))


@pytest.fixture(scope="module", params=["toy.ring.ebgan_pt", "toy.gaussian.gan"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ebgan.Run:
    return ebgan.train(short(request.param), tmp_path_factory.mktemp("toy") / "run", device="cpu")


def test_a_run_on_points_has_pictures_an_animation_modes_and_a_report(run: ebgan.Run) -> None:
    folder = run.folder
    assert [images for images, _ in folder.grids()] == [256, 512]
    assert folder.animation.exists()
    (evaluation,) = read_records(folder.evaluations)
    modes = evaluation["protocol"]["modes"]
    assert len(evaluation["histogram"]) == modes
    assert sum(evaluation["histogram"]) == pytest.approx(1)
    assert evaluation["metrics"]["modes_covered_real"] == modes
    assert evaluation["metrics"]["high_quality_real"] > 0.95
    assert ("transport_distance" in evaluation["metrics"]) == (modes == 1)
    page = folder.report.read_text()
    assert "Modes covered" in page
    assert "data:image/gif" in page


def test_samples_are_points_that_are_not_clipped(run: ebgan.Run) -> None:
    assert run.sample(7).shape == (7, *run.data.shape)
    bias = run.generator.output.bias
    kept = bias.clone()
    with torch.no_grad():
        bias.add_(5)
        assert run.sample(7).min() > 1
        bias.copy_(kept)


def test_the_loaded_run_is_the_trained_one_and_is_measured_alike(run: ebgan.Run) -> None:
    loaded = ebgan.load(run.folder.path, device="cpu")
    assert torch.equal(loaded.sample(5), run.sample(5))
    data = open_points(run.experiment.data.source)
    measured = PointsExaminer(loaded, data, 200).measure()
    (evaluation,) = read_records(run.folder.evaluations)
    assert measured["metrics"] == pytest.approx(evaluation["metrics"])


def test_other_points_than_the_runs_are_refused(run: ebgan.Run) -> None:
    with pytest.raises(DataError, match="not the data that the run was trained on"):
        PointsExaminer(run, open_points("toy.moons"), 10).measure()


def test_the_landscape_is_the_energy_at_its_places(run: ebgan.Run) -> None:
    seen = survey(run, open_points(run.experiment.data.source), run.sample(9)[..., 0, 0])
    dims = run.data.shape[0]
    place = [seen.axis[3]] if dims == 1 else [seen.axis[5], seen.axis[3]]  # x, y
    energy = run.energy(torch.tensor(place)[None, :, None, None]).item()
    assert seen.energy[(3,) if dims == 1 else (3, 5)] == pytest.approx(energy, rel=1e-4)
    assert len(seen.data) == len(seen.samples) == 9


def test_the_verbs_know_points(run: ebgan.Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(run.folder.path)
    assert command(["sample", folder, "--grid", str(tmp_path / "map.png"), "--device", "cpu"]) == 0
    assert (tmp_path / "map.png").exists()
    assert command(["sample", folder, "--out", str(tmp_path), "--device", "cpu"]) == 2
    assert "this run was trained on points" in capsys.readouterr().err
    assert command(["evaluate", folder, "--samples", "100", "--json", "--device", "cpu"]) == 0
    assert '"modes_covered"' in capsys.readouterr().out


def test_a_resumed_run_on_points_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole = ebgan.train(short("toy.moons.ebgan"), tmp_path / "whole", device="cpu")
    half = replace(short("toy.moons.ebgan"), images=256)
    ebgan.train(half, tmp_path / "parts", device="cpu")
    resumed = ebgan.train(short("toy.moons.ebgan"), tmp_path / "parts", device="cpu", override_config=True)
    assert torch.equal(resumed.sample(9), whole.sample(9))


def test_points_of_the_density_itself_get_full_marks() -> None:
    data = open_points("toy.grid")
    found = measure(data.density.sample(Randomness.of(7), 2500), data)
    assert found.metrics["modes_covered"] == 25
    assert found.metrics["high_quality"] == pytest.approx(0.989, abs=0.01)
    assert found.metrics["reverse_kl"] < 0.02


def test_the_best_has_most_modes_and_then_most_of_high_quality(run: ebgan.Run) -> None:
    examiner = PointsExaminer(run, Points(open_points("toy.ring").density), 10)

    def score(modes: float, share: float) -> float:
        return examiner.score({"metrics": {"modes_covered": modes, "high_quality": share}})

    assert score(8, 0.1) > score(7, 0.9) > score(7, 0.2)


def test_calibrate_finds_a_margin_for_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["calibrate", "toy.ring.ebgan", "--images", "2560", "--device", "cpu"]) == 0
    assert "mean image        1.000" in capsys.readouterr().out
