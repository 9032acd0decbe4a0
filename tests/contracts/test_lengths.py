"""Every file and function of the package can be read at once."""

import ast
from pathlib import Path

import ebgan

FILE, FUNCTION = 250, 40  # lines, those of a docstring not counted
SOURCES = sorted(Path(ebgan.__file__).parent.rglob("*.py"))


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > FILE} == {}


def test_no_function_is_long() -> None:
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and length(node) > FUNCTION:
                long.append(f"{path}:{node.lineno} {node.name}")
    assert long == []


def length(function: ast.FunctionDef) -> int:
    """The lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return lines
    return lines - ((first.end_lineno or 0) - first.lineno + 1)
