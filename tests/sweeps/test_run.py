"""The driver: who is tried again and how often, what a failure costs others, and where a second start goes on."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

from ebgan.errors import DataError, RunLockedError, UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Halving, Result, Standing, SweepStore, sweep
from ebgan.sweeps.cluster import connected
from ebgan.sweeps.driver import Runner, SchedulerLostError
from ebgan.sweeps.summary import write_sweep_report
from ebgan.training.lock import run_lock
from ebgan.training.signals import StoppedError

BASE = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8)), images=640
)
GRID = Grid(base=BASE, axes={"seed": tuple(range(8))})
begun: list[list[int]] = []  # the seeds of each task that was begun
written: list[Path] = []  # the folders of which a report was written, which takes longer than these trials


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
    monkeypatch.setattr("ebgan.sweeps.run.write_sweep_report", lambda folder, published: written.append(folder.path))
    written.clear()
    begun.clear()


def good(experiments: Sequence[Experiment], device: str) -> list[Result]:
    begun.append([experiment.seed for experiment in experiments])
    return [Result("done", float(experiment.seed)) for experiment in experiments]


def bad_seed(experiments: Sequence[Experiment], device: str) -> list[Result]:
    results = good(experiments, device)
    if any(experiment.seed == 5 for experiment in experiments):
        raise RuntimeError("seed 5 is\nbad")
    return results


ASKED: list[signal.Signals] = []


def stopping(experiments: Sequence[Experiment], device: str) -> list[Result]:
    """In the second task, the driver is asked to stop."""
    if len(begun) == 1:
        os.kill(os.getpid(), ASKED[0])
        time.sleep(1)
    return good(experiments, device)


def no_data(experiments: Sequence[Experiment], device: str) -> list[Result]:
    good(experiments, device)
    raise DataError("nowhere: no such folder")


def run(out: Path, runner: Runner = good, grid: Grid = GRID, **options: object) -> tuple[list[str], dict[int, str]]:
    """The trials that failed, and the status of each seed."""
    failed = sweep(grid, out, runner=runner, **options)
    with SweepStore(out / "trials.sqlite") as store:
        return failed, {row.fields["seed"]: row.status for row in store.rows()}


def test_every_trial_gets_its_row_from_one_stack(tmp_path: Path) -> None:
    failed, statuses = run(tmp_path)
    assert (failed, statuses) == ([], dict.fromkeys(range(8), "done"))
    assert begun == [list(range(8))]


def test_the_same_sweep_again_runs_only_what_is_new(tmp_path: Path) -> None:
    run(tmp_path)
    begun.clear()
    run(tmp_path)
    assert begun == []
    wider = Grid(base=BASE, axes={"seed": tuple(range(10))})
    _, statuses = run(tmp_path, grid=wider)
    assert begun == [[8, 9]]
    assert statuses == dict.fromkeys(range(10), "done")


def test_a_trial_that_always_fails_is_tried_three_times_and_spoils_no_other(tmp_path: Path) -> None:
    failed, statuses = run(tmp_path, bad_seed)
    assert statuses == {**dict.fromkeys(range(8), "done"), 5: "failed"}
    assert [seeds for seeds in begun if seeds == [5]] == [[5]] * 3
    with SweepStore(tmp_path / "trials.sqlite") as store:
        row = next(row for row in store.rows() if row.id == failed[0])
    assert row.error == "RuntimeError: seed 5 is bad"


def test_what_failed_is_tried_again_by_the_next_start(tmp_path: Path) -> None:
    run(tmp_path, bad_seed)
    begun.clear()
    failed, statuses = run(tmp_path)
    assert (failed, set(statuses.values())) == ([], {"done"})
    assert begun == [[5]]


def test_an_error_that_is_the_users_to_mend_is_told_and_not_tried_again(tmp_path: Path) -> None:
    failed, _ = run(tmp_path, no_data)
    assert len(failed) == 8
    assert begun == [list(range(8))]
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert {row.error for row in store.rows()} == {"nowhere: no such folder"}


def test_a_limit_runs_a_random_subset_and_a_wider_one_goes_on(tmp_path: Path) -> None:
    _, few = run(tmp_path, limit=3, shuffle=1)
    assert len(few) == 3
    _, same = run(tmp_path, limit=3, shuffle=1)
    assert same == few
    _, statuses = run(tmp_path)
    assert set(statuses.values()) == {"done"}
    assert sorted(seed for seeds in begun for seed in seeds) == list(range(8))


def test_the_observer_hears_how_it_stands(tmp_path: Path) -> None:
    class Listener:
        heard: list[Standing] = []  # noqa: RUF012

        def standing(self, standing: Standing) -> None:
            self.heard.append(standing)

    run(tmp_path, bad_seed, observer=Listener())
    last = Listener.heard[-1]
    assert (last.trials, last.done, last.failed, last.running) == (8, 7, 1, 0)
    assert last.best is not None
    assert last.best[1] == 7.0
    assert last.hourly > 0
    assert last.left == pytest.approx(0, abs=1e-6)


def test_a_second_driver_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with run_lock(tmp_path / "lock"), pytest.raises(RunLockedError):
        run(tmp_path)


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_what_is_done_kept_and_the_rest_waiting(
    tmp_path: Path, asked: signal.Signals, code: int
) -> None:
    ASKED[:] = [asked]
    grid = Grid(base=BASE, axes={"seed": (0, 1, 2), "batch": (8, 4)})
    with pytest.raises(StoppedError) as raised:
        run(tmp_path, stopping, grid)
    assert raised.value.exit_code == code
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert sorted(row.status for row in store.rows()) == ["done"] * 3 + ["waiting"] * 3
    while len(begun) < 2:  # the task that was left behind in its thread
        time.sleep(0.05)


def breaking(experiments: Sequence[Experiment], device: str) -> list[Result]:
    """The first task fails, and meanwhile the driver is asked to stop."""
    if not begun:
        os.kill(os.getpid(), signal.SIGINT)
        begun.append([])
        raise RuntimeError("a stack is bad")
    time.sleep(2)
    return good(experiments, device)


def test_what_was_to_be_tried_again_when_a_signal_came_waits(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(tmp_path, breaking)
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert {row.status for row in store.rows()} == {"waiting"}


def test_only_what_has_a_worker_is_said_to_be_running(tmp_path: Path) -> None:
    heard: list[int] = []

    class Listener:
        def standing(self, standing: Standing) -> None:
            heard.append(standing.running)

    run(tmp_path, resting, Grid(base=BASE, axes={"seed": (0, 1, 2), "batch": (8, 4, 2)}), observer=Listener())
    assert max(heard) == 3


def resting(experiments: Sequence[Experiment], device: str) -> list[Result]:
    time.sleep(0.7)
    return good(experiments, device)


def test_a_scheduler_that_is_lost_with_a_result_leaves_its_trials_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise CancelledError

    monkeypatch.setattr("distributed.Future.result", lost)
    with pytest.raises(SchedulerLostError, match="the same command goes on"):
        run(tmp_path)
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert {row.status for row in store.rows()} == {"waiting"}


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebgan.sweeps.cluster.ANSWER", 0.2)
    address = "tcp://127.0.0.1:9"
    with pytest.raises(UsageError, match=f"--scheduler {address}: no Dask scheduler"), connected(1, address):
        pass


def test_slurm_without_its_library_is_told_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(UsageError, match="--slurm: needs dask-jobqueue"), connected(1, slurm=True):
        pass


NINE = Grid(base=BASE, axes={"seed": tuple(range(9))})
HALVING = Halving(eta=3, rungs=3)


def rungs_of(out: Path) -> dict[int, list[int]]:
    """The seeds that have a result, by the images of their rows."""
    found: dict[int, list[int]] = {}
    with SweepStore(out / "trials.sqlite") as store:
        for row in store.rows():
            if row.status == "done":
                found.setdefault(row.fields["images"], []).append(row.fields["seed"])
    return found


def test_halving_goes_on_with_the_best_and_each_row_says_at_which_rung_its_trial_stopped(tmp_path: Path) -> None:
    failed, _ = run(tmp_path, grid=NINE, halving=HALVING)
    assert failed == []
    assert begun == [list(range(9)), [6, 7, 8], [8]]
    assert rungs_of(tmp_path) == {71: list(range(9)), 213: [6, 7, 8], 640: [8]}


def test_a_trial_that_fails_in_a_rung_is_told_at_the_end_and_does_not_go_on(tmp_path: Path) -> None:
    failed, _ = run(tmp_path, bad_seed, grid=NINE, halving=HALVING)
    assert rungs_of(tmp_path) == {71: [0, 1, 2, 3, 4, 6, 7, 8], 213: [6, 7, 8], 640: [8]}
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert [(row.status, row.fields["seed"]) for row in store.rows() if row.id in failed] == [("failed", 5)]


def test_halving_that_was_stopped_between_rungs_goes_on_there(tmp_path: Path) -> None:
    ASKED[:] = [signal.SIGINT]
    with pytest.raises(StoppedError):
        run(tmp_path, stopping, NINE, halving=HALVING)
    assert rungs_of(tmp_path) == {71: list(range(9))}
    while len(begun) < 2:  # the task that was left behind in its thread
        time.sleep(0.05)
    begun.clear()
    run(tmp_path, grid=NINE, halving=HALVING)
    assert begun == [[6, 7, 8], [8]]
    begun.clear()
    run(tmp_path, grid=NINE, halving=HALVING)
    assert begun == []


def test_what_halving_dropped_is_trained_to_its_end_by_a_sweep_without_it(tmp_path: Path) -> None:
    run(tmp_path, grid=NINE, halving=HALVING)
    begun.clear()
    run(tmp_path, grid=NINE)
    assert begun == [list(range(8))]
    assert rungs_of(tmp_path) == {640: list(range(9))}


def test_halving_that_is_refused_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    run(tmp_path, bad_seed)
    with pytest.raises(UsageError, match="needs 9 trials, and here are 8"):
        run(tmp_path, halving=HALVING)
    with SweepStore(tmp_path / "trials.sqlite") as store:
        assert [row.error for row in store.rows() if row.status == "failed"] == ["RuntimeError: seed 5 is bad"]
        assert store.facts().keys() == {"precision", "data"}


def test_the_time_left_counts_the_rungs_to_come(tmp_path: Path) -> None:
    heard: list[Standing] = []

    class Listener:
        def standing(self, standing: Standing) -> None:
            heard.append(standing)

    run(tmp_path, grid=NINE, halving=HALVING, observer=Listener())
    first = next(standing for standing in heard if standing.done == 9)
    passed = 3600 * first.done / first.hourly
    assert first.left == pytest.approx(2 * passed, rel=0.01)
    assert heard[-1].left == pytest.approx(0, abs=1e-6)


def test_a_sweep_ends_with_its_report_also_if_trials_failed(tmp_path: Path) -> None:
    assert sweep(GRID, tmp_path / "good", runner=good) == []
    assert sweep(GRID, tmp_path / "bad", runner=bad_seed) != []
    assert sweep(GRID, tmp_path / "good", runner=good) == []
    assert written == [tmp_path / "good", tmp_path / "bad", tmp_path / "good"]


def test_the_report_of_a_sweep_in_python_is_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebgan.sweeps.run.write_sweep_report", write_sweep_report)
    sweep(GRID, tmp_path / "out", runner=good, limit=2)
    assert "<html" in (tmp_path / "out" / "report.html").read_text()
