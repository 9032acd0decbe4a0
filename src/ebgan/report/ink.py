"""The style of all charts: colours, lines and axes, and figures as SVG or on white.

Colours are visible on white and on black, and all text and lines take the text colour of the page.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # importing matplotlib takes half a second
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL, FAKE, MARGIN = "#2f7fc1", "#dd7a10", "#858585"
DISCRIMINATOR, GENERATOR = "#9b6bc3", "#1d9a74"
_INK = "#123456"  # a placeholder for the page's text colour, replaced in the SVG


@dataclass(frozen=True)
class Curve:
    """A field of the records, and the style of its line."""

    field: str
    label: str
    color: str
    style: Literal["-", "--"] = "-"
    opacity: float = 1.0


def ink_style() -> AbstractContextManager[None]:
    """The style for SVG charts, based on matplotlib's defaults, not on the user's settings."""
    from ebgan.report.drawing import style

    settings = {
        "svg.fonttype": "none",  # text stays text, in the page's own font
        "svg.hashsalt": "ebgan",  # the same identifiers in every run
        "text.parse_math": False,
        "font.size": 10.5,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.size": 0,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
        **dict.fromkeys(("axes.spines.top", "axes.spines.right", "axes.spines.left"), False),
    }
    return style.context(settings, after_reset=True)


def plain_style() -> AbstractContextManager[None]:
    """The style for PNG pictures, on white."""
    from ebgan.report.drawing import style

    return style.context({"font.size": 9, "text.parse_math": False}, after_reset=True)


def draw_axes() -> tuple[Figure, Axes]:
    """Axes at the same position in every picture, so that adjacent pictures are aligned."""
    from ebgan.report.drawing import Figure

    figure = Figure(figsize=(5.0, 2.9))
    axes = figure.add_axes((0.115, 0.185, 0.85, 0.685))
    axes.grid(axis="y", color=_INK, alpha=0.14, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def legend(axes: Axes, lines: Sequence[Curve]) -> None:
    """Name the lines above the axes."""
    from ebgan.report.drawing import Line2D

    handles = [
        Line2D([], [], color=line.color, linestyle=line.style, linewidth=1.8, alpha=line.opacity) for line in lines
    ]
    axes.legend(
        handles,
        [line.label for line in lines],
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.01),
        ncols=len(lines),
        frameon=False,
        handlelength=1.3,
        handletextpad=0.5,
        columnspacing=1.1,
    )


def short_number(value: float, _place: float | None = None) -> str:
    """A number as a tick label: 1.5k, 60k, 2M, 0.05."""
    size = abs(value)
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    return "0" if math.isclose(size, 0, abs_tol=1e-12) else f"{value:.4g}"


def percent(value: float, _place: float | None = None) -> str:
    """A share as a tick label: 12.5%."""
    return f"{value * 100:.4g}%"


def svg(figure: Figure) -> str:
    """The figure as an <svg> element, without date or XML header, and with identifiers unique to the picture."""
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r' id="(?:figure|axes|patch|line2d|text|matplotlib\.axis|legend|\w+tick)_\d+"', "", text)
    return text.replace(_INK, "currentColor")
