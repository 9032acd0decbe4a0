"""CSV that a spreadsheet shows and does not run, and that is read back as it was.

A spreadsheet takes a cell that begins with = + - @, a tab or a line's end for a formula. As OWASP advises ("CSV
Injection"), such text gets a single quote in front; so does such text after a separator within a cell, since a
spreadsheet may cut cells at another one than the comma. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_BEGINS = r"(?<![^;,\t\r\n|])"  # at the start of a cell, or of what may be taken for one
_FORMULA = r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # the last four are the wide forms of = + - @

_UNSAFE = re.compile(f"{_BEGINS}({_FORMULA})")
_MADE_SAFE = re.compile(f"{_BEGINS}'({_FORMULA})")


def csv_text(rows: Iterable[Sequence[str | float]]) -> str:
    """Rows as CSV with their texts made safe."""
    text = io.StringIO()
    csv.writer(text).writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def safe(cell: str) -> str:
    """The text of a cell such that no spreadsheet runs it."""
    return _UNSAFE.sub(r"'\1", cell)


def as_it_was(cell: str) -> str:
    """The text that `safe` was given; other text is returned as it is."""
    return _MADE_SAFE.sub(r"\1", cell)
