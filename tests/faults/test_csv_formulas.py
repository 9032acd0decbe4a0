"""No CSV that is written holds a cell that a spreadsheet would run, and all of it is read back as it was."""

import csv
import io
import itertools
import random
import re
from pathlib import Path

import pytest

from ebgan.cli.classify import NamedImage, write_table
from ebgan.cli.score import Scored, write_ranking
from ebgan.csv_cells import as_it_was, csv_text, safe
from ebgan.data.journal import PackFolder
from ebgan.data.tables import split_cells

RUN = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
HOSTILE = [
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''=1", "'-", "-", "="),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "a;=1+1", "a,=1", "a\t=1", "a\n=1", ';="', '"=1', "a;'=1", "|=1"),
]
HARMLESS = ["", "cat", "'cat'", "a=b", "a-b.png", "x@y", "1+1", "it's", "café.png", "a;b", " - "]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_made_safe_and_comes_back(text: str) -> None:
    for separator in (",", ";", "\t", "|"):
        assert not any(RUN.match(cell) for cell in safe(text).split(separator) if cell.strip(" "))
    assert as_it_was(safe(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_and_numbers_stay_as_they_are(text: str) -> None:
    assert (safe(text), as_it_was(text)) == (text, text)
    assert csv_text([(text, -1.5, 3)]).endswith(",-1.5,3\r\n")


def test_any_text_comes_back() -> None:
    letters = "'=-+@;,\t\r\n| aé\uff1d"
    chosen = random.Random(0)
    for text in itertools.chain(
        map("".join, itertools.product(letters, repeat=3)),
        ("".join(chosen.choices(letters, k=12)) for _ in range(2_000)),
    ):
        assert as_it_was(safe(text)) == text


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def test_every_table_that_is_written_is_safe_and_holds_all(tmp_path: Path) -> None:
    names = [text for text in HOSTILE if "\n" not in text and "\r" not in text]
    folder = PackFolder(tmp_path)
    folder.write_rejected([(name, f"={name}") for name in names])
    write_ranking([Scored(name, name, -1.0) for name in names], tmp_path / "ranking.csv")
    write_table([NamedImage(name, name, 0.5, -1.0) for name in names], tmp_path / "classes.csv")
    for path, place in ((folder.rejected, 0), (tmp_path / "ranking.csv", 1), (tmp_path / "classes.csv", 0)):
        rows = cells(path)[1:]
        assert not any(RUN.match(cell) for row in rows for cell in row[place : place + 2])
        assert [as_it_was(row[place]) for row in rows] == names
        assert [row[place] for row in split_cells(path.read_text("utf-8"))[1:]] == names
    assert all(row[3] == "-1.0" for row in cells(tmp_path / "ranking.csv")[1:])
