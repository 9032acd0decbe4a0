"""Write trees of frozen dataclasses as YAML, and read them strictly.

A field whose declared type is an abstract class is written as a mapping with a key `type`: the name of a class in the
registry, or `MODULE:CLASS` for a class from outside the project. No name from a file is ever imported. Unknown,
missing, duplicate and mistyped keys, tags and aliases raise UsageError with file, line and key.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml

from ebgan.errors import UsageError, ambiguous
from ebgan.tree_walk import alternatives, field_types, item_kinds, suggestion

Registry = Mapping[str, type]
Finder = Callable[[str, type], type | None]  # (name, declared class of the field) -> the class, or None
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C: the same text, eight times as fast
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")}


def to_yaml(value: object) -> str:
    """The YAML text of a tree of dataclasses."""
    text: str = yaml.dump(plain(value), Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return text


def plain(value: object) -> Any:
    """A tree of dataclasses as the mappings, lists and scalars of its YAML text."""
    return _plain(value, type(value))


def kinds(value: Any) -> Iterator[type]:
    """The classes named by a `type` key in the YAML text of a tree, in order."""
    for name, declared in field_types(value.__class__).items():
        content = getattr(value, name)
        for each in content.values() if isinstance(content, Mapping) else (content,):
            if dataclasses.is_dataclass(each):
                if type(each) not in alternatives(declared):
                    yield type(each)
                yield from kinds(each)


def is_foreign(kind: type) -> bool:
    """Whether a class is from outside the project."""
    return kind.__module__.partition(".")[0] != __name__.partition(".")[0]


def class_name(kind: type) -> str:
    """The name of a class in YAML: `EBGAN`, or `MODULE:CLASS` for one from outside the project.

    If the module is a single file, MODULE is the file's name (`mine.py:CLASS`), whether it was imported, given by
    `--code`, or is the running script.
    """
    if not is_foreign(kind):
        return kind.__name__
    module = kind.__module__
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "").name
    return f"{file if module in ('__main__', file, file.removesuffix('.py')) else module}:{kind.__qualname__}"


def from_yaml(text: str, kind: type, registry: Registry, file: str, foreign: Finder | None = None) -> Any:
    """Read a tree of dataclasses, whose root has the class `kind`, from YAML text.

    `file` is the name used in messages. `foreign` finds classes that are not in the registry. Raises UsageError, with
    file, line and key, for anything that does not fit.
    """
    reader = _Reader(registry, foreign, file, set())
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from error
    if node is None:
        raise UsageError(f"{file}: is empty; expected the fields of {kind.__name__}")
    return reader.read(node, kind, "")


def _plain(value: Any, declared: Any) -> Any:
    if type(value) in (str, float, bool, types.NoneType):
        return value
    if type(value) is int:
        return float(value) if float in alternatives(declared) else value
    if dataclasses.is_dataclass(value):
        content = {name: _plain(getattr(value, name), kind) for name, kind in field_types(value.__class__).items()}
        return content if type(value) in alternatives(declared) else {"type": class_name(type(value))} | content
    if isinstance(value, tuple):
        kinds = item_kinds(declared, len(value)) or [None] * len(value)
        return [_plain(item, kind) for item, kind in zip(value, kinds, strict=True)]
    if isinstance(value, Mapping):
        return {key: _plain(item, None) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class _Reader:
    """Converts YAML nodes to values of the declared types; `key` is the path of a node, for messages."""

    registry: Registry
    foreign: Finder | None
    file: str
    seen: set[int]  # ids of the nodes read so far: a repeated node is an alias

    def read(self, node: yaml.Node, declared: Any, key: str) -> Any:
        if id(node) in self.seen:
            raise self.error(node, key, "an alias; write the value out")
        self.seen.add(id(node))
        if node.tag not in _PLAIN_TAGS:
            raise self.error(node, key, f"the tag {node.tag}; only plain values are read")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, declared, key)
        return (
            self.sequence(node, declared, key)
            if isinstance(node, yaml.SequenceNode)
            else self.mapping(node, declared, key)
        )

    def scalar(self, node: yaml.ScalarNode, declared: Any, key: str) -> Any:
        for option in alternatives(declared):
            found, value = _parse(node, option)
            if found:
                return value
        raise self.error(node, key, f"{node.value!r}; expected {_expected(declared)}")

    def sequence(self, node: yaml.SequenceNode, declared: Any, key: str) -> tuple[Any, ...]:
        kinds = item_kinds(declared, len(node.value))
        if kinds is not None:
            pairs = zip(node.value, kinds, strict=True)
            return tuple(self.read(item, kind, f"{key}[{i}]") for i, (item, kind) in enumerate(pairs))
        raise self.error(node, key, f"a list of {len(node.value)}; expected {_expected(declared)}")

    def mapping(self, node: yaml.Node, declared: Any, key: str) -> Any:
        entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise self.error(name, key, "a key that is not a word")
            if name.value in entries:
                raise self.error(name, _join(key, name.value), "a duplicate key")
            entries[name.value] = (name, value)
        for option in alternatives(declared):
            if get_origin(option) is dict:
                each = get_args(option)[1]
                return {name: self.read(value, each, _join(key, name)) for name, (_, value) in entries.items()}
            kind = get_origin(option) or option  # Objective[Any] is an Objective
            if isinstance(kind, type) and kind not in (str, *_SCALARS):
                return self.record(node, kind, key, entries)
        raise self.error(node, key, f"a mapping; expected {_expected(declared)}")

    def record(self, node: yaml.Node, declared: type, key: str, entries: dict[str, tuple[yaml.Node, yaml.Node]]) -> Any:
        kind = self.kind(node, declared, key, entries)
        hints = field_types(kind)
        for name, (place, _) in entries.items():
            if name not in hints:
                raise self.error(place, _join(key, name), f"unknown; {suggestion(name, list(hints))}")
        for field in dataclasses.fields(kind):
            needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if needed and field.name not in entries:
                raise self.error(node, _join(key, field.name), f"missing; {kind.__name__} needs it")
        values = {name: self.read(value, hints[name], _join(key, name)) for name, (_, value) in entries.items()}
        try:
            return kind(**values)
        except ValueError as error:
            raise self.error(node, key, str(error)) from error

    def kind(self, node: yaml.Node, declared: type, key: str, entries: dict[str, Any]) -> type:
        """The class of a mapping: the one that its `type` names, or the declared one."""
        options = {name: kind for name, kind in self.registry.items() if issubclass(kind, declared)}
        if "type" not in entries:
            if dataclasses.is_dataclass(declared):
                return declared
            raise self.error(node, _join(key, "type"), f"missing; one of {', '.join(sorted(options))}")
        place, named = entries.pop("type")
        if not isinstance(named, yaml.ScalarNode):
            raise self.error(place, _join(key, "type"), f"expected a name, one of {', '.join(sorted(options))}")
        try:
            found = options.get(named.value) or (self.foreign and self.foreign(named.value, declared))
        except UsageError as error:
            raise self.error(place, _join(key, "type"), f"{named.value!r}: {error}") from error
        if found is None:
            hint = ambiguous(named.value) or suggestion(named.value, list(options))
            raise self.error(place, _join(key, "type"), f"{named.value!r}; {hint}")
        return found

    def error(self, node: yaml.Node, key: str, what: str) -> UsageError:
        return UsageError(f"{self.file}, line {node.start_mark.line + 1}: {key or 'the file'}: {what}")


def _parse(node: yaml.ScalarNode, kind: Any) -> tuple[bool, Any]:
    """Whether a scalar can be read as the type `kind`, and its value. (PyYAML would read 1e-4 as text.)"""
    text, quoted = str(node.value), node.style in ("'", '"')
    if kind is str:
        return quoted or node.tag.endswith(":str"), text
    if get_origin(kind) is Literal:
        return text in get_args(kind), text
    if quoted or kind not in _SCALARS:
        return False, None
    try:
        return True, _SCALARS[kind](text)
    except (ValueError, KeyError):
        return False, None


_SCALARS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    bool: {"true": True, "false": False}.__getitem__,
    types.NoneType: dict.fromkeys(("null", "~", "")).__getitem__,
}


def _expected(declared: Any) -> str:
    def one(kind: Any) -> str:
        if get_origin(kind) is Literal:
            return " | ".join(get_args(kind))
        return "null" if kind is types.NoneType else getattr(kind, "__name__", str(kind))

    return " or ".join(one(option) for option in alternatives(declared))


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
