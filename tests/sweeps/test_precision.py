"""A sweep's trials that name no precision share one: found on the machine that trains, kept, and never mixed."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from distributed import Client

from ebgan.cli.sweep_plan import print_plan
from ebgan.config import from_yaml
from ebgan.experiment import REGISTRY, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Halving, Result, SweepStore, sweep
from ebgan.sweeps.driver import Runner

WIDE, NARROW = MLPGenerator(depth=2, width=4000, noise=64), MLPGenerator(depth=2, width=8, noise=4)
BASE = Experiment(nets=Nets(generator=NARROW, discriminator=MLPAutoencoder(width=8)), images=640)
GRID = Grid(base=BASE, axes={"nets.generator": (NARROW, WIDE)})


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as made:
        yield made


@pytest.fixture(autouse=True)
def in_threads(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are threads of this process."""

    @contextmanager
    def made(workers: int, scheduler: str | None, slurm: bool) -> Iterator[Client]:
        yield client

    monkeypatch.setattr("ebgan.sweeps.run.connected", made)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Have this be a machine that multiplies bf16 itself, or one that emulates it."""
    return lambda native: monkeypatch.setattr("ebgan.experiment.precision.processor_multiplies_bf16", lambda: native)


trained: list[str | None] = []  # the precision of each trial that a worker was given


def good(experiments: Sequence[Experiment], device: str) -> list[Result]:
    trained.extend(experiment.precision for experiment in experiments)
    return [Result("done", 1.0) for _ in experiments]


def swept(out: Path, grid: Grid = GRID, runner: Runner = good, **options: object) -> list[str | None]:
    trained.clear()
    sweep(grid, out, runner=runner, **options)
    return list(trained)


@pytest.mark.parametrize("native", [True, False])
def test_all_trials_have_the_precision_that_suits_the_machine_and_the_largest_nets(native, play, tmp_path) -> None:
    play(native)
    expected = "bf16" if native else "fp32"
    assert swept(tmp_path) == [expected] * 2
    with SweepStore(tmp_path / "trials.sqlite") as store:
        rows = store.rows()
        stored = [from_yaml(store.config(row.id), Experiment, REGISTRY, "").precision for row in rows]
        assert store.facts()["precision"] == expected
    assert stored == [row.fields["precision"] for row in rows] == [expected] * 2


def test_narrow_trials_are_of_fp32_wherever_they_are_trained(play, tmp_path) -> None:
    play(True)
    assert swept(tmp_path, dataclasses.replace(GRID, axes={"seed": (0, 1)})) == ["fp32"] * 2


@pytest.mark.parametrize("native", [True, False])
def test_a_sweep_that_goes_on_elsewhere_trains_what_is_left_in_the_precision_that_it_has(
    native, play, tmp_path
) -> None:
    play(native)
    expected = "bf16" if native else "fp32"
    assert swept(tmp_path, limit=1) == [expected]
    play(not native)
    assert swept(tmp_path) == [expected]
    assert swept(tmp_path) == []


def test_a_precision_that_the_grid_names_is_taken_and_leaves_that_of_the_others(play, tmp_path) -> None:
    play(True)
    assert swept(tmp_path) == ["bf16"] * 2
    assert swept(tmp_path, GRID.with_base(precision="fp64")) == ["fp64"] * 2
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert store.facts()["precision"] == "bf16"
    play(False)
    assert swept(tmp_path) == []


def test_rungs_of_a_halving_have_the_same_ids_and_precision_elsewhere(play, tmp_path) -> None:
    play(True)
    grid = dataclasses.replace(GRID, axes={"nets.generator": (NARROW, WIDE), "seed": (0, 1)})
    assert swept(tmp_path, grid, halving=Halving(eta=2, rungs=2)) == ["bf16"] * 6
    play(False)
    assert swept(tmp_path, grid, halving=Halving(eta=2, rungs=2)) == []


def test_a_cluster_is_asked_what_it_multiplies_and_this_machine_is_not_warned_for_it(
    play, tmp_path, monkeypatch, caplog
) -> None:
    play(False)
    monkeypatch.setattr("ebgan.sweeps.cluster.multiplies_bf16", on_the_worker)
    assert swept(tmp_path, scheduler="tcp://there:8786") == ["bf16"] * 2
    assert caplog.text == ""


def on_the_worker(device: str) -> bool:
    """A worker's answer: a task of Dask's knows its worker."""
    from distributed import get_worker

    return get_worker() is not None


def test_bf16_where_it_is_emulated_is_warned_of_once(play, tmp_path, caplog) -> None:
    play(False)
    assert swept(tmp_path, GRID.with_base(precision="bf16")) == ["bf16"] * 2
    assert caplog.text.count("emulates it") == 1


def test_a_plan_says_the_precision_and_times_steps_in_it(play, tmp_path, capsys, monkeypatch) -> None:
    timed: list[str | None] = []
    monkeypatch.setattr("ebgan.cli.sweep_plan.seconds", lambda tasks, _: timed.extend(precisions(tasks)) or 1.0)

    def planned() -> str:
        print_plan(list(GRID.trials()), tmp_path, None, device=torch.device("cpu"), workers=1, sharing=1)
        return capsys.readouterr().out

    def precisions(tasks) -> list[str | None]:
        return [trial.experiment.precision for task in tasks for trial in task.trials]

    play(True)
    assert planned().startswith("precision bf16 for trials that do not state one\n2 trials")
    assert list(tmp_path.iterdir()) == []
    play(False)
    assert planned().startswith("precision fp32 for trials that do not state one\n2 trials")
    swept(tmp_path, limit=1)
    play(True)
    assert planned().startswith("precision fp32 for trials that do not state one\n2 trials, 1 of them with a result")
    assert timed == ["bf16"] * 2 + ["fp32"] * 3
