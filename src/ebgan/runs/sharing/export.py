"""Write a run into a folder that can be given away: no path, no name of a user or a machine, no optimiser state."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL.Image import Image
from safetensors.torch import save
from torch import Tensor

from ebgan.data import TOYS, open_points
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Data, Experiment, refuse_unkeepable
from ebgan.report import grid, landscape, png
from ebgan.runs.examiners.points import survey
from ebgan.runs.fingerprint import fingerprint
from ebgan.runs.sharing.card import check_license, model_card
from ebgan.runs.sharing.contents import CARD, CONFIG, NORMALS, PRIVATE, SAMPLES, WEIGHTS, Contents, is_named
from ebgan.storage.files import read_file, refuse_impossible, storage_errors, write_atomically
from ebgan.storage.runfolder import Record, read_records

if TYPE_CHECKING:
    from ebgan.runs.run import Run

SHOWN = 36  # samples in samples.png


def export(run: Run, destination: str | Path, *, license: str = "unknown") -> list[Path]:
    """Write a run into a new or empty folder, which `ebgan.load` reads, and return the files written.

    `license` is an identifier such as apache-2.0, for the model card. Raises UsageError for a folder that is not empty,
    a run that was loaded in bfloat16, weights that are not finite, and classes that no config can name; StorageError
    where the disk refuses.
    """
    check_license(license)
    refuse_unkeepable(run.experiment)
    refuse_full(Path(destination))
    weights, picture = save(_tensors(run), {"format": "pt"}), samples(run)
    contents = Contents(
        ebgan=version("ebgan"),
        seen=run.seen,
        shape=run.data.shape,
        classes=run.data.classes,
        data=run.data.checksum,
        weights=hashlib.sha256(weights).hexdigest(),
        experiment=_without_places(run),
    )
    normals = _normals(run)
    card = model_card(
        contents, _evaluation(run), license=license, pictured=picture is not None, judges=normals is not None
    )
    files = {CONFIG: contents.to_json().encode(), WEIGHTS: weights, CARD: card.encode()}
    if picture is not None:
        files[SAMPLES] = png(picture)
    if normals is not None:
        files[NORMALS] = normals
    return _write_whole(Path(destination), files)


def refuse_full(path: Path) -> None:
    """Raise UsageError for a destination that is neither new nor an empty folder."""
    refuse_impossible(path)
    with storage_errors(path):
        if os.path.lexists(path) and not path.is_dir():
            raise UsageError(f"{path}: is no folder: choose a new or an empty one")
        if path.is_dir() and any(path.iterdir()):
            raise UsageError(f"{path}: is not empty: choose a new or an empty folder, so that no file is replaced")


def samples(run: Run) -> Image | None:
    """A picture of samples.

    None where the generator was not trained, and where samples start from images that are private or gone.
    """
    source = run.experiment.data.source
    if run.experiment.turns.generator == 0 or (run.experiment.sampler.conditional and not _is_public(run)):
        return None
    try:
        if source in TOYS:
            points = run.sample(run.experiment.evaluation.grid)[..., 0, 0]
            return landscape(survey(run, open_points(source), points))
        return grid(run.sample(SHOWN))
    except DataError:
        return None


def _tensors(run: Run) -> dict[str, Tensor]:
    """The weights in float32, on the CPU."""
    tensors = {}
    for name, value in run.state_dict().items():
        if value.dtype == torch.bfloat16:
            raise UsageError(f"{run.name}: was loaded in bf16, which rounds its weights: load it in fp32 to export it")
        if value.is_floating_point() and not value.isfinite().all():
            raise UsageError(f"{run.name}: {name} holds numbers that are not finite: take an earlier checkpoint")
        tensors[name] = value.detach().cpu().contiguous().clone()
    return tensors


def _is_public(run: Run) -> bool:
    """Whether the data is a set that everybody may read.

    The name that experiments have by default proves nothing: a run on an array keeps it.
    """
    source = run.experiment.data.source
    if source == Data().source:
        return run.experiment.data.open().checksum == run.data.checksum
    return is_named(source)


def public_source(run: Run) -> str:
    """The name of the data, if it has one that everybody knows; `private-data` otherwise."""
    return run.experiment.data.source if _is_public(run) else PRIVATE


def _without_places(run: Run) -> Experiment:
    """The experiment without the paths of data and labels."""
    return replace(run.experiment, data=replace(run.experiment.data, labels=None, source=public_source(run)))


def _evaluation(run: Run) -> Record | None:
    """The record of the metrics nearest to the run's weights, without the names of data that is not public."""
    records = read_records(run.home.evaluations) if run.home else []
    records = [each for each in records if run.seen is None or each["images"] <= run.seen]
    if not records:
        return None
    if _is_public(run):
        return records[-1]
    path = Path(run.experiment.data.source)
    secret = {str(path), path.name, path.stem}
    stated = records[-1].get("protocol", {}).items()
    protocol = {name: value for name, value in stated if not any(each in str(value) for each in secret)}
    return records[-1] | {"protocol": protocol}


def _normals(run: Run) -> bytes | None:
    """The normal energies that the folder keeps of these weights, without the name of the images."""
    content = read_file(run.home.normal_energies) if run.home else None
    if content is None:
        return None
    try:
        record = json.loads(content)
        kept = record["model"] == fingerprint(run.discriminator) and isinstance(record["energies"], list)
    except (ValueError, TypeError, KeyError):
        return None
    return json.dumps(record | {"source": ""}).encode() if kept else None


def _write_whole(path: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write all files into a folder, or none."""
    with _replacing(path) as folder:
        for name, content in files.items():
            write_atomically(folder / name, content)
    return [path / name for name in files]


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A folder that takes the place of `path` once all is written, and goes where anything fails."""
    whole = path.absolute()
    temporary = whole.with_name(f".{whole.name}.{os.getpid()}.tmp")
    try:
        with storage_errors(path):
            temporary.mkdir(parents=True)
        yield temporary
        with storage_errors(path):
            temporary.replace(whole)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
