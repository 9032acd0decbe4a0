"""Python files that a user names: `mine.py` by `--code`, or `mine.py:make` as a recipe.

A file is loaded as the module `mine.py`: a name that no import statement can ask for, so that a file called `random.py`
does not stand in for the standard module. Only paths that the user gives come here, never one that a file contains.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from ebgan.errors import EbganError, UsageError

SUFFIX = ".py"
Found = TypeVar("Found")

_CODE = re.compile(r"(?P<path>.*\.py)(?P<rest>:.*)?", re.IGNORECASE | re.DOTALL)  # C:\x\mine.py:make has two colons


@dataclass(frozen=True)
class _Loaded:
    source: bytes
    module: ModuleType


_LOADED: dict[Path, _Loaded] = {}


def is_code(word: str) -> bool:
    """Whether a word stands for a Python file, or for a function of one."""
    return _CODE.fullmatch(word) is not None


def stem(word: str) -> str:
    """`mine.make` for `path/to/mine.py:make`: a name for a folder."""
    path, name = _parts(word)
    return f"{Path(path).stem}.{name}" if name else Path(path).stem


def loaded_files() -> list[Path]:
    """The files that this process has loaded, each the last one of its name."""
    return [path for path, each in _LOADED.items() if sys.modules.get(path.name) is each.module]


def load_files(given: Iterable[str | Path]) -> list[ModuleType]:
    """The modules of several files. Raises UsageError for one that cannot be loaded and for two of the same name."""
    paths = [_absolute(each) for each in given]
    for place, path in enumerate(paths):
        for other in paths[:place]:
            if other != path and other.name == path.name:
                raise UsageError(f"{other} and {path}: classes are known by the name of their file: rename one of them")
    return [load_file(path) for path in paths]


def load_file(given: str | Path) -> ModuleType:
    """The module of a Python file, which is run once for each content. Modules beside it can be imported by it.

    What it prints goes to standard error. Raises UsageError that names the file, and the line if there is one.
    """
    path = _absolute(given)
    source = _source(path)
    known = _LOADED.get(path)
    if known is None or known.source != source:
        known = _Loaded(source, _run(path, source))
    _LOADED[path] = known
    sys.modules[path.name] = known.module
    return known.module


def function_of(word: str) -> Callable[..., Any]:
    """The function that `mine.py:make` stands for. Raises UsageError that says what the file has instead."""
    given, name = _parts(word)
    path = _absolute(given)
    if not name.isidentifier():
        _compiled(path, _source(path))
        raise UsageError(f"{word}: name one of the functions in the file: {_choices(given, path)}")
    module = load_file(path)
    found = vars(module).get(name)
    if found is None:
        raise UsageError(f"{given}: has no function {name}: {_choices(given, path)}")
    if not callable(found):
        raise UsageError(
            f"{word}: is of the type {type(found).__name__}: write a function that returns it: `def make(): return ...`"
        )
    function: Callable[..., Any] = found
    return function


def carried_out(work: Callable[[], Found], path: Path) -> Found:
    """The result of code of a file. Raises UsageError with the line of the file if the code raises an error."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return work()
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f"{path}, line {lines[-1]}" if lines else str(path)
        kind = "" if isinstance(error, EbganError) else f"{type(error).__name__}: "
        raise UsageError(f"{place}: {kind}{error}") from error


def _run(path: Path, source: bytes) -> ModuleType:
    code = _compiled(path, source)
    module, before = ModuleType(path.name), sys.modules.get(path.name)
    module.__file__ = str(path)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end: no module beside the file hides an installed one
    sys.modules[path.name] = module  # which dataclasses look up
    try:
        carried_out(lambda: exec(code, vars(module)), path)
    except BaseException:
        del sys.modules[path.name]
        if before is not None:
            sys.modules[path.name] = before
        raise
    return module


def _compiled(path: Path, source: bytes) -> Any:
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise UsageError(f"{path}{line}: not valid Python: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid Python: {error}") from error


def _absolute(given: str | Path) -> Path:
    path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - links stay: they give the file its name
    if path.suffix.lower() != SUFFIX:
        alone, name = _parts(str(given))
        hint = f": give the file alone, {alone}" if name else ""
        raise UsageError(f"{given}: expected a Python file, whose name ends in {SUFFIX}{hint}")
    return path


def _source(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as a Python file: {getattr(error, 'strerror', error)}") from error


def _parts(word: str) -> tuple[str, str]:
    """The file and the function, "" where none is named."""
    match = _CODE.fullmatch(word)
    return (match["path"], (match["rest"] or "").removeprefix(":")) if match else (word, "")


def _choices(given: str, path: Path) -> str:
    """The functions at the top of a file, as they may be given."""
    tree = ast.parse(_source(path))
    names = [each.name for each in tree.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
    return ", ".join(f"{given}:{name}" for name in names) or "there is none that could be a recipe"
