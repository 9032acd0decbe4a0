r"""Which picture a table means: its names of files, as people write them, against the names of the pictures.

A name is taken as it is, then without regard to case, then without its ending (an id, or a file that was converted).
Each time it may have fewer folders than the picture's, or more (an absolute path, the folder of the set); what both
have must agree. `\` is taken for `/`, and letters with accents may be composed or not. A name of several pictures is
refused.
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

SHOWN = 3  # names of either side in a message
_FRONT = re.compile(r"([A-Za-z]:)?(\./)*/*")
_Form = Callable[[str], str]


class Row(NamedTuple):
    """A row of a table."""

    line: int
    name: str  # of a picture
    what: str  # is said of it


class Pictures:
    """The names of pictures, found by what a table calls them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._indices: dict[_Form, tuple[_Index, _Index]] = {}

    def find(self, given: str) -> int | None:
        """The place of the picture that a table means, None for none. Raises ValueError for a name of several."""
        for form in (_plain, str.casefold, _stem):
            whole, ends = self._index(form)
            path = form(_plain(given))
            for places in self._candidates(path, whole, ends):
                if len(places) > 1:
                    several = few([self.names[place] for place in places], SHOWN)
                    mend = "write more of their paths, or leave all but one out"
                    raise ValueError(f"{given}: a name of several pictures ({several}): {mend}")
                return places[0]
        return None

    def place_all(self, rows: Sequence[Row], source: str, strict: bool = False) -> dict[int, str]:
        """What the rows of a table say of each picture, by its place.

        Raises DataError for a name of several pictures, for two rows that contradict each other, and where no row names
        a picture; if strict, where any row names none.
        """
        found: dict[int, str] = {}
        lost: list[Row] = []
        for row in rows:
            line, given, what = row
            where = f"{source}, line {line}"
            try:
                place = self.find(given)
            except ValueError as error:
                raise DataError(f"{where}: {error}") from error
            if place is None:
                lost.append(row)
            elif found.setdefault(place, what) != what:
                raise DataError(f"{where}: {self.names[place]}: {what}, but {found[place]} before: keep one of them")
        if lost and (strict or not found):
            sides = (
                f"the table has {few([each.name for each in lost], SHOWN)}; the pictures are {few(self.names, SHOWN)}"
            )
            raise DataError(
                f"{source}, line {lost[0].line}: {lost[0].name}: no such picture here, or one that could not be "
                f"decoded; so it is with {len(lost):,} of {counted(len(rows), 'row')}: {sides}"
            )
        return found

    def _candidates(self, path: str, whole: _Index, ends: _Index) -> Iterable[tuple[int, ...]]:
        """Pictures of this path, that end with it, or with which it ends, the longest first."""
        if path in whole:
            yield whole[path]
        elif path in ends:
            yield ends[path]
        else:
            parts = path.split("/")
            for start in range(1, len(parts)):
                if role(parts[start - 1]) in ("test", "val"):  # of another split, whose pictures these are not
                    return
                if (tail := "/".join(parts[start:])) in whole:
                    yield whole[tail]

    def _index(self, form: _Form) -> tuple[_Index, _Index]:
        """The places of pictures by their names in a form, and by each end of these."""
        if form not in self._indices:
            whole, ends = _Index(), _Index()
            for place, name in enumerate(self.names):
                path = form(_plain(name))
                whole.add(path, place)
                parts = path.split("/")
                for start in range(1, len(parts)):
                    ends.add("/".join(parts[start:]), place)
            self._indices[form] = whole, ends
        return self._indices[form]


class _Index(dict[str, tuple[int, ...]]):
    """The places of names; of a name of many pictures some suffice."""

    def add(self, name: str, place: int) -> None:
        """Note that a picture is called so."""
        places = self.get(name, ())
        if len(places) <= SHOWN:
            self[name] = (*places, place)


def _plain(name: str) -> str:
    """A path with `/` between folders, in composed letters, without a drive and a dot in front."""
    path = name if name.isascii() else unicodedata.normalize("NFC", name)
    return _FRONT.sub("", path.replace("\\", "/"), count=1)


def _stem(name: str) -> str:
    """A path without the ending of a picture, whatever its case."""
    path = name.casefold()
    return str(Path(path).with_suffix("")) if named_as_picture(path) else path
