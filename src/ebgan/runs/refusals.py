"""Check an experiment with its data before a margin is calibrated and before anything is written."""

from __future__ import annotations

from ebgan.data import Dataset, Packed
from ebgan.data.labelled_loader import refuse_undivided
from ebgan.data.loader import refuse_unfit
from ebgan.distributed import rank
from ebgan.experiment import Experiment
from ebgan.experiment.building import refuse_at_once
from ebgan.experiment.by_class import refuse_unnamed
from ebgan.experiment.labelled import split
from ebgan.randomness import Randomness


def refuse_before_training(experiment: Experiment, data: Dataset) -> None:
    """Raise UsageError or DataError for experiments that loaders, nets or the draw of labelled images would refuse.

    Labelled images are drawn here only if a margin must be calibrated first; otherwise they are drawn next anyway.
    """
    ranks = rank().count
    refuse_at_once(experiment, data.shape, len(data.classes))
    refuse_unfit(data, batch=experiment.batch, limits=experiment.data.limits, ranks=ranks)
    refuse_unnamed(experiment, data)
    if experiment.objective.asks.classifies and isinstance(data, Packed):
        refuse_undivided(experiment.labelled.batch, ranks)
        if experiment.from_data:
            split(experiment, data, Randomness.of(experiment.seed))
