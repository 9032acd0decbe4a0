"""Load a run from a folder, or make one from an experiment or from training in progress."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from ebgan.distributed import usable_device
from ebgan.errors import CheckpointError, UsageError
from ebgan.experiment import Experiment, Precision, read_experiment
from ebgan.experiment.building import build_nets, refuse_vast_nets
from ebgan.experiment.precision import emulation_warning
from ebgan.runs.run import DataFacts, Run
from ebgan.runs.sharing.contents import check_weights, is_export, read_contents, read_weights
from ebgan.storage.runfolder import RunFolder
from ebgan.training.checkpoint import Checkpoint, best_path, newest, read
from ebgan.training.course import Course
from ebgan.training.facts import Facts
from ebgan.user_code import load_files

logger = logging.getLogger(__name__)


def load(
    path: str | Path,
    *,
    best: bool = False,
    device: torch.device | str | None = None,
    precision: Precision = "fp32",
    code: str | Path | Sequence[str | Path] = (),
) -> Run:
    """Load the run in a folder, with the weights of its newest checkpoint or of the best one; or an exported run.

    `code` is a Python file, or several, with the classes of your own that the run was trained with; classes of this
    program and of installed packages are found without it.
    Raises UsageError if there is no run or no such device, and CheckpointError if there is no valid checkpoint.
    """
    folder = RunFolder(Path(path))
    load_files([code] if isinstance(code, str | Path) else code)
    if not folder.config.is_file() and is_export(folder.path):
        return _exported(folder, best=best, device=usable_device(device), precision=precision)
    if not folder.config.is_file():
        raise UsageError(
            f"{path}: not a run: expected a folder with a config.yaml, written by `ebgan train`, or an exported run"
        )
    experiment = read_experiment(folder.config)
    checkpoint = _checkpoint(folder, best)
    facts = Facts.of(checkpoint)
    if checkpoint.config != experiment.steps_hash:
        logger.warning(
            "%s: the checkpoint of %s images seen belongs to another config than config.yaml (another seed, or an "
            "earlier version): its samples may differ from those of this config",
            *(folder.path, f"{checkpoint.images:,}"),
        )
    data = DataFacts(facts.shape, facts.classes, facts.data)
    run = _empty(experiment, data, usable_device(device), folder, precision=precision)
    run.load_weights(checkpoint.tensors)
    run.seen = checkpoint.images
    return run


def _exported(folder: RunFolder, *, best: bool, device: torch.device, precision: Precision) -> Run:
    """The run of a folder that `ebgan export` wrote."""
    if best:
        raise UsageError(f"{folder.path}: an exported run has one set of weights: leave --best out")
    contents = read_contents(folder.path)
    data = DataFacts(contents.shape, contents.classes, contents.data)
    run = _empty(contents.experiment, data, device, folder, precision=precision)
    tensors = read_weights(folder.path, contents)
    check_weights(folder.path, tensors, run.state_dict())
    for player, net in (("generator", run.generator), ("discriminator", run.discriminator)):
        net.load_state_dict({name: tensors[f"{player}.{name}"] for name in net.state_dict()})
    run.seen = contents.seen
    return run


def _empty(
    experiment: Experiment, data: DataFacts, device: torch.device, folder: RunFolder, *, precision: Precision
) -> Run:
    """A run without weights yet. Raises CheckpointError for nets beyond all reason."""
    if warning := emulation_warning(precision, device):
        logger.warning("%s", warning)
    try:
        refuse_vast_nets(experiment, data.shape, len(data.classes))
    except UsageError as error:
        raise CheckpointError(f"{folder.path}: the checkpoint is of images {list(data.shape)}: {error}") from error
    return assemble(experiment, data, device, folder, precision)


def assemble(
    experiment: Experiment,
    data: DataFacts,
    device: torch.device | str,
    home: RunFolder | None = None,
    precision: Precision = "fp32",
) -> Run:
    """A run whose nets are in evaluation mode and have no trained weights yet."""
    nets = build_nets(replace(experiment, precision=precision), data.shape, device, len(data.classes))
    return _made(nets, experiment, data, device=device, home=home)


def run_beside(experiment: Experiment, data: DataFacts, course: Course, home: RunFolder) -> Run:
    """A run with copies of the nets in training, so that both can be used in turn."""
    nets = copy.deepcopy((course.game.generator.net, course.game.discriminator.net))
    for net in nets:
        net.float()
    return _made(nets, experiment, data, device=course.progress.seen.device, home=home)


def _made(
    nets: tuple[nn.Module, nn.Module],
    experiment: Experiment,
    data: DataFacts,
    *,
    device: torch.device | str,
    home: RunFolder | None,
) -> Run:
    generator, discriminator = (net.eval().requires_grad_(False) for net in nets)
    return Run(
        experiment=experiment,
        data=data,
        generator=generator,
        discriminator=discriminator,
        device=torch.device(device),
        home=home,
    )


def _checkpoint(folder: RunFolder, best: bool) -> Checkpoint:
    if best:
        path = best_path(folder.checkpoints)
        if not path.is_file():
            raise CheckpointError(f"{path}: no such checkpoint, because samples had no metrics: leave out --best")
        return read(path)
    found = newest(folder.checkpoints)
    if found is None:
        raise CheckpointError(f"{folder.path}: no checkpoint yet: resume training with the same command")
    checkpoint, warnings = found
    if warnings:
        logger.warning("%s Using the one of %s images seen", " ".join(warnings), f"{checkpoint.images:,}")
    return checkpoint
