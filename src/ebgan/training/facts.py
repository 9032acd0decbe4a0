"""Values in a checkpoint besides tensors, checked when read: a valid checksum does not prove sensible values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ebgan.errors import CheckpointError
from ebgan.storage.record_checks import is_finite, is_names, is_seconds, is_text
from ebgan.training.checkpoint import Checkpoint


class Facts(NamedTuple):
    """Facts of the data, and of the training so far."""

    shape: tuple[int, int, int]  # C, H, W
    classes: tuple[str, ...]
    data: str  # checksum
    seconds: float  # of training
    best: float | None  # the highest score so far

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Facts:
        """The facts of a checkpoint. Raises CheckpointError that names what is missing or makes no sense."""
        meta: dict[str, Any] = checkpoint.meta
        for name, check in _CHECKS.items():
            if name not in meta or not check(meta[name]):
                found = repr(meta[name])[:60] if name in meta else "missing"
                raise CheckpointError(
                    f"the checkpoint of {checkpoint.images:,} images seen: its {name} is {found}, which training never "
                    "writes. Put back a copy of the file or delete it"
                )
        best = meta["best"]
        return cls(
            (meta["shape"][0], meta["shape"][1], meta["shape"][2]),
            tuple(meta["classes"]),
            meta["data"],
            float(meta["seconds"]),
            None if best is None else float(best),
        )


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(each) is int and each > 0 for each in value)


def _is_score(value: Any) -> bool:
    return value is None or is_finite(value)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "shape": _is_shape,
    "classes": is_names,
    "data": is_text,
    "seconds": is_seconds,
    "best": _is_score,
}
