"""The state of a sweep: what is kept, what is never kept twice, and what a reader sees meanwhile."""

from pathlib import Path

import pytest

from ebgan import config
from ebgan.errors import StorageError, UsageError
from ebgan.experiment import Experiment, read_experiment
from ebgan.sweeps import Grid
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.training import Result
from ebgan.tree_walk import leaves

TRIALS = list(Grid(base=Experiment(), axes={"seed": (0, 1, 2, 3)}).trials())
IDS = [trial.id for trial in TRIALS]


def statuses(store: SweepStore) -> list[str]:
    return [row.status for row in store.rows()]


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    opened = SweepStore(tmp_path / "trials.sqlite")
    opened.expect(TRIALS)
    return opened


def test_a_row_goes_from_waiting_to_its_result(store: SweepStore) -> None:
    assert statuses(store) == ["waiting"] * 4
    store.start(IDS[:2])
    assert statuses(store) == ["running", "running", "waiting", "waiting"]
    store.finish({IDS[0]: Result("done", 1.5, {"i_usual": 1.5}, 2.0, 300.0, b"png"), IDS[1]: Result("diverged")})
    assert statuses(store) == ["done", "diverged", "waiting", "waiting"]
    row = store.rows()[0]
    assert (row.score, row.metrics, row.seconds, row.images_per_second) == (1.5, {"i_usual": 1.5}, 2.0, 300.0)
    assert row.fields["seed"] == 0
    assert store.picture(IDS[0]) == b"png"
    assert store.picture(IDS[1]) is None
    assert store.finished() == set(IDS[:2])


def test_a_result_is_kept_once(store: SweepStore) -> None:
    store.finish({IDS[0]: Result("done", 1.0)})
    store.finish({IDS[0]: Result("done", 2.0)})
    store.finish({IDS[0]: Result("failed", error="late")})
    assert store.rows()[0].score == 1.0


def test_a_trial_that_failed_gets_its_result_when_it_is_tried_again(store: SweepStore) -> None:
    store.finish({IDS[0]: Result("failed", error="no memory")})
    assert store.rows()[0].error == "no memory"
    store.expect(TRIALS)
    assert statuses(store) == ["waiting"] * 4
    store.finish({IDS[0]: Result("done", 1.0)})
    assert (statuses(store)[0], store.rows()[0].error) == ("done", "")


def test_an_edited_grid_keeps_every_result_and_forgets_what_only_waited(store: SweepStore) -> None:
    store.finish({IDS[0]: Result("done", 1.0)})
    store.start([IDS[1]])
    store.expect([TRIALS[2], *Grid(base=Experiment(), axes={"seed": (9,)}).trials()])
    assert [row.fields["seed"] for row in store.rows()] == [2, 9]
    assert store.summary() == ({"waiting": 2}, None)
    store.expect(TRIALS)
    assert [row.fields["seed"] for row in store.rows()] == [0, 1, 2, 3]
    assert statuses(store) == ["done", "waiting", "waiting", "waiting"]


def test_rows_stand_in_the_order_that_was_asked_for(store: SweepStore) -> None:
    store.finish({IDS[2]: Result("done", 1.0)})
    store.expect(TRIALS[1:])
    store.add([TRIALS[0], TRIALS[2]])
    assert [row.fields["seed"] for row in store.rows()] == [1, 2, 3, 0]
    assert [row.id for row in store.rows([IDS[3], "of another grid", IDS[0]])] == [IDS[3], IDS[0]]


def test_what_no_longer_runs_waits(store: SweepStore) -> None:
    store.start(IDS)
    store.finish({IDS[0]: Result("done")})
    store.wait(IDS)
    assert statuses(store) == ["done", "waiting", "waiting", "waiting"]


def test_another_reads_while_it_is_written(store: SweepStore) -> None:
    with SweepStore(store.path) as reader:
        store.finish({IDS[0]: Result("done")})
        assert statuses(reader)[0] == "done"


def test_a_trial_is_trained_alone_from_its_config(store: SweepStore, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(store.config(IDS[3]))
    assert read_experiment(file) == TRIALS[3].experiment


def test_a_file_that_is_no_state_of_a_sweep_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "trials.sqlite"
    file.write_bytes(b"something else" * 100)
    with pytest.raises(StorageError, match="cannot be used as a sweep's state"):
        SweepStore(file)
    assert file.read_bytes() == b"something else" * 100


def test_a_trial_that_is_not_there_is_named(store: SweepStore) -> None:
    with pytest.raises(UsageError, match="has no trial nothing"):
        store.config("nothing")


def test_facts_are_those_that_were_stated_last(store: SweepStore) -> None:
    store.state(grid="a", halving="1 of 3")
    store.state(grid="b", scale="cpu")
    assert store.facts() == {"grid": "b", "scale": "cpu"}


def test_the_fields_of_a_config_stand_by_their_paths() -> None:
    fields = dict(leaves(config.plain(Experiment())))
    assert fields["objective.type"] == "EBGAN"
    assert fields["objective.margin"] == 10.0
    assert fields["data.limits"] == [-1.0, 1.0]
    assert fields["optimisers.generator.lr"] == 1e-3
