"""Classes from outside the project in a config: how they are named, found again, and refused."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from ebgan import config
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, parse_experiment, read_experiment, refuse_unkeepable
from ebgan.experiment.foreign import code_files, find_class, foreign_classes, unannounced
from ebgan.objectives import EBGAN, Objective, Scheduled, Stateless
from ebgan.records import Losses
from ebgan.schedules import Linear, Schedule
from ebgan.user_code import load_file, load_files

GROUP = "ebgan.objectives"
CLASS = """
from dataclasses import dataclass
from ebgan.objectives import Objective, Stateless

@dataclass(frozen=True, kw_only=True)
class Mine(Objective[Stateless]):
    margin: float = 1.0
    def discriminator(self, state, real, fake, batch): ...
    def generator(self, state, fake, sample): ...

class Outer:
    @dataclass(frozen=True, kw_only=True)
    class Inner(Mine):
        pass
"""


class Silent(Objective[Stateless]):
    """What all objectives here have in common."""

    def discriminator(self, state, real, fake, batch) -> Losses:
        raise NotImplementedError

    def generator(self, state, fake, sample) -> Losses:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Part:
    """A dataclass within an objective."""

    rate: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Rich(Silent):
    """Fields of every type that a config can keep."""

    whole: int = 3
    number: float | Tensor = 1e-5
    text: str = "a: 'b'"
    flag: bool = True
    choice: Literal["one", "two"] = "two"
    sizes: tuple[int, ...] = (3, 4)
    pair: tuple[float, float] | None = None
    part: Part = Part(rate=0.25)
    schedule: Schedule = Linear(start=1.0, end=0.0, finish=10)
    inner: Objective[Any] = EBGAN(margin=2.0)
    more: dict[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Odd(Silent):
    """A field of any value."""

    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Listed(Silent):
    """A field that is a list."""

    sizes: list[int] = field(default_factory=lambda: [1, 2])


@dataclass(frozen=True, kw_only=True)
class Steep(Schedule):
    """A schedule, which has no group of entry points."""

    height: float = 2.0

    def at(self, images: Tensor) -> Tensor:
        return torch.full_like(images, self.height, dtype=torch.float32)

    @property
    def values_met(self) -> tuple[float, ...]:
        return (self.height,)


class Plain(Silent):
    """No dataclass."""


def back(experiment: Experiment) -> Experiment:
    return parse_experiment(experiment.to_yaml(), "config.yaml")


@pytest.mark.parametrize(
    "objective",
    [
        Rich(),
        Rich(number=7.0, pair=(1.0, -2.0), sizes=(), inner=Rich(flag=False), more={"a": Part(rate=1.0)}),
        Scheduled(EBGAN(margin=10.0), margin=Steep()),
    ],
)
def test_a_class_of_the_program_goes_through_yaml_and_back(objective: Objective[Any]) -> None:
    experiment = Experiment(objective=objective)
    refuse_unkeepable(experiment)
    assert back(experiment) == experiment
    assert back(experiment).hash == experiment.hash


def test_it_is_named_by_its_module() -> None:
    assert config.class_name(Rich) == f"{__name__}:Rich"
    assert config.class_name(EBGAN) == "EBGAN"
    assert foreign_classes(Experiment(objective=Rich())) == [Rich]
    assert foreign_classes(Experiment()) == []


@pytest.mark.parametrize("way", ["code", "import", "script"])
def test_a_single_file_gives_its_name_however_it_is_loaded(folder_of_code: Path, monkeypatch, way: str) -> None:
    file = folder_of_code / "my_losses.py"
    file.write_text(CLASS)
    module = load_file(file)
    if way != "code":
        module.Mine.__module__ = name = {"import": "my_losses", "script": "__main__"}[way]
        monkeypatch.setitem(sys.modules, name, module)
    experiment = Experiment(objective=module.Mine())
    assert "type: my_losses.py:Mine" in experiment.to_yaml()
    assert code_files(experiment) == [file]
    assert unannounced(experiment) == []
    assert back(experiment) == experiment


def test_classes_within_classes_have_names_too(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_text(CLASS)
    experiment = Experiment(objective=load_file("mine.py").Outer.Inner(margin=3.0))
    assert "type: mine.py:Outer.Inner" in experiment.to_yaml()
    assert back(experiment) == experiment


def test_of_two_files_of_one_name_the_one_that_was_given_last_is_read(folder_of_code: Path) -> None:
    for name, margin in (("a", 1.0), ("b", 2.0)):
        (folder_of_code / name).mkdir()
        (folder_of_code / name / "mine.py").write_text(CLASS.replace("1.0", str(margin)))
    for name, margin in (("a", 1.0), ("b", 2.0), ("a", 1.0)):
        load_files([f"{name}/mine.py"])
        assert parse_experiment("objective: {type: 'mine.py:Mine'}", "x").objective.margin == margin
    other = load_file("b/mine.py").Mine()
    load_file("a/mine.py")
    with pytest.raises(UsageError, match=r"objective: Mine\(margin=2.0\) would be read back .* a name of its own"):
        refuse_unkeepable(Experiment(objective=other))


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (Odd(value=torch.ones(2)), r"^objective.value: a config.yaml cannot hold a Tensor. Classes of your own are"),
        (Odd(value=print), r"^objective.value: a config.yaml cannot hold a builtin_function_or_method"),
        (Odd(value={1, 2}), r"^objective.value: a config.yaml cannot hold a set"),
        (Odd(value=Path("x")), r"^objective.value: a config.yaml cannot hold a \w*Path"),
        (Odd(value=b"x"), r"^objective.value: a config.yaml cannot hold a bytes"),
        (Odd(value=1j), r"^objective.value: a config.yaml cannot hold a complex"),
        (Odd(value=(1, (2, object()))), r"^objective.value.1.1: a config.yaml cannot hold a object"),
        (Odd(value=int), r"^objective.value: a config.yaml cannot hold a type"),
        (Odd(value=3), r"objective.value: '3'; expected Any"),
        (Listed(), r"objective.sizes: a list of 2; expected list"),
        (Rich(whole=2.5), r"objective.whole: '2.5'; expected int"),
        (Rich(number=torch.ones(())), r"^objective.number: a config.yaml cannot hold a Tensor"),
        (Rich(text=None), r"objective.text: 'null'; expected str"),
        (Rich(inner=Odd(value=object())), r"^objective.inner.value: a config.yaml cannot hold a object"),
        (Plain(), r"^objective: a config.yaml cannot hold a Plain. Classes of your own are frozen dataclasses"),
    ],
)
def test_a_field_that_a_config_cannot_keep_is_named(objective: Objective[Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_unkeepable(Experiment(objective=objective))


def test_a_type_that_only_a_type_checker_knows_is_refused() -> None:
    hidden = type("Hidden", (Silent,), {"__annotations__": {"value": "NoSuchType"}, "value": 1, "__module__": __name__})
    experiment = Experiment(objective=dataclass(frozen=True, kw_only=True)(hidden)())
    with pytest.raises(UsageError, match=r"the type of a field .* cannot be found: name 'NoSuchType' is not defined"):
        refuse_unkeepable(experiment)


def test_a_package_is_found_by_module_and_class_or_by_the_name_of_the_entry_point(install) -> None:
    install("strange", {GROUP: {"Odd": "strange_losses:Mine"}}, strange_losses=CLASS)
    written = [parse_experiment(f"objective: {{type: '{name}'}}", "x") for name in ("Odd", "strange_losses.py:Mine")]
    assert written[0] == written[1]
    assert "type: strange_losses.py:Mine" in written[0].to_yaml()
    assert (code_files(written[0]), unannounced(written[0])) == ([], [])


def test_a_class_is_found_where_only_a_recipe_imports_it(install) -> None:
    install("strange", {"ebgan.recipes": {"r": "strange_losses:make"}}, strange_losses=f"{CLASS}\ndef make(): ...\n")
    assert parse_experiment("objective: {type: 'strange_losses.py:Mine'}", "x").objective.margin == 1.0


def test_the_name_of_one_of_ours_means_ours(install) -> None:
    install("strange", {GROUP: {"EBGAN": "strange_losses:Mine"}}, strange_losses=CLASS)
    assert type(parse_experiment("objective: {type: EBGAN}", "x").objective) is EBGAN


def test_a_name_of_two_packages_is_refused_with_both(install) -> None:
    for name in ("first", "second"):
        install(name, {GROUP: {"Odd": f"{name}_losses:Mine"}}, **{f"{name}_losses": CLASS})
    with pytest.raises(UsageError, match=r"x, line 1: objective.type: 'Odd': Odd: the packages first and second have"):
        parse_experiment("objective: {type: Odd}", "x")
    assert parse_experiment("objective: {type: 'second_losses.py:Mine'}", "x").objective.margin == 1.0


@pytest.mark.parametrize(
    ("name", "value", "text", "said"),
    [
        ("Odd", "broken:Mine", "import no_such_module", "the package broken: .* cannot be imported: ModuleNotFound"),
        ("broken.py:Mine", "broken:Mine", "1 / 0", "the package broken: .* cannot be imported: ZeroDivisionError"),
        ("Odd", "broken:Mine", "Mine = 3", "the package broken: .* is not a class that derives from Objective"),
        ("Odd", "broken:Mine", "class Mine: pass", "the package broken: .* is not a class that derives from Objective"),
        ("broken.py:Other", "broken:Mine", CLASS, "'broken.py:Other': a class of a file: give the file by --code"),
        ("broken.sub:Other", "broken:Mine", CLASS, "no installed package announces this class under ebgan.objectives"),
    ],
)
def test_a_broken_package_is_named(install, name: str, value: str, text: str, said: str) -> None:
    install("broken", {GROUP: {"Odd": value}}, broken=text)
    with pytest.raises(UsageError, match=rf"x, line 1: objective.type: .*{said}"):
        parse_experiment(f"objective: {{type: '{name}'}}", "x")


def test_a_class_of_another_kind_is_not_taken(install) -> None:
    install("strange", {GROUP: {"Odd": "strange_losses:Mine"}}, strange_losses=CLASS)
    with pytest.raises(UsageError, match=r"energy.type: 'Odd'; known are AutoencoderEnergy"):
        parse_experiment("energy: {type: Odd}", "x")
    with pytest.raises(UsageError, match=r"energy.type: .*no installed package announces|a class of a file"):
        parse_experiment("energy: {type: 'strange_losses.py:Mine'}", "x")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.py:Mine", r"a class of a file: give the file by --code mine.py, in Python by code='mine.py'$"),
        ("__main__:Mine", r"a class of an interactive program: define it again there, or put it into a file"),
        ("a.b:Mine", r"no installed package announces this class under ebgan.objectives: install the package"),
    ],
)
def test_a_class_that_is_not_there_is_answered_with_how_to_have_it(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"x, line 2: objective.type: '{name}': {said}"):
        parse_experiment(f"seed: 0\nobjective: {{type: '{name}'}}", "x")


def test_the_classes_that_are_there_instead_are_named(folder_of_code: Path) -> None:
    (folder_of_code / "hers.py").write_text(CLASS)
    load_file("hers.py")
    with pytest.raises(UsageError, match=r"code='mine.py'. The files that are loaded have hers.py:Mine, hers.py:Outer"):
        parse_experiment("objective: {type: 'mine.py:Mine'}", "x")


def test_the_file_that_a_run_was_made_from_is_told_as_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("objective: {type: 'mine.py:Mine'}")
    (tmp_path / "code.txt").write_bytes("/there/mine.py\n/there/\x1b[31m\xffother.py\n".encode("latin-1"))
    with pytest.raises(UsageError) as refused:
        read_experiment(tmp_path / "config.yaml")
    assert str(refused.value).endswith("The run was made from /there/mine.py, /there/[31m�other.py")


def test_a_name_without_a_colon_that_nobody_has_is_compared_with_ours() -> None:
    assert find_class("EBGANN", Objective) is None
    with pytest.raises(UsageError, match=r"'EBGANN'; did you mean 'EBGAN'\?"):
        parse_experiment("objective: {type: EBGANN}", "x")


def test_a_class_that_was_taken_out_of_a_file_is_gone(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_text(CLASS)
    load_file("mine.py")
    (folder_of_code / "mine.py").write_text(CLASS.replace("Mine", "Hers"))
    load_file("mine.py")
    with pytest.raises(UsageError, match=r"'mine.py:Mine': the file mine.py that is loaded .* mine.py:Hers"):
        parse_experiment("objective: {type: 'mine.py:Mine'}", "x")


def test_values_that_are_changed_are_kept(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_text(CLASS)
    experiment = Experiment(objective=load_file("mine.py").Mine())
    changed = replace(experiment, objective=replace(experiment.objective, margin=2.5))
    assert back(changed).objective.margin == 2.5
    assert changed.hash != experiment.hash
