"""The folder of an exported run, and how it is read: nothing in it can name code to run or a file to open.

config.json           the experiment, the shape of the images, the classes, and the SHA-256 of the weights
model.safetensors     the weights of both nets, `generator.NAME` (the average, if it has one) and `discriminator.NAME`
README.md             the model card
samples.png           samples, if the run makes any
normal_energies.json  the energies from which thresholds are taken, if `ebgan score --normals` had any
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from ebgan import config
from ebgan.data import TOYS
from ebgan.data.collections import COLLECTIONS
from ebgan.data.sources import SOURCES
from ebgan.errors import CheckpointError, UsageError
from ebgan.experiment import Experiment
from ebgan.experiment.registry import parse_tree
from ebgan.storage.files import read_file

FORMAT = 1
CONFIG, WEIGHTS, CARD, SAMPLES, NORMALS = (
    *("config.json", "model.safetensors", "README.md"),
    *("samples.png", "normal_energies.json"),
)
FILES = (CONFIG, WEIGHTS, CARD, SAMPLES, NORMALS)
PRIVATE = "private-data"  # stands in the place of a path to the data
MOST_CONFIG = 16 << 20  # bytes of a config.json
_MEND = "Export the run again, or fetch the file again"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What config.json holds."""

    format: int = FORMAT
    ebgan: str = ""  # the version that wrote it
    seen: int | None = None  # real images that the discriminator had seen; null if not known
    shape: tuple[int, int, int]  # C, H, W
    classes: tuple[str, ...] = ()  # names of the data's classes
    data: str  # the checksum of the data
    weights: str  # the SHA-256 of model.safetensors
    experiment: Experiment = field(default_factory=Experiment)

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise UsageError(f"format={self.format}: this version of ebgan reads format {FORMAT}: install a newer one")
        if min(self.shape) < 1:
            raise UsageError(f"shape={list(self.shape)}: expected channels, height and width of at least 1")
        spec = self.experiment.data
        if spec.labels is not None or not (spec.source == PRIVATE or is_named(spec.source)):
            raise UsageError(
                f"experiment.data: names the file {spec.labels or spec.source!r}: expected the name of a set, or "
                f"{PRIVATE}, and no labels"
            )

    def to_json(self) -> str:
        """The text of config.json."""
        return json.dumps(config.plain(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def is_named(source: str) -> bool:
    """Whether a source of data is the name of a set, which everybody may read, not a path."""
    return source in (*SOURCES, *COLLECTIONS, *TOYS)


def is_export(path: Path) -> bool:
    """Whether a folder holds an exported run."""
    return (path / CONFIG).exists() and (path / WEIGHTS).exists()


def read_contents(folder: Path) -> Contents:
    """The config.json of an exported run. Raises UsageError that names file, line and field of what does not fit."""
    path = folder / CONFIG
    content = _bytes(path)
    if len(content) > MOST_CONFIG:
        raise UsageError(f"{path}: {len(content):,} bytes; expected at most {MOST_CONFIG:,}. {_MEND}")
    try:
        text = content.decode()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid JSON: {error}. {_MEND}") from error
    contents: Contents = parse_tree(text, Contents, str(path))  # JSON is YAML
    return contents


def read_weights(folder: Path, contents: Contents) -> dict[str, Tensor]:
    """The tensors of an exported run. Raises CheckpointError for a file that is damaged, or not the config's."""
    path = folder / WEIGHTS
    content = _bytes(path)
    if hashlib.sha256(content).hexdigest() != contents.weights:
        raise CheckpointError(
            f"{path}: damaged, or of another run: its SHA-256 is not the one that {CONFIG} names. {_MEND}"
        )
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a valid safetensors file ({error}). {_MEND}") from error


def check_weights(folder: Path, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError unless the tensors have the names, shapes and kinds that the nets want, and are finite."""
    path = folder / WEIGHTS
    for name in dict.fromkeys([*wanted, *tensors]):
        found, place = tensors.get(name), wanted.get(name)
        if found is None or place is None or _kind(found) != _kind(place):
            raise CheckpointError(
                f"{path}: {name} is {_described(found)}; {CONFIG} describes {_described(place)}. {_MEND}"
            )
        if found.is_floating_point() and not torch.isfinite(found).all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite. {_MEND}")


def _bytes(path: Path) -> bytes:
    content = read_file(path)
    if content is None:
        raise CheckpointError(f"{path}: no such file; an exported run has a {CONFIG} and a {WEIGHTS}. {_MEND}")
    return content


def _kind(value: Tensor) -> Any:
    return value.shape, value.is_floating_point()


def _described(value: Tensor | None) -> str:
    return "missing" if value is None else f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
