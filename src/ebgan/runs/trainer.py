"""Train an experiment into a run folder; `ebgan train` calls this."""

from __future__ import annotations

import contextlib
import shlex
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebgan.data import Augmented, Dataset, Packed, Points
from ebgan.data.from_python import read_given
from ebgan.data.naming import without_class
from ebgan.distributed import rank, usable_device
from ebgan.distributed.alone import alone
from ebgan.errors import EbganError, UsageError
from ebgan.experiment import Experiment, refuse_unkeepable
from ebgan.experiment.building import refuse_at_once
from ebgan.experiment.foreign import code_files, unannounced
from ebgan.experiment.labelled import split
from ebgan.experiment.sources import with_source
from ebgan.experiment.starting import start
from ebgan.randomness import Randomness
from ebgan.report import NotebookBar, in_notebook, write_animation, write_report
from ebgan.runs.config_changes import check_config, refuse_shortened
from ebgan.runs.examiners.images import Examiner
from ebgan.runs.loading import run_beside
from ebgan.runs.looks import RunLooks, examiner_of
from ebgan.runs.refusals import refuse_before_training
from ebgan.runs.run import DataFacts, Run
from ebgan.runs.settling import fill_from_data, keeps_margin
from ebgan.storage.files import write_atomically
from ebgan.storage.runfolder import Record, RunFolder
from ebgan.training.lock import run_lock
from ebgan.training.log import Log, Observer
from ebgan.training.loop import Training
from ebgan.training.plan import Plan
from ebgan.training.saver import Saver
from ebgan.training.state import state

RECORDS = 400  # records of stats.jsonl in a run


class Silent:
    """An observer that prints nothing."""

    def record(self, record: Record) -> None:
        """Ignore a record."""

    def notice(self, text: str) -> None:
        """Ignore a notice."""


def train(
    experiment: Experiment,
    out: str | Path,
    *,
    data: object = None,
    data_limits: tuple[float, float] | None = None,
    device: torch.device | str | None = None,
    observer: Observer | None = None,
    override_config: bool = False,
    override_data: bool = False,
) -> Run:
    """Train an experiment into the folder `out`, or resume the run there, and return the run.

    `data` replaces the experiment's source: a path; images [N, H, W], [N, H, W, C] or [N, C, H, W] as a tensor or an
    array; a list of images; a torch Dataset or DataLoader; a Hugging Face dataset. It is read once, into memory, as
    uint8; floats are scaled from `data_limits`, the values of black and white.
    The same call again resumes from the newest checkpoint. A changed config is refused unless `override_config`, other
    data unless `override_data`. Fields that are None (precision, margin) are filled first, and written to config.yaml.
    `observer` receives progress: by default a bar in a notebook, and none elsewhere; `Silent()` shows nothing.
    Raises UsageError, DataError, CheckpointError, StorageError, DivergedError, RunLockedError or StoppedError.
    """
    folder, device = RunFolder(Path(out)), usable_device(device)
    observer = observer or (NotebookBar(experiment.images) if in_notebook() else Silent())
    folder.refuse_unfit()
    refuse_unkeepable(experiment)
    if isinstance(data, str | Path):
        experiment, data = with_source(experiment, data), None
    opened = _opened(experiment, data, data_limits, observer)
    refuse_before_training(experiment, opened)
    _tell_of_own_classes(experiment, observer)
    leads = rank().index == 0
    with run_lock(folder.lock) if leads else contextlib.nullcontext():
        experiment = _settled(experiment, opened, folder, device, observer=observer, waived=override_config)
        plan = _plan(experiment, opened, override_config, override_data)
        run, training = _prepared(experiment, opened, folder, device, observer=observer, plan=plan)
        refuse_shortened(experiment, folder, training.resume())
        if leads:
            _write_config(experiment, folder)
        try:
            training.run()
        except BaseException as error:
            with contextlib.suppress(EbganError, OSError), _report_alone(error):
                if leads:
                    write_report(folder)
            raise
        with alone():
            if leads:
                _finish(training, folder, animated=isinstance(opened, Points))
    run.load_weights(state(training.course))
    return run


def _write_config(experiment: Experiment, folder: RunFolder) -> None:
    """Write config.yaml, and code.txt if some classes are the user's own."""
    write_atomically(folder.config, experiment.to_yaml().encode())
    if files := code_files(experiment):
        write_atomically(folder.code, "".join(f"{file}\n" for file in files).encode("utf-8", "replace"))


def _finish(training: Training, folder: RunFolder, *, animated: bool) -> None:
    """Measure the best weights, and write the report and the animation."""
    training.looks.measure_best()
    if animated:
        write_animation(folder)
    write_report(folder)


def _tell_of_own_classes(experiment: Experiment, observer: Observer) -> None:
    """Tell the user how to load the run later if its classes come from files of the user's own."""
    if files := code_files(experiment):
        options = " ".join(f"--code {shlex.quote(str(file))}" for file in files)
        observer.notice(f"classes of your own: whatever reads this run, `ebgan sample` for instance, needs {options}")
    if names := unannounced(experiment):
        observer.notice(
            f"config.yaml will name {', '.join(names)}: it is read where they are defined, or with --code FILE.py, a "
            "file that imports them. An installed package can announce them (docs/extending.md)"
        )


def _opened(experiment: Experiment, data: object, limits: tuple[float, float] | None, observer: Observer) -> Dataset:
    """The data of an experiment, or the images that were given in Python."""
    spec = experiment.data
    if data is None:
        if limits is not None:
            raise UsageError(f"data_limits={limits}: needs images given as `data`; files have a known range")
        if side := spec.side:
            refuse_at_once(experiment, (spec.channels or 3, side, side), classes=2)  # before any picture is decoded
        with alone():
            return spec.open()
    if spec.limits is None:
        raise UsageError(f"data: {spec.source} draws its own training points: leave out `data`")
    if not isinstance(data, Packed | np.ndarray | Tensor):
        observer.notice(f"reading all images of a {type(data).__name__} into memory")
    with alone():
        images = read_given(data, size=spec.size, channels=spec.channels, white=spec.white, limits=limits)
        return spec.prepared(images)


def _report_alone(error: BaseException) -> AbstractContextManager[None]:
    """A context for writing the report after an error; the other ranks wait if they raised the same error."""
    return alone() if isinstance(error, EbganError) and error.agreed else contextlib.nullcontext()


def _settled(
    experiment: Experiment,
    data: Dataset,
    folder: RunFolder,
    device: torch.device,
    *,
    observer: Observer,
    waived: bool,
) -> Experiment:
    """Fill the fields of an experiment that are None, after checking it against the config in the folder."""
    if not waived and folder.config.exists() and not keeps_margin(experiment, folder):
        check_config(experiment, folder, observer.notice, waived)
    experiment = fill_from_data(experiment, data, folder, device=device, notice=observer.notice)
    if experiment.pretraining and experiment.pretraining >= experiment.images:
        observer.notice(
            f"pretraining={experiment.pretraining:,} takes all of images={experiment.images:,}: the generator will not "
            "be trained. Raise images, or lower pretraining"
        )
    check_config(experiment, folder, observer.notice, waived)
    return experiment


def _prepared(
    experiment: Experiment, data: Dataset, folder: RunFolder, device: torch.device, *, observer: Observer, plan: Plan
) -> tuple[Run, Training]:
    """Build the training, and the run that examines its weights."""
    observer.notice(f"{_described(data)}; {experiment.precision} on {device.type}")
    parts = None
    if isinstance(data, Packed) and experiment.objective.asks.classifies:
        parts = split(experiment, data, Randomness.of(experiment.seed))
    labelled = parts.labelled.to(device) if parts else None
    course = start(experiment, data, device, labelled=labelled, workers=experiment.data.workers)
    run = run_beside(experiment, DataFacts(data.shape, data.classes, data.checksum), course, folder)
    examiner = examiner_of(run, data, experiment.evaluation.samples, parts)
    if isinstance(examiner, Examiner) and data.classes and examiner.obstacle:
        observer.notice(
            f"{data.name}: samples have no metrics, which take a classifier of the data: {examiner.obstacle}"
        )
    if parts:
        observer.notice(f"the error is measured on {parts.source}")
    training = Training(
        course=course,
        plan=plan,
        looks=RunLooks(run, course, data, examiner, observer.notice),
        log=Log(folder, observer, plan.images, experiment.objective.asks.alarms),
        saver=Saver(course, plan, folder.checkpoints),
    )
    return run, training


def _described(data: Dataset) -> str:
    """A description of the training data, for a message."""
    if isinstance(data, Points):
        return f"{data.name}: {len(data):,} points"
    classes = f" of {len(data.classes):,} classes" if data.classes else ""
    whole = data.whole if isinstance(data, Augmented) else data
    notes = whole.notes or ("" if data.classes else without_class(whole.names or ()),)
    return "; ".join([f"{data.name}: {len(data):,} images{classes}", *filter(None, notes)])


def _plan(experiment: Experiment, data: Dataset, waive_config: bool, waive_data: bool) -> Plan:
    tenth = max(experiment.images // 10, 1)
    return Plan(
        images=experiment.images,
        batch=experiment.batch,
        record=max(experiment.images // RECORDS, 1),
        picture=experiment.evaluation.pictures or tenth,
        evaluation=experiment.evaluation.every or tenth,
        checkpoint=experiment.checkpoint or tenth,
        config=experiment.steps_hash,
        waive_config=waive_config,
        waive_data=waive_data,
        meta={"shape": list(data.shape), "classes": list(data.classes), "data": data.checksum},
    )
