"""The plan: what shares a stack on this machine, in which order, and an honest random subset."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch

from ebgan.energies import LogisticEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Experiment, Labelled, Nets
from ebgan.experiment.building import build
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import GAN
from ebgan.recipes import find, find_grid
from ebgan.sweeps import Grid, Trial
from ebgan.sweeps import plan as planning
from ebgan.sweeps.plan import ModelSize, chosen, most, planned, seconds
from ebgan.sweeps.training import course_of
from ebgan.training import course as courses
from ebgan.training.optim import SGD
from ebgan.training.step import Outcome

CPU = torch.device("cpu")
BASE = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8)), images=640
)
GRID = Grid(base=BASE, axes={"nets.generator.width": (8, 400), "objective.margin": tuple(map(float, range(1, 31)))})


def lengths(trials: Sequence[Trial]) -> list[int]:
    return [len(task.trials) for task in planned(trials, CPU)]


def test_narrow_nets_are_stacked_on_a_cpu_and_wide_ones_go_one_by_one() -> None:
    wide = replace(BASE, nets=replace(BASE.nets, generator=MLPGenerator(depth=4, width=400, noise=4)))
    grid = GRID + Grid(base=wide, axes={"seed": (0, 1, 2)})
    assert sorted(lengths(list(grid.trials()))) == [1, 1, 1, 30, 30]


@pytest.mark.parametrize("field", ["momentum", "weight_decay", "lr"])
def test_models_that_differ_in_a_number_of_sgd_share_a_stack(field: str) -> None:
    base = replace(BASE, optimisers=replace(BASE.optimisers, generator=SGD(lr=0.1, momentum=0.5)))
    axes = {f"optimisers.generator.{field}": (0.25, 0.5, 0.75)}
    assert lengths(list(Grid(base=base, axes=axes).trials())) == [3]


def test_the_rule_counts_the_weights_of_both_nets() -> None:
    assert most(30, ModelSize(100_000, 1), CPU) == 30
    assert most(30, ModelSize(250_000, 1), CPU) == 1
    assert most(2, ModelSize(100_000, 1), CPU) == 1
    assert most(2, ModelSize(20_000, 1), CPU) == 2


def test_a_stack_is_cut_into_even_parts_by_the_memory_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = list(GRID.trials())
    memory = planning._Built().size(first.experiment).memory
    monkeypatch.setattr(planning, "CPU_MEMORY", 13 * memory)
    trials = [trial for trial in GRID.trials() if trial.experiment.nets.generator.width == 8]
    assert lengths(trials) == [10, 10, 10]


def test_every_trial_is_in_one_task_and_their_order_is_random_and_the_same_for_the_same_seed() -> None:
    trials = list((GRID + Grid(base=BASE, axes={"batch": tuple(range(1, 20))})).trials())
    one, same, other = (planned(trials, CPU, seed) for seed in (0, 0, 1))
    assert sorted(trial.id for task in one for trial in task.trials) == sorted(trial.id for trial in trials)
    assert one == same
    assert one != other
    assert {task.trials for task in one} == {task.trials for task in other}


def test_a_task_that_failed_is_cut_in_halves_with_all_of_its_trials() -> None:
    (task, *_) = planned(list(GRID.trials()), CPU)
    one, other = task.halves()
    assert one.trials + other.trials == task.trials
    assert one.work + other.work == task.work


def test_a_subset_is_random_and_the_same_for_the_same_seed() -> None:
    trials = list(GRID.trials())
    assert chosen(trials, None, 0) == chosen(trials, 999, 0) == trials
    one, same, other = chosen(trials, 12, 0), chosen(trials, 12, 0), chosen(trials, 12, 1)
    assert one == same != other
    assert len(one) == 12
    assert {trial.experiment.nets.generator.width for trial in one} == {8, 400}


def test_a_wider_subset_of_the_same_seed_holds_the_narrower_ones() -> None:
    trials = list(find_grid("mnist_grid.ebgan").make("tiny").trials())
    drawn = [{trial.id for trial in chosen(trials, limit, 1)} for limit in (1, 5, 6, 20, 21, 24, 31)]
    assert [len(each) for each in drawn] == [1, 5, 6, 20, 21, 24, 31]
    assert all(one < other for one, other in pairwise(drawn))


def test_an_estimate_grows_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_seconds_of_a_step", lambda task, device: 1e-9 * planning._step_work(task))
    tasks = planned(list(GRID.trials()), CPU)
    assert seconds(tasks, CPU) == pytest.approx(1e-9 * sum(task.work for task in tasks))
    assert seconds([], CPU) == 0


def test_an_estimate_is_made_from_real_steps() -> None:
    tasks = planned(list(GRID.trials())[:3], CPU)
    assert 0 < seconds(tasks, CPU) < 60


def test_on_a_cpu_it_counts_the_processors_time_of_one_thread_and_elsewhere_the_time_that_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def step(game: object, progress: object, *_: object, **__: object) -> tuple[object, Outcome]:
        threads.append(torch.get_num_threads())
        clocks["process_time"] += 2.0
        clocks["perf_counter"] += 5.0
        return progress, Outcome(torch.ones(1, dtype=torch.bool), {})

    clocks = {"process_time": 0.0, "perf_counter": 0.0}
    for name in clocks:
        monkeypatch.setattr(planning.time, name, partial(clocks.__getitem__, name))
    monkeypatch.setattr(courses, "train_step", step)
    monkeypatch.setattr(planning, "course_of", lambda experiments, data, device: course_of(experiments, data, CPU))
    before = torch.get_num_threads()
    (task, *_) = planned(list(GRID.trials())[:1], CPU)
    try:
        torch.set_num_threads(2)
        assert planning._seconds_of_a_step(task, CPU) == 2.0
        assert planning._seconds_of_a_step(task, torch.device("cuda")) == 5.0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(threads) == {1}


def test_workers_that_share_a_device_share_the_memory_that_is_free_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2400, 9999))
    cuda = torch.device("cuda")
    assert [most(1000, ModelSize(1, 10), cuda, sharing) for sharing in (1, 2, 4)] == [120, 60, 30]
    assert most(1000, ModelSize(1, 10), CPU, 4) == most(1000, ModelSize(1, 10), CPU) == 1000
    assert most(1000, ModelSize(1, 10_000), cuda, 4) == 1


def test_on_a_cluster_whose_gpus_are_not_here_a_stack_has_a_few_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert most(1000, ModelSize(1, 1 << 30), torch.device("cuda")) == 8


def test_what_has_no_place_for_the_model_axis_goes_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    nets = Nets(generator=ConvGenerator(width=4), discriminator=ConvAutoencoder(encoder="(8)4c2s"))
    pictures = Experiment(data=Data(source="digits", padding=4), nets=nets, images=64)
    assert lengths(list(Grid(base=pictures, axes={"seed": (0, 1, 2)}).trials())) == [1, 1, 1]
    narrow = list(Grid(base=BASE, axes={"seed": (0, 1, 2)}).trials())
    assert lengths(narrow) == [3]
    monkeypatch.setattr("ebgan.data.loader.RESIDENT_BYTES", 1000)  # the set is larger, and is not kept on the device
    assert lengths(narrow) == [1, 1, 1]


def test_seeds_and_numbers_of_labelled_images_share_a_stack() -> None:
    made = find("semisupervised_mnist.ladder").make()
    nets = replace(made.nets, generator=MLPGenerator(width=8, noise=4), discriminator=Ladder(widths=(20,)))
    made = replace(made, data=replace(made.data, source="digits"), nets=nets, images=300)
    grid = Grid(base=made, axes={"labelled.count": (50, 100), "seed": (0, 1, 2)})
    assert lengths(list(grid.trials())) == [6]
    assert lengths(list((grid + Grid(base=replace(made, labelled=Labelled(batch=50)), axes={})).trials())) == [6, 1]
    assert 0 < seconds(planned(list(grid.trials()), CPU), CPU) < 60


def test_a_model_weighs_the_same_whether_its_nets_were_built_before_or_not() -> None:
    widths = {"nets.generator.width": (8, 16, 24), "nets.discriminator.width": (4, 12), "batch": (8, 64)}
    trials = list(Grid(base=BASE, axes=widths).trials())
    built = planning._Built()
    assert [built.size(trial.experiment) for trial in trials] == [
        planning._Built().size(trial.experiment) for trial in trials
    ]


def test_a_grid_builds_each_net_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(experiment: Experiment, *rest: object) -> object:
        made.append(experiment)
        return build(experiment, *rest)

    monkeypatch.setattr(planning, "build", counted)
    widths = {"nets.generator.width": (400, 500, 600), "nets.discriminator.width": (400, 500, 600)}
    planned(list(Grid(base=BASE, axes=widths).trials()), CPU)
    assert len(made) == 5  # the first pair, then each of the others beside one that is known
    made.clear()
    narrow = {"nets.generator.width": (8, 9, 10), "nets.discriminator.width": (8, 9, 10), "seed": (0, 1)}
    planned(list(Grid(base=BASE, axes=narrow).trials()), CPU)
    assert len(made) == 10  # and as many stacks


def test_a_net_that_was_built_is_still_refused_beside_what_does_not_suit_it() -> None:
    built = planning._Built()
    built.size(BASE)
    with pytest.raises(UsageError, match="energy"):
        built.size(replace(BASE, energy=LogisticEnergy(), objective=GAN()))


def test_the_heavy_task_of_an_estimate_is_soon_tried_and_far_from_the_lightest() -> None:
    (trial, *_) = list(GRID.trials())
    steps = trial.experiment.images / trial.experiment.batch

    def heavy(*works: float) -> float:
        tasks = [planning.Task((trial,), steps * work) for work in works]
        return planning._step_work(planning._heavy(tasks))

    assert heavy(1e5, 4e6, 4e7) == 4e6
    assert heavy(1e5, 2e6, 3e6) == 3e6
    assert heavy(4e6, 4.5e6, 4e7) == 4e7
    assert heavy(2e7, 4e7) == 4e7
    assert heavy(2e7) == 2e7
