"""Classes from outside the project: of installed packages, of a user's file, of the program that runs.

A config names such a class as `MODULE:CLASS`. The name is compared with the classes that this process has and with the
entry points of installed packages; it is never imported. What is imported is what a package announces or a user names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

from ebgan import config, packages
from ebgan.config import class_name, is_foreign
from ebgan.energies import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.objectives import Objective
from ebgan.samplers import Sampler
from ebgan.user_code import SUFFIX, loaded_files

GROUPS: dict[str, tuple[type, ...]] = {  # of entry points, with the classes that they derive from
    "ebgan.objectives": (Objective,),
    "ebgan.energies": (Energy,),
    "ebgan.nets": (GeneratorSpec, DiscriminatorSpec),
    "ebgan.samplers": (Sampler,),
}
RECIPES = "ebgan.recipes"  # whose modules import the classes of their experiments


def find_class(name: str, declared: type) -> type | None:
    """Find the class that a config names for a field of type `declared`.

    The name is `MODULE:CLASS` or that of an entry point; None for other names. Raises UsageError that says how to
    provide the class, if it is neither in this process nor announced by an installed package.
    """
    if ":" not in name:
        entry = packages.find(name, _groups(declared))
        return _announced(entry) if entry else None
    if found := _living(name, declared):
        return found
    failed: UsageError | None = None
    for entry in _of_package(name):
        try:
            packages.load(entry)
        except UsageError as error:
            failed = failed or error
        if found := _living(name, declared):
            return found
    raise failed or UsageError(_how_to_have(name, declared))


def foreign_classes(value: object) -> list[type]:
    """The classes from outside the project that the YAML text of a tree names."""
    return [kind for kind in dict.fromkeys(config.kinds(value)) if is_foreign(kind)]


def code_files(value: object) -> list[Path]:
    """The files that define such classes and that the command line needs, each by `--code FILE`."""
    found = []
    for kind in foreign_classes(value):
        file = Path(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")
        if class_name(kind).partition(":")[0] == file.name and not _is_announced(kind):
            found.append(file.absolute())
    return list(dict.fromkeys(found))


def unannounced(value: object) -> list[str]:
    """The names of such classes that can be read neither from a file nor from an installed package."""
    files = {file.name for file in code_files(value)}
    needed = [kind for kind in foreign_classes(value) if not _is_announced(kind)]
    return [name for name in map(class_name, needed) if name.partition(":")[0] not in files]


def _groups(declared: type) -> list[str]:
    """The groups whose classes a field may hold."""
    return [group for group, bases in GROUPS.items() if any(issubclass(base, declared) for base in bases)]


def _living(name: str, declared: type) -> type | None:
    """The class of a name in this process: of several, the one that its module now holds, or else the last one."""
    found = [kind for kind in _below(declared) if is_foreign(kind) and class_name(kind) == name and _is_there(kind)]
    held = [kind for kind in found if _names_beside(kind).get(kind.__name__) is kind]
    return next(reversed(held or found), None)


def _is_there(kind: type) -> bool:
    """Whether the module of a class still has it: a file may have been loaded again, without it."""
    return kind.__qualname__.partition(".")[0] in _names_beside(kind)


def _names_beside(kind: type) -> dict[str, object]:
    """The names at the top of the module of a class."""
    module = sys.modules.get(kind.__module__)
    return vars(module) if module else {}


def _below(kind: type) -> Iterator[type]:
    yield kind
    below: list[type] = kind.__subclasses__()
    for each in below:
        yield from _below(each)


def _of_package(name: str) -> list[EntryPoint]:
    """The entry points of the package that a name begins with; those of the class itself come first."""
    top = name.partition(":")[0].partition(".")[0]
    found = [each for each in packages.offered() if each.group in (*GROUPS, RECIPES) and _top(each) == top]
    return sorted(found, key=lambda each: each.value.rpartition(":")[2].strip() != name.rpartition(":")[2])


def _top(entry: EntryPoint) -> str:
    return entry.value.partition(":")[0].partition(".")[0].strip()


def _announced(entry: EntryPoint) -> type:
    """The class of an entry point. Raises UsageError that names the package, for what is no class of its group."""
    found = packages.load(entry)
    if not (isinstance(found, type) and issubclass(found, GROUPS[entry.group])):
        bases = " or ".join(base.__name__ for base in GROUPS[entry.group])
        raise packages.broken(entry, f"is not a class that derives from {bases}")
    return found


def _is_announced(kind: type) -> bool:
    """Whether the package of a class is installed and has entry points, which should import it."""
    return not kind.__module__.endswith(SUFFIX) and bool(_of_package(f"{kind.__module__}:{kind.__qualname__}"))


def _how_to_have(name: str, declared: type) -> str:
    module = "".join(letter for letter in name.partition(":")[0] if letter.isprintable())
    if module in {file.name for file in loaded_files()}:
        return f"the file {module} that is loaded has no such class{_others(declared)}"
    if module.endswith(SUFFIX):
        return f"a class of a file: give the file by --code {module}, in Python by code={module!r}{_others(declared)}"
    if module == "__main__":
        return (
            "a class of an interactive program: define it again there, or put it into a file: write FILE.py:CLASS here "
            f"and give --code FILE.py{_others(declared)}"
        )
    groups = " or ".join(_groups(declared))
    wanted = f" under {groups}" if groups else ""
    return f"no installed package announces this class{wanted}: install the package that has it{_others(declared)}"


def _others(declared: type) -> str:
    """What the loaded files have in place of a class that was not found."""
    names = {file.name for file in loaded_files()}
    found = [class_name(kind) for kind in _below(declared) if kind.__module__ in names and _is_there(kind)]
    return f". The files that are loaded have {', '.join(dict.fromkeys(found))}" if found else ""
