"""A run as notebooks show it: its description and some samples."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from ebgan.errors import DataError
from ebgan.report import grid, png

if TYPE_CHECKING:
    from ebgan.runs.run import Run

SAMPLES, COLUMNS = 24, 12


def as_html(run: Run) -> str:
    """The text of `repr(run)` and, for images, a grid of samples."""
    line = f"<code>{html.escape(repr(run))}</code>"
    if run.experiment.data.limits is None:
        return line
    try:
        picture = base64.b64encode(png(grid(run.sample(SAMPLES), COLUMNS))).decode()
    except DataError as error:  # samples of transitions start from data that is no longer there
        return f"{line}<br>{html.escape(str(error))}"
    return f'{line}<br><img alt="samples" src="data:image/png;base64,{picture}">'
