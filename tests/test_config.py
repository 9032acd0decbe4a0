"""A config is read strictly: whatever does not fit is named with its file, line and key."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from ebgan import config
from ebgan.errors import UsageError


class Shape:
    """An abstract kind, as an objective is."""


@dataclass(frozen=True, kw_only=True)
class Circle(Shape):
    radius: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Square(Shape):
    side: float

    def __post_init__(self) -> None:
        if self.side < 0:
            raise ValueError(f"side={self.side}: expected at least 0")


@dataclass(frozen=True, kw_only=True)
class Paint:
    colour: Literal["red", "blue"] = "red"
    coats: int = 1


@dataclass(frozen=True, kw_only=True)
class Picture:
    name: str = "picture"
    shape: Shape = Circle()
    paint: Paint = Paint()
    limits: tuple[float, float] = (-1.0, 1.0)
    places: tuple[int, ...] = ()
    weight: float | None = None
    turns: int | Shape = 1
    sizes: dict[str, Shape] = field(default_factory=dict)
    framed: bool = False


REGISTRY = {"Circle": Circle, "Square": Square}


def read(text: str) -> Picture:
    return config.from_yaml(text, Picture, REGISTRY, "my.yaml", written_by_its_module)


def written_by_its_module(name: str, declared: type) -> type | None:
    """The class of this file, which is not of the project, by the name that YAML has for it."""
    module, _, kind = name.partition(":")
    return REGISTRY.get(kind) if module == __name__ else None


@pytest.mark.parametrize(
    "picture",
    [
        Picture(),
        Picture(shape=Square(side=2.5), paint=Paint(colour="blue", coats=3), limits=(0.0, 1.0), places=(3, 1, 2)),
        Picture(weight=1e-4, turns=Circle(radius=1e-30), sizes={"a": Circle(), "b": Square(side=0.0)}, framed=True),
        Picture(name="null", weight=float("inf")),
        Picture(name="12"),
        Picture(name="été: 'two'\nlines"),
    ],
)
def test_what_is_written_is_read_back_the_same(picture: Picture) -> None:
    assert read(config.to_yaml(picture)) == picture


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("1.0e-4", 1e-4), ("3", 3.0), (".inf", float("inf")), ("null", None), ("~", None), ("", None)],
)
def test_a_number_may_be_written_as_people_write_it(text: str, value: float | None) -> None:
    weight = read(f"weight: {text}").weight
    assert weight == value
    assert type(weight) is type(value)


def test_what_is_left_out_has_its_default() -> None:
    assert read("name: mine") == Picture(name="mine")
    assert read("shape: {type: Circle}").shape == Circle()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nweigth: 1", "my.yaml, line 2: weigth: unknown; did you mean 'weight'?"),
        ("zzz: 1", "my.yaml, line 1: zzz: unknown; known are framed, limits, name"),
        ("name: a\npaint:\n  coats: 1\n  colr: red", "my.yaml, line 4: paint.colr: unknown; did you mean 'colour'?"),
        ("name: a\nweight: 1\nname: b", "my.yaml, line 3: name: a duplicate key"),
        ("paint:\n  coats: 1.5", "my.yaml, line 2: paint.coats: '1.5'; expected int"),
        ("paint:\n  coats: yes", "my.yaml, line 2: paint.coats: 'yes'; expected int"),
        ("paint: {coats: true}", "my.yaml, line 1: paint.coats: 'true'; expected int"),
        ("paint: {colour: green}", "my.yaml, line 1: paint.colour: 'green'; expected red | blue"),
        ("paint: red", "my.yaml, line 1: paint: 'red'; expected Paint"),
        ("framed: yes", "my.yaml, line 1: framed: 'yes'; expected bool"),
        ("name: 3", "my.yaml, line 1: name: '3'; expected str"),
        ("name: [a]", "my.yaml, line 1: name: a list of 1; expected str"),
        ("name: {a: b}", "my.yaml, line 1: name: a mapping; expected str"),
        ("weight: heavy", "my.yaml, line 1: weight: 'heavy'; expected float or null"),
        ("weight: '1.0'", "my.yaml, line 1: weight: '1.0'; expected float or null"),
        ("limits: [0.0, 1.0, 2.0]", "my.yaml, line 1: limits: a list of 3; expected"),
        ("limits:\n- 0.0\n- low", "my.yaml, line 3: limits[1]: 'low'; expected float"),
        ("shape: {radius: 1.0}", "my.yaml, line 1: shape.type: missing; one of Circle, Square"),
        ("shape: {type: Circel}", "my.yaml, line 1: shape.type: 'Circel'; did you mean 'Circle'?"),
        ("shape: {type: Paint}", "my.yaml, line 1: shape.type: 'Paint'; known are Circle, Square"),
        ("shape: {type: {type: Circle}}", "my.yaml, line 1: shape.type: expected a name, one of Circle, Square"),
        pytest.param("[" * 5000, "my.yaml: not valid YAML: maximum recursion depth exceeded", id="5000 lists"),
        ("shape: {type: os.system}", "my.yaml, line 1: shape.type: 'os.system'; known are"),
        ("shape:\n  type: Square", "my.yaml, line 2: shape.side: missing; Square needs it"),
        ("shape:\n  type: Square\n  side: -1", "my.yaml, line 2: shape: side=-1.0: expected at least 0"),
        ("sizes:\n  a: {type: Circle, radius: big}", "my.yaml, line 2: sizes.a.radius: 'big'; expected float"),
        ("name: !!python/object:os.system ls", "my.yaml, line 1: name: the tag tag:yaml.org,2002:python/object"),
        ("shape: !Circle {radius: 1.0}", "my.yaml, line 1: shape: the tag !Circle; only plain values are read"),
        ("paint: &p {coats: 2}\nshape: *p", "my.yaml, line 1: shape: an alias; write the value out"),
        ("", "my.yaml: is empty; expected the fields of Picture"),
        ("# nothing", "my.yaml: is empty; expected the fields of Picture"),
        ("just words", "my.yaml, line 1: the file: 'just words'; expected Picture"),
        ("- 1\n- 2", "my.yaml, line 1: the file: a list of 2; expected Picture"),
        ("name: [", "my.yaml: not valid YAML:"),
        ("name: a\x00b", "my.yaml: not valid YAML:"),
        ("name: a\n---\nname: b", "my.yaml: not valid YAML:"),
        ("? [a, b]\n: 1", "my.yaml, line 1: the file: a key that is not a word"),
        ("1: 2", "my.yaml, line 1: 1: unknown; known are"),
        ("<<: {name: a}", "my.yaml, line 1: <<: unknown; known are"),
    ],
)
def test_what_does_not_fit_is_named_with_file_line_and_key(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(text)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)
