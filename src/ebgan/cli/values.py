"""Rules for reading values on the command line; their errors are plainer than those of tyro's own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

NOTHING = ("None", "null")  # as in help texts and in config.yaml


def rules() -> ConstructorRegistry:
    """Rules for int, float, str, Path and pairs of floats, each also with None."""
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        options = get_args(info.type) or (info.type,)
        if info.type == tuple[float, float] or set(options) == {tuple[float, float], NoneType}:
            return _spec(2, "FLOAT FLOAT", _pair, NoneType in options)
        kinds = {kind for kind in options if kind is not NoneType}
        schedules = {kind for kind in kinds if getattr(kind, "__name__", "") == "Schedule"}
        if len(kinds - schedules) != 1 or (schedules and kinds - schedules != {int}):
            return None
        reading = _READERS.get(*(kinds - schedules))  # a schedule can only be given in a config.yaml
        return reading and _spec(1, reading[0], reading[1], NoneType in options)

    return registry


def _spec(count: int, metavar: str, read: Callable[[list[str]], Any], optional: bool) -> PrimitiveConstructorSpec[Any]:
    def from_words(words: list[str]) -> Any:
        if optional and words[0] in NOTHING:
            return None
        try:
            return read(words)
        except ValueError as error:
            raise ValueError(f"{error}{' or None' if optional else ''}") from None

    def to_words(value: Any) -> list[str]:
        return [str(each) for each in value] if isinstance(value, tuple) else [str(value)]

    return PrimitiveConstructorSpec(
        nargs=(1, count) if optional and count > 1 else count,
        metavar=f"{metavar}|None" if optional else metavar,
        instance_from_str=from_words,
        is_instance=lambda _: True,
        str_from_instance=to_words,
    )


def _whole(words: list[str]) -> int:
    try:
        return int(words[0])
    except ValueError:
        raise ValueError(f"{words[0]!r}: expected a whole number") from None


def _number(words: list[str]) -> float:
    try:
        return float(words[0])
    except ValueError:
        raise ValueError(f"{words[0]!r}: expected a number") from None


def _pair(words: list[str]) -> tuple[float, float]:
    if len(words) != 2:
        raise ValueError(f"{words[0]!r}: expected two numbers")
    return _number(words[:1]), _number(words[1:])


_READERS: dict[Any, tuple[str, Callable[[list[str]], Any]]] = {
    int: ("INT", _whole),
    float: ("FLOAT", _number),
    str: ("STR", lambda words: words[0]),
    Path: ("PATH", lambda words: Path(words[0])),
}
