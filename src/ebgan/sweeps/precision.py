"""Choose one precision for all trials of a sweep that do not state one, and store it, so that it never changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch

from ebgan.experiment import Experiment, Precision
from ebgan.experiment.building import count_weights
from ebgan.experiment.grid import Trial
from ebgan.experiment.precision import emulation_warning, suited
from ebgan.runs.settling import PRECISIONS
from ebgan.sweeps.training import opened

FACT = "precision"  # its name among the facts of a sweep's store

logger = logging.getLogger(__name__)


def settled(
    trials: Sequence[Trial], facts: Mapping[str, str], native: Callable[[], bool]
) -> tuple[list[Trial], dict[str, str]]:
    """The trials with a precision each and unchanged ids, and the fact to store, if any.

    If no earlier call stored a precision, it is bf16 if some trial has large nets and `native()` says that the training
    machine multiplies bf16, else fp32. Raises DataError if the data is not available.
    """
    free = [trial.experiment for trial in trials if trial.experiment.precision is None]
    known: dict[str, Precision] = {precision: precision for precision in PRECISIONS}
    precision = known.get(facts.get(FACT, ""))
    if free and precision is None:
        precision = "bf16" if native() and any(map(_is_large, _different(free))) else "fp32"
    filled = [trial._replace(experiment=_filled(trial.experiment, precision)) for trial in trials]
    return filled, {} if precision is None else {FACT: precision}


def warn_of_emulation(trials: Iterable[Trial], device: torch.device | str) -> None:
    """Warn if trials will be trained on this machine in a precision that it emulates."""
    precisions = {trial.experiment.precision for trial in trials}
    if warning := emulation_warning("bf16" if "bf16" in precisions else None, device):
        logger.warning("%s", warning)


def _filled(experiment: Experiment, precision: Precision | None) -> Experiment:
    return experiment if experiment.precision else replace(experiment, precision=precision)


def _different(experiments: Iterable[Experiment]) -> list[Experiment]:
    """One experiment for each pair of nets and data."""
    return list({(made.nets, made.data): made for made in experiments}.values())


def _is_large(experiment: Experiment) -> bool:
    data = opened(experiment.data)
    return suited(count_weights(experiment, data.shape, len(data.classes)), native=True) == "bf16"
