"""What an experiment leaves open, found before training: precision, pretraining, and fields of its objective.

The precision is the one that suits the machine (`ebgan.experiment.precision`). The margin is that of a calibration
(EBGAN, appendix E) on a twentieth of the run's images, or on more where these are few. A run that goes on keeps the
precision and the margin that its config.yaml holds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import torch

from ebgan import config
from ebgan.data import Dataset
from ebgan.distributed import largest_across_ranks, refuse_apart
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Precision, read_experiment
from ebgan.experiment.building import count_weights
from ebgan.experiment.precision import emulation_warning, multiplies_bf16, suited
from ebgan.runfolder import RunFolder
from ebgan.runs.calibration import calibrate
from ebgan.tree_walk import changed, leaves

SHARE = 20  # of the run's images, one in so many
LEAST = 12_800  # images, if the run has them: from fewer an auto-encoder learns little more than the mean image
PRETRAINING = 2  # epochs, those of MAGAN's authors
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp64")


def fill_from_data(
    experiment: Experiment,
    data: Dataset,
    folder: RunFolder,
    *,
    device: torch.device,
    notice: Callable[[str], None],
) -> Experiment:
    """The experiment with each open field filled; `notice` is called with how each value was found.

    Raises UsageError for a margin to be calibrated of an energy that is not an auto-encoder's.
    """
    experiment = _with_precision(experiment, data, folder, device, notice)
    return _fill_from_data(experiment, data, folder, device, notice)


def _with_precision(
    experiment: Experiment, data: Dataset, folder: RunFolder, device: torch.device, notice: Callable[[str], None]
) -> Experiment:
    """The experiment with a precision chosen, and a warning if the machine emulates it."""
    kept = _kept_precision(folder, device) if experiment.precision is None else None
    precision = experiment.precision or kept
    if precision is None:
        emulated = largest_across_ranks(torch.tensor(float(not multiplies_bf16(device)), device=device)).item()
        precision = suited(count_weights(experiment, data.shape, len(data.classes)), native=not emulated)
    if warning := emulation_warning(precision, device):
        keeps = f". The run in {folder.path} keeps the precision that it began with" if kept else ""
        notice(f"{warning}{keeps}. A new run takes fp32 here unless --precision says otherwise")
    return replace(experiment, precision=precision)


def _kept_precision(folder: RunFolder, device: torch.device) -> Precision | None:
    """The precision of the run that is in the folder, if there is one that can be read."""
    kept = None
    if folder.config.exists():
        with suppress(UsageError):  # which the trainer tells of
            kept = read_experiment(folder.config).precision
    place = -1.0 if kept is None else float(PRECISIONS.index(kept))
    refuse_apart(place, device, f"{folder.config}: the precision that it holds")
    return kept


def _fill_from_data(
    experiment: Experiment, data: Dataset, folder: RunFolder, device: torch.device, notice: Callable[[str], None]
) -> Experiment:
    """The experiment with each field filled that depends on the data."""
    if experiment.pretraining is None:
        experiment = replace(experiment, pretraining=PRETRAINING * len(data))
    values: dict[str, float] = {}
    for path, rule in experiment.objective.asks.from_data.items():
        field, margin = f"objective.{path}", None
        if rule == "margin":
            margin = _kept(field, folder)
            refuse_apart(-1.0 if margin is None else margin, device, f"{folder.config}: the margin that it holds")
            margin = _calibrated(experiment, data, device, notice, field) if margin is None else margin
        values[field] = len(data) if margin is None else margin
    return changed(experiment, values)


def keeps_margin(experiment: Experiment, folder: RunFolder) -> bool:
    """Whether no margin need be searched: each is given, not needed, or kept by the run in the folder."""
    asked = experiment.objective.asks.from_data.items()
    return all(_kept(f"objective.{path}", folder) is not None for path, rule in asked if rule == "margin")


def _kept(field: str, folder: RunFolder) -> float | None:
    """The number that a field has in the run that is in the folder, if there is one."""
    if not folder.config.exists():
        return None
    value = dict(leaves(config.plain(read_experiment(folder.config)))).get(field)
    return value if isinstance(value, float) else None


def _calibrated(
    experiment: Experiment, data: Dataset, device: torch.device, notice: Callable[[str], None], field: str
) -> float:
    images = min(max(experiment.images // SHARE, LEAST), experiment.images)
    notice(f"{field} is not given: training the auto-encoder alone on {images:,} images to find one")
    found = calibrate(replace(experiment, images=images), data, device=device)
    guess = "" if found.learned else ": it has learned no more than that, so this margin is a guess"
    notice(
        f"{field}={found.margin:g}: halfway between {found.reached:.4g}, the energy that the auto-encoder "
        f"reached, and {found.mean_image:.4g}, that of the mean image{guess}. --{field} gives another"
    )
    return found.margin
