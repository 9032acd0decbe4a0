"""Records hold means of what the steps since the last one said, and what is not finite is told one step late."""

import time

import pytest
import torch

from ebgan.errors import DivergedError
from ebgan.storage.runfolder import Record
from ebgan.training.recorder import Recorder
from ebgan.training.step import Outcome


def outcome(finite: bool = True, **values: float) -> Outcome:
    return Outcome(torch.tensor(finite), {name: torch.tensor(value) for name, value in values.items()})


def ended(recorder: Recorder, images: int) -> Record:
    recorder.close(images)
    record = recorder.take()
    assert record is not None
    assert recorder.take() is None
    return record


def test_a_record_holds_the_mean_of_each_value_over_the_steps_that_had_it() -> None:
    recorder = Recorder()
    recorder.add(10, outcome(energy=1.0, fake=4.0))
    recorder.add(20, outcome(energy=2.0))
    recorder.add(30, outcome(energy=6.0, fake=5.0))
    record = ended(recorder, 30)
    assert (record["images"], record["energy"], record["fake"]) == (30, 3.0, 4.5)


def test_a_record_that_waits_is_not_touched_by_the_steps_after_it() -> None:
    recorder = Recorder()
    recorder.add(10, outcome(energy=1.0))
    recorder.close(10)
    recorder.add(20, outcome(energy=5.0))
    record = recorder.take()
    assert record is not None
    assert (record["images"], record["energy"]) == (10, 1.0)


def test_each_record_begins_anew() -> None:
    recorder = Recorder()
    recorder.add(10, outcome(energy=1.0))
    ended(recorder, 10)
    recorder.add(20, outcome(fake=2.0))
    record = ended(recorder, 20)
    assert record["fake"] == 2.0
    assert "energy" not in record


def test_a_stack_has_a_list_of_a_number_a_model() -> None:
    recorder = Recorder()
    for values in ([1.0, 2.0], [3.0, 4.0]):
        recorder.add(10, Outcome(torch.tensor([True, True]), {"energy": torch.tensor(values)}))
    assert ended(recorder, 10)["energy"] == [2.0, 3.0]


@pytest.mark.parametrize("next_call", [lambda recorder: recorder.add(20, outcome()), lambda recorder: recorder.check()])
def test_what_was_not_finite_is_told_at_the_next_occasion_with_its_numbers(next_call) -> None:
    recorder = Recorder()
    recorder.add(10, outcome(finite=False, energy_real=2.5, loss=float("nan")))
    with pytest.raises(DivergedError) as error:
        next_call(recorder)
    assert "in the step before 10 images seen: loss not finite (energy_real 2.5, loss nan)" in str(error.value)


def test_a_gradient_is_blamed_where_all_values_are_finite() -> None:
    recorder = Recorder()
    recorder.add(10, outcome(finite=False, loss=1.0))
    with pytest.raises(DivergedError, match="a gradient was not finite"):
        recorder.check()


def test_one_model_of_a_stack_is_enough_and_a_step_is_told_once() -> None:
    recorder = Recorder()
    recorder.add(10, Outcome(torch.tensor([True, False]), {"loss": torch.tensor([1.0, float("inf")])}))
    with pytest.raises(DivergedError, match="loss not finite"):
        recorder.check()
    recorder.check()


def test_speed_counts_training_alone() -> None:
    recorder = Recorder(images=100, seconds=7.0)
    with recorder.paused():
        time.sleep(0.2)
    time.sleep(0.05)
    record = ended(recorder, 200)
    assert 7.05 <= record["seconds"] < 7.2
    assert 100 / 0.2 < record["images_per_second"] <= 100 / 0.05
