"""Merge experiments into one stack: fields that differ become tensors with a number for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, TypeVar

import torch

from ebgan.errors import UsageError
from ebgan.training.mixed import Mixed
from ebgan.training.optim import OptimiserSpec
from ebgan.tree_walk import mapped, rebuilt

Tree = TypeVar("Tree")


def stacked(experiments: Sequence[Tree]) -> Tree:
    """Merge experiments that differ only in float fields, seeds, numbers of labelled images and kinds of optimiser.

    Fields that differ become tensors [models], or a `Mixed` optimiser: then put experiments with the same kind of
    optimiser next to each other. Raises UsageError that names the first other field that differs.
    """
    merged: Tree = _merge(list(experiments), "")
    return merged


def _merge(values: list[Any], name: str) -> Any:
    first = values[0]
    if all(isinstance(value, OptimiserSpec) for value in values) and len({type(value) for value in values}) > 1:
        return Mixed.of(values, stacked, name)
    if len({type(value) for value in values}) == 1 and is_dataclass(first):
        parts = {each.name: [getattr(value, each.name) for value in values] for each in fields(first)}
        return rebuilt(first, {key: _merge(part, f"{name}.{key}".lstrip(".")) for key, part in parts.items()})
    if name == "seed":
        return torch.tensor(values) if len(set(values)) > 1 else torch.tensor(first).expand(len(values))
    if all(value == first for value in values):
        return first
    if all(isinstance(value, int if name == "labelled.count" else float) for value in values):
        return torch.tensor(values)
    raise UsageError(
        f"{name}: {', '.join(map(str, values))} differ, and in one stack only float fields, seeds, numbers of labelled "
        "images and kinds of optimiser can"
    )


def placed(tree: Any, device: torch.device | str) -> Any:
    """The tree with the tensors in its fields moved to a device."""
    return mapped(tree, partial(_placed, device=device))


def _placed(value: Any, device: torch.device | str) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    shared = value.stride() == (0,)  # one seed for all models; a copy would look like one for each
    return value[:1].to(device).expand_as(value) if shared else value.to(device)
