"""What a measurement is asked, and what it comes to: claims of a paper beside what was found, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ebgan.recipes.index import Scale

Note = Callable[[str], None]  # hears what is being done


class Request(NamedTuple):
    """How a measurement is asked for."""

    scale: Scale
    out: Path  # folder of the pictures, and of runs that a second call takes up where the first was stopped
    note: Note
    seeds: int | None = None  # by default as many as the scale has
    labels: tuple[int, ...] = ()  # numbers of labelled images, where few are; by default those that the scale has
    data: str | None = None  # a folder or file in place of a recipe's pictures
    limit: int | None = None  # trials of a grid, a random subset; by default all
    workers: int = 1  # processes that train a grid's trials


class Claim(NamedTuple):
    """What the paper says, and what was found."""

    claim: str
    expected: str
    measured: str
    holds: bool | None  # None where the measurement cannot tell
    evidence: str = "exact"  # what the verdict rests on: number of observations, difference and standard error

    def verdict(self, scale: Scale) -> tuple[str, str]:
        """Whether the claim holds, in words, and what this rests on; at scale `tiny` nothing is judged."""
        if scale == "tiny":
            return "not judged", "scale tiny is for trying"
        return {True: "yes", False: "no", None: "cannot tell"}[self.holds], self.evidence


class Findings(NamedTuple):
    """All that was measured."""

    claims: list[Claim]
    pictures: dict[str, Image.Image]  # by the name of the file, without its ending
    tables: dict[str, list[list[str]]] = {}  # by title: the heading, and rows of words  # noqa: RUF012
