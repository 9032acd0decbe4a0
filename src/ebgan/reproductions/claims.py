"""Options and results of a reproduction: a paper's claims with the measured values, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ebgan.recipes.index import Scale

Note = Callable[[str], None]  # hears what is being done


class Request(NamedTuple):
    """The options of a reproduction."""

    scale: Scale
    out: Path  # folder of the pictures, and of runs that a second call takes up where the first was stopped
    note: Note
    seeds: int | None = None  # number of seeds; the default depends on the scale
    labels: tuple[int, ...] = ()  # numbers of labelled images in table 2; the default depends on the scale
    data: str | None = None  # a folder or file to use instead of a recipe's pictures
    limit: int | None = None  # number of trials, a random subset of the grid; by default all
    workers: int = 1  # number of processes that train a grid's trials


class Claim(NamedTuple):
    """A claim of a paper, with the expected and the measured value."""

    claim: str
    expected: str
    measured: str
    holds: bool | None  # None if the measurement cannot decide
    evidence: str = "exact"  # number of observations, difference and standard error, as text

    def verdict(self, scale: Scale) -> tuple[str, str]:
        """Whether the claim holds, and the evidence, as text; at scale `tiny` no claim is judged."""
        if scale == "tiny":
            return "not judged", "scale tiny is for trying"
        return {True: "yes", False: "no", None: "cannot tell"}[self.holds], self.evidence


class Findings(NamedTuple):
    """The results of a reproduction."""

    claims: list[Claim]
    pictures: dict[str, Image.Image]  # file name without extension -> picture
    tables: dict[str, list[list[str]]] = {}  # title -> the heading, then the rows  # noqa: RUF012
