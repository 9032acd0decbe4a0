"""Checkpoints: everything that training changes, in one file that is either intact or rejected.

A file appears under its name atomically; older files are deleted only after that. A file with any changed byte is
reported and skipped, and the next older one is used.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, final

import torch
from torch import Tensor

from ebgan.errors import CheckpointError, DivergedError, StorageError
from ebgan.held import refuse_lost
from ebgan.runfolder import storage_errors, sweep_temporaries, write_atomically
from ebgan.sealed import JSON, decode, encode, invalid

_BEST = "best.ckpt"
_MOST = 2**63  # above every count
_DTYPES = (
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)
_NUMBERED = re.compile(r"[0-9]{12,}\.ckpt")

Kind = TypeVar("Kind")


def environment() -> dict[str, JSON]:
    """Everything besides config and data that can change the bits of a result."""
    return {
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
    }


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training run after `images` seen."""

    images: int  # real images that the discriminator has read
    step: int
    config: str  # hash of the config that the run was built from
    tensors: dict[str, Tensor]  # all state, by name
    meta: dict[str, JSON]  # whatever else the caller needs to resume
    environment: dict[str, JSON] = field(default_factory=environment)  # where it was made


def publish(folder: Path, checkpoint: Checkpoint, keep: int = 2) -> Path:
    """Write the checkpoint as the newest and return its file; keep the `keep - 1` newest older ones, and best.ckpt.

    The caller holds the run's lock, so that no other process writes in the folder.
    Raises DivergedError if a tensor is not finite and StorageError if writing fails; older files then stay.
    """
    assert keep >= 1
    path = _write(folder / f"{checkpoint.images:012d}.ckpt", checkpoint)
    older = [file for file in _newest_first(folder) if 0 <= _images(file) < checkpoint.images]
    for file in older[keep - 1 :]:
        refuse_lost(file)
        with storage_errors(file):
            file.unlink(missing_ok=True)
    return path


def publish_best(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write the checkpoint to best.ckpt, which is never pruned; raises as `publish` does."""
    return _write(best_path(folder), checkpoint)


def best_path(folder: Path) -> Path:
    """The path of the best weights of a run, if any were kept."""
    return folder / _BEST


def newest(folder: Path) -> tuple[Checkpoint, list[str]] | None:
    """The newest valid checkpoint and a warning for each newer invalid file; None if there is no file.

    best.ckpt is tried last. Raises CheckpointError if there are files and none of them is valid.
    """
    warnings: list[str] = []
    for path in _newest_first(folder):
        try:
            return read(path), warnings
        except CheckpointError as error:
            warnings.append(str(error))
    if not warnings:
        return None
    raise CheckpointError(
        f"{folder}: there is no valid checkpoint to resume from. {' '.join(warnings)} "
        "To train afresh, delete the run's folder or choose another one."
    )


def read(path: Path) -> Checkpoint:
    """The checkpoint in a file, its tensors on the CPU; raises CheckpointError if anything is wrong with it."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such checkpoint file.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise invalid(path, f"it cannot be read ({error.strerror})") from error
    header, tensors = decode(content, path)
    images = _field(path, header, "images", int)
    _refuse_odd(path, images, _field(path, header, "step", int), tensors)
    if path.name not in (_BEST, f"{images:012d}.ckpt"):
        raise invalid(path, f"by its header its name is {images:012d}.ckpt: it was renamed or swapped")
    return Checkpoint(
        images=images,
        step=_field(path, header, "step", int),
        config=_field(path, header, "config", str),
        tensors=tensors,
        meta=_field(path, header, "meta", dict),
        environment=_field(path, header, "environment", dict),
    )


def _write(path: Path, checkpoint: Checkpoint) -> Path:
    _refuse_divergence(checkpoint)
    header: dict[str, JSON] = {
        "images": checkpoint.images,
        "step": checkpoint.step,
        "config": checkpoint.config,
        "environment": checkpoint.environment,
        "meta": checkpoint.meta,
    }
    sweep_temporaries(path.parent)
    write_atomically(path, *encode(header, checkpoint.tensors))
    return path


def _refuse_divergence(checkpoint: Checkpoint) -> None:
    for name, tensor in checkpoint.tensors.items():
        if tensor.is_floating_point() and not _finite(tensor):
            raise DivergedError(
                f"The tensor {name} is not finite after {checkpoint.images:,} images, so that no checkpoint was "
                "written; the last one is from before. Lower the learning rates, or train in fp32."
            )


def _refuse_odd(path: Path, images: int, step: int, tensors: dict[str, Tensor]) -> None:
    """Raise CheckpointError for content that `publish` never writes, even with a valid checksum."""
    if not (0 <= images < _MOST and 0 <= step < _MOST):
        raise invalid(path, f"its header counts {str(images)[:30]} images and {str(step)[:30]} steps")
    for name, tensor in tensors.items():
        if tensor.dtype not in _DTYPES:
            raise invalid(path, f"its tensor {name} is of {tensor.dtype}")
        if tensor.is_floating_point() and not _finite(tensor):
            raise invalid(path, f"its tensor {name} is not finite")


def _finite(tensor: Tensor) -> bool:
    # Usually one pass suffices: each value is checked only if the sum overflows.
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


def _newest_first(folder: Path) -> list[Path]:
    """All checkpoint files, newest first, then best.ckpt and files whose names have no number.

    Raises StorageError for a folder that exists and cannot be listed.
    """
    with storage_errors(folder):
        try:
            names = os.listdir(folder)  # noqa: PTH208 - Path.glob treats an unreadable folder as empty
        except FileNotFoundError:
            if folder.is_symlink():
                raise StorageError(f"{folder}: is a broken link: is the disk with the checkpoints mounted?") from None
            return []
    paths = [folder / name for name in names if name.endswith(".ckpt") and not name.startswith(".")]
    return sorted(paths, key=lambda path: (_images(path), path.name), reverse=True)


def _images(path: Path) -> int:
    """The images seen according to a file's name, or -1."""
    return int(path.stem) if _NUMBERED.fullmatch(path.name) else -1


def _field(path: Path, header: dict[str, JSON], name: str, kind: type[Kind]) -> Kind:
    value = header.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise invalid(path, f"its header has no {name} of type {kind.__name__}")
    return value
