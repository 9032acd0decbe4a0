"""Draw several charts of curves in one picture, from arrays."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ebgan.report.ink import DISCRIMINATOR, FAKE, GENERATOR, REAL, plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT, _DOTS = 4.8, 3.2, 100  # inches of a panel, pixels per inch
_LETTERS = 48  # most characters in a line of a title
_COLORS = (REAL, FAKE, GENERATOR, DISCRIMINATOR)


class Panel(NamedTuple):
    """Lines over a common axis."""

    title: str
    axis: NDArray[Any]  # [side]
    lines: NDArray[Any]  # [lines, side]
    label: str  # of the axis
    moments: bool = False  # whether the lines show one curve at several times, drawn from light to dark


def panels(drawn: Sequence[Panel], columns: int = 2) -> Image.Image:
    """One picture of all panels, row by row."""
    from ebgan.report.drawing import Figure

    rows = math.ceil(len(drawn) / columns)
    with plain_style():
        figure = Figure(figsize=(columns * _WIDTH, rows * _HEIGHT), dpi=_DOTS, layout="constrained")
        for index, panel in enumerate(drawn):
            _draw(figure.add_subplot(rows, columns, index + 1), panel)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _draw(axes: Axes, panel: Panel) -> None:
    from ebgan.report.drawing import colormaps

    shades = colormaps["Purples"](np.linspace(0.25, 1, len(panel.lines)))
    for index, line in enumerate(panel.lines):
        color = shades[index] if panel.moments else _COLORS[index % len(_COLORS)]
        axes.plot(panel.axis, line, color=color, linewidth=1.2)
    axes.set_title(textwrap.fill(panel.title, _LETTERS), loc="left")
    axes.set_xlabel(panel.label)
    axes.set_xlim(panel.axis[0], panel.axis[-1])
    axes.grid(alpha=0.2)
