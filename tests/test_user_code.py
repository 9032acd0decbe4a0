"""Python files that a user names: what is loaded, what it is called, and what is said of those that cannot be."""

import os
import random
import sys
from pathlib import Path

import pytest

from ebgan.errors import DataError, UsageError
from ebgan.user_code import carried_out, function_of, is_code, load_file, load_files, stem


@pytest.mark.parametrize(
    ("word", "code"),
    [
        *(("mine.py", True), ("mine.py:make", True), ("a b/mine.py:make", True), (r"C:\x\mine.py:make", True)),
        *((r"C:\x\mine.py", True), ("/x/mine.py:", True), ("MINE.PY:make", True), ("~/mine.py", True)),
        *(("digits", False), ("mnist.ebgan", False), ("config.yaml", False), ("mine:make", False), ("", False)),
        *(("runs/mine.python", False), ("mine.pyc", False), ("mine.py.yaml", False)),
    ],
)
def test_a_word_is_code_if_it_names_a_python_file(word: str, code: bool) -> None:
    assert is_code(word) == code


def test_the_name_of_a_folder_holds_file_and_function() -> None:
    assert [stem(word) for word in ("a b/mine.py:make", "mine.py", "../x.py:y")] == ["mine.make", "mine", "x.y"]


@pytest.mark.parametrize("given", ["mine.py:make", "./mine.py:make", "sub/../mine.py:make", "{here}/mine.py:make"])
def test_a_function_is_found_by_any_path(folder_of_code: Path, given: str) -> None:
    (folder_of_code / "sub").mkdir()
    (folder_of_code / "mine.py").write_text("def make():\n    return __name__\n")
    function = function_of(given.format(here=folder_of_code))
    assert function() == "mine.py"
    assert function is function_of("mine.py:make")


def test_a_home_folder_is_expanded(folder_of_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder_of_code))
    (folder_of_code / "mine.py").write_text("def make(): return 3\n")
    assert function_of("~/mine.py:make")() == 3


def test_a_link_gives_the_file_its_name(folder_of_code: Path) -> None:
    (folder_of_code / "there.py").write_text("def make(): return __name__\n")
    (folder_of_code / "here.py").symlink_to("there.py")
    assert function_of("here.py:make")() == "here.py"


def test_a_file_that_has_changed_is_run_again_and_another_one_is_not(folder_of_code: Path) -> None:
    file = folder_of_code / "mine.py"
    file.write_text("one = object()\n")
    first = load_file(file)
    assert load_file("mine.py") is first
    file.write_text("one = object()\ntwo = 2\n")
    assert load_file(file).two == 2
    assert sys.modules["mine.py"] is not first


@pytest.mark.parametrize("name", ["random.py", "types.py", "torch.py", "ebgan.py"])
def test_the_name_of_another_module_disturbs_nobody(folder_of_code: Path, name: str) -> None:
    module = sys.modules[name.removesuffix(".py")]
    (folder_of_code / name).write_text(f"import {name.removesuffix('.py')} as other\ndef make(): return other\n")
    assert function_of(f"{name}:make")() is module
    assert sys.modules[name.removesuffix(".py")] is module
    assert random.random() < 1


def test_modules_beside_a_file_can_be_imported_and_hide_no_installed_one(folder_of_code: Path) -> None:
    (folder_of_code / "beside_mine.py").write_text("value = 7\n")
    (folder_of_code / "colorsys.py").write_text("raise AssertionError\n")
    (folder_of_code / "mine.py").write_text("import colorsys\nfrom beside_mine import value\n")
    assert load_file("mine.py").value == 7


def test_what_a_file_prints_goes_to_standard_error(folder_of_code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder_of_code / "mine.py").write_text("print('read')\ndef make():\n    print('called')\n")
    carried_out(function_of("mine.py:make"), folder_of_code / "mine.py")
    assert capsys.readouterr() == ("", "read\ncalled\n")


def test_the_part_of_a_script_that_runs_it_is_left_out(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_text("if __name__ == '__main__':\n    raise AssertionError\n")
    load_file("mine.py")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def make(:\n", "mine.py, line 1: not valid Python: "),
        ("x = 1\nclass\n", "mine.py, line 2: not valid Python: invalid syntax"),
        ("def make():\n\tx\n        y\n", "mine.py, line 3: not valid Python: "),
        ("x = 1\n1 / 0\n", "mine.py, line 2: ZeroDivisionError: division by zero"),
        ("import no_such_module\n", "mine.py, line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit('bye')\n", "mine.py, line 2: SystemExit: bye"),
        ("from mine import make\n", "mine.py, line 1: ImportError: cannot import name 'make' from"),
        ("x = (" * 500, "mine.py.*: not valid Python: "),
        ("\0", "mine.py.*: not valid Python: .*null bytes"),
        ("# coding: nonsense\n", "mine.py.*: not valid Python: .*nonsense"),
    ],
)
def test_a_file_that_cannot_be_run_is_named_with_the_line(folder_of_code: Path, text: str, said: str) -> None:
    (folder_of_code / "mine.py").write_text(text)
    with pytest.raises(UsageError, match=said):
        load_file("mine.py")
    assert "mine.py" not in sys.modules


def test_latin_letters_that_are_not_utf8_are_refused(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_bytes(b"name = '\xe9t\xe9'\n")
    with pytest.raises(UsageError, match=r"mine.py.*: not valid Python: .*utf-8"):
        load_file("mine.py")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mine.py", "mine.py: name one of the functions in the file: mine.py:make, mine.py:other$"),
        ("mine.py:", "mine.py:: name one of the functions in the file: mine.py:make"),
        ("mine.py::make", "name one of the functions"),
        ("mine.py:make()", "name one of the functions"),
        ("mine.py:Inner.make", "name one of the functions"),
        ("mine.py:mak", "mine.py: has no function mak: mine.py:make, mine.py:other"),
        ("mine.py:value", "mine.py:value: is of the type int: write a function that returns it"),
        ("no.py:make", "no.py: there is no such file"),
        (r"C:\x\mine.py:make", r"C:\\x\\mine.py: there is no such file"),
        ("folder.py:make", "folder.py: cannot be read as a Python file: Is a directory"),
        ("bare.py", "bare.py: name one of the functions in the file: there is none"),
        ("mine.py/x.py:make", "mine.py/x.py: cannot be read as a Python file: Not a directory"),
        ("a\0.py:make", "cannot be read as a Python file: .*null"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(folder_of_code: Path, word: str, said: str) -> None:
    text = "value = 1\ndef make(): ...\ndef _hidden(): ...\ndef other(): ...\nclass Inner:\n    def make(self): ...\n"
    (folder_of_code / "mine.py").write_text(text)
    (folder_of_code / "bare.py").write_text("value = 1\n")
    (folder_of_code / "folder.py").mkdir()
    with pytest.raises(UsageError, match=said):
        function_of(word)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_named(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").touch(mode=0)
    with pytest.raises(UsageError, match=r"mine.py: cannot be read as a Python file: Permission denied"):
        load_file("mine.py")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["mine.py:make"], "expected a Python file, whose name ends in .py: give the file alone, mine.py"),
        (["mine"], "mine: expected a Python file, whose name ends in .py"),
        (["a/mine.py", "b/mine.py"], "classes are known by the name of their file: rename one of them"),
        ([""], "expected a Python file"),
    ],
)
def test_files_are_given_alone_and_have_names_of_their_own(folder_of_code: Path, given: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_files(given)


def test_an_error_of_ours_keeps_its_words_and_gets_its_line(folder_of_code: Path) -> None:
    (folder_of_code / "mine.py").write_text(
        "from ebgan.errors import DataError\ndef make():\n    raise DataError('no cats')\n"
    )
    with pytest.raises(UsageError, match=r"mine.py, line 3: no cats$") as refused:
        carried_out(function_of("mine.py:make"), folder_of_code / "mine.py")
    assert isinstance(refused.value.__cause__, DataError)
