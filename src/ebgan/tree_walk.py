"""Functions on trees of dataclasses, such as an experiment, and marks on fields that do not affect the results.

A field affects the results of training unless it is declared with `aside`:

    workers: int = aside(0, "habit")

- "habit": how often a run is saved or evaluated, and the number of processes that read its data
- "length": where a run ends; a longer run begins exactly like a shorter one
- "place": where the data is stored; data is compared by content instead
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

Aspect = Literal["habit", "length", "place"]
Value = TypeVar("Value")
Tree = TypeVar("Tree")
_MARK = "aside"


@functools.cache
def field_types(kind: type) -> dict[str, Any]:
    """The declared type of each field of a dataclass."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The member types of a union; (kind,) for any other type."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def item_kinds(kind: Any, length: int) -> Sequence[Any] | None:
    """The type of each item of a tuple of this length; None if the declared type allows no such tuple."""
    for option in alternatives(kind):
        if get_origin(option) is tuple:
            kinds = get_args(option)
            each = [kinds[0]] * length if kinds[1:] == (...,) else list(kinds)
            if len(each) == length:
                return each
    return None


def fits(value: Any, kind: Any) -> bool:
    """Whether a value fits the declared type `kind`: ints are accepted for floats, bools are not numbers."""
    if len(alternatives(kind)) > 1:
        return any(fits(value, option) for option in alternatives(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        each = item_kinds(kind, len(value)) if isinstance(value, tuple) else None
        return each is not None and all(map(fits, value, each))
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else get_origin(kind) or kind)


def changed(tree: Tree, settings: Mapping[str, Any]) -> Tree:
    """A copy of a tree with fields changed (dotted path -> value); each dataclass is validated after all changes."""
    deeper: dict[str, dict[str, Any]] = {}
    changes: dict[str, Any] = {}
    for path, value in settings.items():
        name, _, rest = path.partition(".")
        if rest:
            deeper.setdefault(name, {})[rest] = value
        else:
            changes[name] = value
    changes |= {name: changed(getattr(tree, name), below) for name, below in deeper.items()}
    return dataclasses.replace(tree, **changes)  # type: ignore[type-var]


def rebuilt(tree: Tree, values: Mapping[str, Any]) -> Tree:
    """A copy of a dataclass with fields set without validation: in a stack they hold tensors."""
    result = copy(tree)
    for name, value in values.items():
        object.__setattr__(result, name, value)
    return result


def mapped(tree: Any, function: Callable[[Any], Any]) -> Any:
    """A copy of a tree with `function` applied to every leaf: every value that is neither a dataclass nor a tuple."""
    if isinstance(tree, tuple):
        return tuple(mapped(each, function) for each in tree)
    if not dataclasses.is_dataclass(tree):
        return function(tree)
    return rebuilt(tree, {each.name: mapped(getattr(tree, each.name), function) for each in dataclasses.fields(tree)})


def suggestion(name: str, known: Sequence[str]) -> str:
    """Advice for a message about an unknown name: the most similar known name, or all of them."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known)) or 'none'}"


def aside(default: Value, aspect: Aspect) -> Value:
    """Declare a dataclass field that does not affect the results; this holds for all fields below it too."""
    field: Value = dataclasses.field(default=default, metadata={_MARK: aspect})
    return field


@functools.cache
def asides(kind: type) -> dict[str, Aspect]:
    """The marked fields of a dataclass and of the dataclasses below it: dotted path -> mark."""
    found = dict[str, Aspect]()
    for field in dataclasses.fields(kind):
        if aspect := field.metadata.get(_MARK):
            found[field.name] = aspect
        elif dataclasses.is_dataclass(below := field_types(kind)[field.name]):
            assert isinstance(below, type)
            found |= {f"{field.name}.{path}": each for path, each in asides(below).items()}
    return found


def aspect_of(path: str, kind: type) -> Aspect | None:
    """The mark of a dotted path; None if the field affects the results."""
    marks = asides(kind)
    *_, aspect = (None, *(marks[mark] for mark in marks if path == mark or path.startswith(f"{mark}.")))
    return aspect


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of nested mappings with its dotted path; a list is a leaf."""
    if isinstance(tree, Mapping):
        for name, below in tree.items():
            yield from leaves(below, f"{path}.{name}" if path else str(name))
    else:
        yield path, tree


def without(tree: dict[str, Any], path: str) -> dict[str, Any]:
    """A copy of nested mappings without the entry at a dotted path."""
    name, _, rest = path.partition(".")
    if rest:
        return tree | {name: without(tree[name], rest)}
    return {each: below for each, below in tree.items() if each != name}
