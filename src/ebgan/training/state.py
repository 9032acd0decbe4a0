"""Everything that training changes, as named tensors: the content of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ebgan.errors import CheckpointError
from ebgan.training.course import Course
from ebgan.training.step import Progress


def state(course: Course) -> dict[str, Tensor]:
    """All tensors that training changes, by name, without a copy."""
    game, progress, average = course.game, course.progress, course.average
    tensors = {f"generator.{name}": value for name, value in game.generator.state().items()}
    tensors |= {f"discriminator.{name}": value for name, value in game.discriminator.state().items()}
    tensors |= {f"average.{name}": value for name, value in (average.tensors if average else {}).items()}
    tensors |= _flatten("objective", progress.objective) | _flatten("memory", progress.memory)
    return tensors | (_flatten("plateau", progress.plateau) if progress.plateau else {})


def restore(course: Course, tensors: dict[str, Tensor], seen: int) -> None:
    """Restore all tensors and the clock. Raises CheckpointError that names the first tensor that does not fit."""
    _refuse_misfits(state(course), tensors)
    course.game.generator.restore(_below(tensors, "generator."))
    course.game.discriminator.restore(_below(tensors, "discriminator."))
    if course.average:
        saved = _below(tensors, "average.")
        for name, value in course.average.tensors.items():
            value.copy_(saved[name])
    progress = course.progress
    objective = _unflatten("objective", progress.objective, tensors)
    memory = _unflatten("memory", progress.memory, tensors)
    plateau = _unflatten("plateau", progress.plateau, tensors) if progress.plateau else None
    course.progress = Progress(progress.seen.new_tensor(seen), objective, memory, plateau)
    course.seen = seen


def _refuse_misfits(present: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError that names the first tensor that is missing or of another shape or type."""
    for name, value in present.items():
        found = tuple(tensors[name].shape) if name in tensors else None
        if found == value.shape and tensors[name].is_floating_point() != value.is_floating_point():
            raise CheckpointError(
                f"the checkpoint has {name} in {tensors[name].dtype}, not in {value.dtype}, as training writes it. "
                "Put back a copy of the file, or delete it"
            )
        if found != value.shape:
            raise CheckpointError(
                f"the checkpoint has no {name} of shape {list(value.shape)}"
                f"{'' if found is None else f' but one of {list(found)}'}: it is of other nets, optimisers, average, "
                "objective or sampler. Undo that change of the config, or choose another folder"
            )


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _flatten(name: str, record: Any) -> dict[str, Tensor]:
    """The tensors of nested records, by the path of their fields."""
    if isinstance(record, Tensor):
        return {name: record}
    parts = (_flatten(f"{name}.{key}", value) for key, value in zip(record._fields, record, strict=True))
    return {path: tensor for part in parts for path, tensor in part.items()}


def _unflatten(name: str, like: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(like, Tensor):
        return tensors[name].to(like.device, like.dtype)
    values = (_unflatten(f"{name}.{key}", value, tensors) for key, value in zip(like._fields, like, strict=True))
    return type(like)(*values)
