"""Walks over a tree of dataclasses, and marks on fields that do not decide what a run computes.

Every field decides what is computed unless its declaration says otherwise:

    workers: int = aside(0, "habit")

- "habit": how often a run is saved or looked at, and by how many processes its data is read
- "length": where a run ends, so that the first part of a longer run is the whole of a shorter one
- "place": where data lies, which is compared by its content
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

Aspect = Literal["habit", "length", "place"]
Value = TypeVar("Value")
_MARK = "aside"


def aside(default: Value, aspect: Aspect) -> Value:
    """A field of a dataclass that does not decide what is computed; a mark holds for all fields below it."""
    field: Value = dataclasses.field(default=default, metadata={_MARK: aspect})
    return field


@functools.cache
def asides(kind: type) -> dict[str, Aspect]:
    """The marked fields of a dataclass and of the dataclasses below it, by path."""
    hints, found = typing.get_type_hints(kind), dict[str, Aspect]()
    for field in dataclasses.fields(kind):
        if aspect := field.metadata.get(_MARK):
            found[field.name] = aspect
        elif dataclasses.is_dataclass(below := hints[field.name]):
            assert isinstance(below, type)
            found |= {f"{field.name}.{path}": each for path, each in asides(below).items()}
    return found


def aspect_of(path: str, kind: type) -> Aspect | None:
    """How a path of a tree is marked; None if what it holds decides what is computed."""
    marks = asides(kind)
    *_, aspect = (None, *(marks[mark] for mark in marks if path == mark or path.startswith(f"{mark}.")))
    return aspect


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of nested mappings with its path; lists and empty mappings are values."""
    if isinstance(tree, Mapping) and tree:
        for name, below in tree.items():
            yield from leaves(below, f"{path}.{name}" if path else str(name))
    else:
        yield path, tree


def without(tree: dict[str, Any], path: str) -> dict[str, Any]:
    """Nested mappings without what stands at a path."""
    name, _, rest = path.partition(".")
    if rest:
        return tree | {name: without(tree[name], rest)}
    return {each: below for each, below in tree.items() if each != name}
