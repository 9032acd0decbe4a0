"""CSV whose text no spreadsheet runs as a formula, and that can be read back unchanged.

A spreadsheet takes a cell that begins with = + - @, a tab or a line break for a formula. As OWASP advises ("CSV
Injection"), such text gets a single quote in front. So does such text after a separator within a cell, since a
spreadsheet may split cells at separators other than the comma. Numbers are written as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_BEGINS = r"(?<![^;,\t\r\n|])"  # at the start of a cell, or after a separator
_FORMULA = r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # the last four are the wide forms of = + - @

_UNSAFE = re.compile(f"{_BEGINS}({_FORMULA})")
_MADE_SAFE = re.compile(f"{_BEGINS}'({_FORMULA})")


def csv_text(rows: Iterable[Sequence[str | float]]) -> str:
    """Rows as CSV, with `safe` applied to text."""
    text = io.StringIO()
    csv.writer(text).writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def safe(cell: str) -> str:
    """Text with quotes in front of what a spreadsheet would run."""
    return _UNSAFE.sub(r"'\1", cell)


def as_it_was(cell: str) -> str:
    """Undo `safe`; other text is returned unchanged."""
    return _MADE_SAFE.sub(r"\1", cell)
