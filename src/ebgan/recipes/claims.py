"""What a measurement comes to: claims of a paper beside what was found, and pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from PIL import Image

Scale = Literal["tiny", "cpu", "paper"]  # seconds, to try it; minutes on a CPU; as long as the paper's
Note = Callable[[str], None]  # hears what is being done


class Claim(NamedTuple):
    """What the paper says, and what was found."""

    claim: str
    expected: str
    measured: str
    holds: bool


class Findings(NamedTuple):
    """All that was measured."""

    claims: list[Claim]
    pictures: dict[str, Image.Image]  # by the name of the file, without its ending
