"""Make the training loop of an experiment on its data."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan.data import Dataset, LabelledLoader, Loader
from ebgan.distributed import rank
from ebgan.experiment import Experiment
from ebgan.experiment.building import build
from ebgan.training.course import Course
from ebgan.training.ema import Average


def start(
    experiment: Experiment,
    data: Dataset,
    device: torch.device | str = "cpu",
    *,
    labelled: Tensor | list[Tensor] | None = None,
    workers: int = 0,
) -> Course:
    """The training loop of an experiment (or stack) before its first step, with this rank's share of the data.

    `labelled` are the indices [count] of the labelled images, or a list with a tensor for each model of a stack;
    `workers` is the number of processes that load images. Raises what `build` and `Loader` raise.
    """
    game, progress = build(experiment, data.shape, device, len(data.classes))
    here, limits = rank(), experiment.data.limits
    loader = Loader(
        data,
        batch=experiment.batch,
        randomness=game.randomness,
        limits=limits,
        rank=here.index,
        ranks=here.count,
        workers=workers,
    )
    batches = loader.batches
    if labelled is not None:
        size, share = experiment.labelled.batch, {"rank": here.index, "ranks": here.count}
        batches = LabelledLoader(loader, labelled, batch=size, randomness=game.randomness, **share).batches
    return Course(
        game=game,
        progress=progress,
        average=Average(game.generator.weights(), experiment.ema) if experiment.ema else None,
        batches=batches,
        source=lambda seen, turn: loader.at(seen, f"source{turn}"),
        batch=experiment.batch,
        epoch=len(data),
        pretraining=experiment.pretraining or 0,
    )
