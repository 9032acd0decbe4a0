"""Fill the fields of an experiment that are None before training: precision, pretraining, and fields of the objective.

The precision is chosen by machine and nets (`ebgan.experiment.precision`). The margin is calibrated (EBGAN, appendix E)
on a twentieth of the run's images, or more if these are few. A resumed run keeps the precision and the margin of its
config.yaml.
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
from ebgan.runs.calibration import calibrate
from ebgan.storage.runfolder import RunFolder
from ebgan.tree_walk import changed, leaves

SHARE = 20  # one in SHARE of the run's images is used
LEAST = 12_800  # images, if the run has so many: with fewer an auto-encoder learns little beyond the mean image
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
    """Fill the fields of an experiment that are None; `notice` is told how each value was found.

    Raises UsageError if a margin must be calibrated and the energy is not an auto-encoder's.
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
    """The precision of the run in the folder, if there is one that can be read."""
    kept = None
    if folder.config.exists():
        with suppress(UsageError):  # the trainer reports it
            kept = read_experiment(folder.config).precision
    place = -1.0 if kept is None else float(PRECISIONS.index(kept))
    refuse_apart(place, device, f"{folder.config}: the precision that it holds")
    return kept


def _fill_from_data(
    experiment: Experiment, data: Dataset, folder: RunFolder, device: torch.device, notice: Callable[[str], None]
) -> Experiment:
    """Fill the fields that depend on the data."""
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
    """Whether no margin must be calibrated: it is given, not used, or kept from the run in the folder."""
    asked = experiment.objective.asks.from_data.items()
    return all(_kept(f"objective.{path}", folder) is not None for path, rule in asked if rule == "margin")


def _kept(field: str, folder: RunFolder) -> float | None:
    """The value of a field in the config of the run in the folder, if there is one."""
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
