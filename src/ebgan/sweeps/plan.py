"""Plan a sweep: which trials are trained together as stacks, in which order, and how long it may take.

A step of a stack of k models with w weights each takes a time of about `overhead + k w`, in units of the time for one
weight. On a GPU stacks are faster at any size that memory allows. On a CPU they save the overhead of small nets; wide
nets are as fast one by one, and are trained in single-threaded processes.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import islice
from typing import NamedTuple

import torch

from ebgan.data.loader import is_small
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.experiment.building import build
from ebgan.experiment.grid import Trial
from ebgan.experiment.stacking import stacked
from ebgan.sweeps.stack import groups, shape
from ebgan.sweeps.training import course_of, opened
from ebgan.training.course import unwatched
from ebgan.training.optim import SGD

# Measured on one CPU thread with the grid's nets (docs/recipes/grid.md): a stack of k models is faster than k models
# one by one up to about this many weights a model.
PAYS_EACH = 12_500  # times the number of models
PAYS_MOST = 200_000  # of a stack of any size
OVERHEAD = 200_000  # the fixed cost of a step, in units of the time for one weight
CPU_MEMORY = 1 << 30  # most bytes of a stack
GPU_MEMORY = 8 << 30  # the same on a cluster's GPU, whose memory is unknown
COPIES = 8  # copies of each weight in memory: gradients, moments and temporaries
ACTIVATIONS = 16  # numbers in memory for each unit and image
STEPS = 3  # steps measured for an estimate of time
ENOUGH = 5_000_000  # largest stack measured, in weights: time is linear beyond, and initialising more takes seconds


class ModelSize(NamedTuple):
    """Weights and memory of a model."""

    weights: int  # of both nets
    memory: int  # bytes while it trains


class _Count(NamedTuple):
    """The weights and units of a net."""

    weights: int
    units: int  # weights in vectors, of which there is one or two a unit

    @classmethod
    def of(cls, tensors: Sequence[torch.Tensor]) -> _Count:
        return cls(
            sum(tensor.numel() for tensor in tensors), sum(tensor.numel() for tensor in tensors if tensor.dim() == 1)
        )


class Task(NamedTuple):
    """Trials that are trained together as a stack."""

    trials: tuple[Trial, ...]
    work: float  # steps times weights, with the overhead

    def halves(self) -> tuple[Task, Task]:
        """The task split into two."""
        middle = len(self.trials) // 2
        return Task(self.trials[:middle], self.work / 2), Task(self.trials[middle:], self.work / 2)


def chosen(trials: Sequence[Trial], limit: int | None, seed: int) -> list[Trial]:
    """A random subset of trials, in their order; all of them without a limit.

    With the same seed, a larger limit includes the trials of a smaller one.
    """
    if limit is None or limit >= len(trials):
        return list(trials)
    draw, indices = random.Random(seed), set[int]()
    while len(indices) < limit:
        indices.add(draw.randrange(len(trials)))
    return [trials[index] for index in sorted(indices)]


def planned(trials: Sequence[Trial], device: torch.device, seed: int = 0, sharing: int = 1) -> list[Task]:
    """The tasks of a sweep in random order, so that the finished part is always a fair sample of the whole.

    `sharing` is the number of workers that train on one device at once. Raises DataError or UsageError if an experiment
    cannot be built.
    """
    tasks, built = [], _Built()
    for members in groups(trials):
        size = built.size(members[0].experiment)
        together = most(len(members), size, device, sharing)
        if together > 1 and not built.stacks(members, device):
            together = 1
        for part in _cut(members, together):
            steps = members[0].experiment.images / members[0].experiment.batch
            tasks.append(Task(tuple(part), steps * (OVERHEAD + len(part) * size.weights)))
    random.Random(seed).shuffle(tasks)
    return tasks


def most(models: int, size: ModelSize, device: torch.device, sharing: int = 1) -> int:
    """The most models in one stack, if `sharing` workers share the memory of a device."""
    if device.type == "cpu" and size.weights > min(PAYS_EACH * models, PAYS_MOST):
        return 1
    if device.type == "cpu":
        memory = CPU_MEMORY
    elif torch.cuda.is_available():
        memory = torch.cuda.mem_get_info(device)[0] // 2 // sharing
    else:
        memory = GPU_MEMORY
    return max(min(models, memory // size.memory), 1)


def seconds(tasks: Sequence[Task], device: torch.device) -> float:
    """Estimate the seconds that tasks take one after the other, from a few steps of the lightest and of a heavy one.

    On a CPU, processor time is measured, which does not depend on other programs.
    """
    if not tasks:
        return 0.0
    by_step = sorted(tasks, key=_step_work)
    light, heavy = by_step[0], _heavy(by_step)
    low = _seconds_of_a_step(light, device)
    high = _seconds_of_a_step(heavy, device) if heavy is not light else low
    span = _step_work(heavy) - _step_work(light)
    slope = (high - low) / span if span > 0 else 0.0
    return sum(_steps(task) * (low + slope * (_step_work(task) - _step_work(light))) for task in tasks)


class _Built:
    """A cache of the sizes of nets, so that each net is built only once.

    A grid combines few nets in many ways, and the size of a net, or the reason for refusing it, does not depend on the
    other net: an experiment is built only if one of its nets is new.
    """

    def __init__(self) -> None:
        self.counts: dict[Hashable, _Count] = {}
        self.stacked: set[Hashable] = set()  # nets that support the model axis

    def size(self, experiment: Experiment) -> ModelSize:
        """The size of a model. Raises DataError or UsageError if it cannot be built."""
        players = _players(experiment)
        if not self.counts.keys() >= set(players):
            self.counts.update(zip(players, _counted(experiment), strict=True))
        weights = sum(self.counts[player].weights for player in players)
        units = sum(self.counts[player].units for player in players)
        return ModelSize(weights, 4 * (COPIES * weights + ACTIVATIONS * experiment.batch * units))

    def stacks(self, members: Sequence[Trial], device: torch.device) -> bool:
        """Whether nets and data of these trials support the model axis."""
        data = opened(members[0].experiment.data)
        try:
            pair = stacked([trial.experiment for trial in members[:2]])
            players = _players(pair)
            if not self.stacked >= set(players):
                build(pair, data.shape, "meta", len(data.classes))
        except UsageError:
            return False
        self.stacked.update(players)
        return is_small(data, device)


def _players(experiment: Experiment) -> tuple[Hashable, Hashable]:
    """For generator and discriminator, the settings that affect how each is built."""
    parts = {each.name: shape(getattr(experiment, each.name)) for each in fields(experiment) if each.name != "nets"}
    rest, nets = tuple(parts.items()), experiment.nets
    return (rest, "generator", shape(nets.generator)), (rest, "discriminator", shape(nets.discriminator))


def _counted(experiment: Experiment) -> tuple[_Count, _Count]:
    """Count generator and discriminator on the meta device, without allocating memory.

    Optimisers without state are used, which halves the time to build.
    """
    data, plain = opened(experiment.data), SGD(lr=1.0)
    light = replace(experiment, optimisers=replace(experiment.optimisers, discriminator=plain, generator=plain))
    game, _ = build(light, data.shape, "meta", len(data.classes))
    return _Count.of(game.generator.optimiser.weights), _Count.of(game.discriminator.optimiser.weights)


def _cut(members: list[Trial], most: int) -> list[list[Trial]]:
    """Split into parts of about equal length, none longer than `most`."""
    parts = math.ceil(len(members) / most)
    ends = [len(members) * index // parts for index in range(parts + 1)]
    return [members[start:end] for start, end in itertools.pairwise(ends)]


def _heavy(by_step: Sequence[Task]) -> Task:
    """The heaviest task below `ENOUGH` weights, or of all tasks if that one is hardly heavier than the lightest."""
    heaviest = max((task for task in by_step if _step_work(task) <= ENOUGH), key=_step_work, default=by_step[0])
    return heaviest if _step_work(heaviest) >= 2 * _step_work(by_step[0]) else by_step[-1]


def _steps(task: Task) -> float:
    experiment = task.trials[0].experiment
    return experiment.images / experiment.batch


def _step_work(task: Task) -> float:
    return task.work / _steps(task)


def _seconds_of_a_step(task: Task, device: torch.device) -> float:
    experiments = [trial.experiment for trial in task.trials]
    course = course_of(experiments, opened(experiments[0].data), device)
    course.pretraining = 0  # steps in which the generator has a turn are measured
    steps = course.steps(sys.maxsize, watched=unwatched)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    with _one_thread():
        next(steps)
        begun = clock()
        *_, last = islice(steps, STEPS)
        bool(last.outcome.finite.all())  # waits for the device
        return (clock() - begun) / STEPS


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread, as a worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
