"""What an experiment leaves to the data, found before training: EBGAN's margin, MAGAN's epoch and its pretraining.

The margin is that of a calibration (EBGAN, appendix E) on a twentieth of the run's images, or on more where these are
few. A run that goes on keeps the one that its config.yaml holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ebgan.calibration import calibrate
from ebgan.data import Dataset
from ebgan.distributed import refuse_apart
from ebgan.experiment import Experiment, read_experiment
from ebgan.objectives import EBGAN, MAGAN
from ebgan.objectives.wrapper import Wrapper, innermost
from ebgan.runfolder import RunFolder

SHARE = 20  # of the run's images, one in so many
LEAST = 12_800  # images, if the run has them: from fewer an auto-encoder learns little more than the mean image
PRETRAINING = 2  # epochs, those of MAGAN's authors


def settle(
    experiment: Experiment,
    data: Dataset,
    folder: RunFolder,
    *,
    device: torch.device,
    notice: Callable[[str], None],
) -> Experiment:
    """The experiment with a number in each field that waits for the data; `notice` hears how it was found.

    Raises UsageError for a margin to be calibrated of an energy that is not an auto-encoder's.
    """
    if experiment.pretraining is None:
        experiment = replace(experiment, pretraining=PRETRAINING * len(data))
    objective = experiment.objective
    if isinstance(objective, Wrapper) and objective.asks.unsettled:
        inner = settle(replace(experiment, objective=objective.inner), data, folder, device=device, notice=notice)
        return replace(inner, objective=replace(objective, inner=inner.objective))  # type: ignore[type-var]
    if isinstance(objective, MAGAN) and objective.epoch is None:
        return replace(experiment, objective=replace(objective, epoch=len(data)))
    if isinstance(objective, EBGAN) and objective.margin is None:
        margin = _kept(folder)
        refuse_apart(-1.0 if margin is None else margin, device, f"{folder.config}: the margin that it holds")
        if margin is None:
            margin = _calibrated(experiment, data, device, notice)
        return replace(experiment, objective=replace(objective, margin=margin))
    return experiment


def _kept(folder: RunFolder) -> float | None:
    """The margin of the run that is in the folder, if there is one."""
    if not folder.config.exists():
        return None
    objective = innermost(read_experiment(folder.config).objective)
    return objective.margin if isinstance(objective, EBGAN) else None


def _calibrated(experiment: Experiment, data: Dataset, device: torch.device, notice: Callable[[str], None]) -> float:
    images = min(max(experiment.images // SHARE, LEAST), experiment.images)
    notice(f"objective.margin is not given: training the auto-encoder alone on {images:,} images to find one")
    found = calibrate(replace(experiment, images=images), data, device=device)
    guess = "" if found.learned else ": it has learned no more than that, so this margin is a guess"
    notice(
        f"objective.margin={found.margin:g}: halfway between {found.reached:.4g}, the energy that the auto-encoder "
        f"reached, and {found.mean_image:.4g}, that of the mean image{guess}. --objective.margin gives another"
    )
    return found.margin
