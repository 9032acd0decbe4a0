r"""Find the picture that a file name in a table refers to.

A name is compared exactly, then ignoring case, then also ignoring the extension (an id, or a file that was converted).
Each time it may have fewer folders than the picture's path, or more (an absolute path, or one that includes the set's
folder); the shorter must be an end of the longer. `\` counts as `/`, and accented letters may be composed or
decomposed. A name that fits several pictures is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ebgan.data.kinds import counted, few, named_as_picture
from ebgan.data.layout import role
from ebgan.errors import DataError

SHOWN = 3  # names from the table, and from the pictures, in a message
_FRONT = re.compile(r"([A-Za-z]:)?(\./)*/*")
_Form = Callable[[str], str]


class TableRow(NamedTuple):
    """A row of a table."""

    line: int  # in the file, from 1
    name: str  # of a picture
    what: str  # the value in the column of interest: a label


class PictureNames:
    """The names of pictures, searched by the names that a table uses."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._indices: dict[_Form, tuple[_Index, _Index]] = {}

    def find(self, given: str) -> int | None:
        """The index of the picture that a name refers to, or None. Raises ValueError if it fits several."""
        for form in (_plain, str.casefold, _stem):
            whole, ends = self._index(form)
            path = form(_plain(given))
            for indices in self._candidates(path, whole, ends):
                if len(indices) > 1:
                    several = few([self.names[index] for index in indices], SHOWN)
                    mend = "write more of the path, or remove all pictures but one"
                    raise ValueError(f"{given}: fits several pictures ({several}): {mend}")
                return indices[0]
        return None

    def place_all(self, rows: Sequence[TableRow], source: str, strict: bool = False) -> dict[int, str]:
        """The value that a table's rows give for each picture, by the picture's index.

        Raises DataError for a name that fits several pictures, for two rows that contradict each other, and if no row
        fits a picture; with `strict`, also if any row fits none.
        """
        found: dict[int, str] = {}
        lost: list[TableRow] = []
        for row in rows:
            line, given, what = row
            where = f"{source}, line {line}"
            try:
                index = self.find(given)
            except ValueError as error:
                raise DataError(f"{where}: {error}") from error
            if index is None:
                lost.append(row)
            elif found.setdefault(index, what) != what:
                raise DataError(
                    f"{where}: {self.names[index]} is {what} here and {found[index]} above: keep one of them"
                )
        if lost and (strict or not found):
            sides = (
                f"the table has {few([each.name for each in lost], SHOWN)}; the pictures are {few(self.names, SHOWN)}"
            )
            raise DataError(
                f"{source}, line {lost[0].line}: {lost[0].name}: no such picture, or one that could not be decoded "
                f"(the same holds for {len(lost):,} of {counted(len(rows), 'row')}): {sides}"
            )
        return found

    def _candidates(self, path: str, whole: _Index, ends: _Index) -> Iterable[tuple[int, ...]]:
        """Indices of pictures with this path; else of those whose path ends with it; else of those it ends with."""
        if path in whole:
            yield whole[path]
        elif path in ends:
            yield ends[path]
        else:
            parts = path.split("/")
            for start in range(1, len(parts)):
                if role(parts[start - 1]) in ("test", "val"):  # a picture of another split
                    return
                if (tail := "/".join(parts[start:])) in whole:
                    yield whole[tail]

    def _index(self, form: _Form) -> tuple[_Index, _Index]:
        """Indices of pictures by their names in one form, and by each shorter end of these names."""
        if form not in self._indices:
            whole, ends = _Index(), _Index()
            for index, name in enumerate(self.names):
                path = form(_plain(name))
                whole.add(path, index)
                parts = path.split("/")
                for start in range(1, len(parts)):
                    ends.add("/".join(parts[start:]), index)
            self._indices[form] = whole, ends
        return self._indices[form]


class _Index(dict[str, tuple[int, ...]]):
    """Name -> indices of the pictures that it fits; only the first few are kept."""

    def add(self, name: str, index: int) -> None:
        """Add a picture under a name."""
        indices = self.get(name, ())
        if len(indices) <= SHOWN:
            self[name] = (*indices, index)


def _plain(name: str) -> str:
    """A path with `/` between folders, in Unicode's composed form, without a leading drive, `./` or `/`."""
    path = name if name.isascii() else unicodedata.normalize("NFC", name)
    return _FRONT.sub("", path.replace("\\", "/"), count=1)


def _stem(name: str) -> str:
    """A path in lower case, without the extension of a picture."""
    path = name.casefold()
    return str(Path(path).with_suffix("")) if named_as_picture(path) else path
