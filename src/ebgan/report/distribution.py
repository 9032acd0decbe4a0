"""Draw distributions of scores as SVG: histograms of families of trials, and effects of each axis of a grid."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ebgan.report.ink import FAKE, REAL, Curve, draw_axes, ink_style, legend, percent, plain_style, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EVEN = 25  # bins if the grid defines none
_PANEL = (4.8, 3.2)  # inches
FAMILIES = (REAL, FAKE, "#1d9a74", "#9b6bc3", "#c25b85")  # colours, in the order of the families


class Bins(NamedTuple):
    """Bins of scores."""

    edges: Sequence[float]  # increasing, one more than the number of bins
    label: str  # name of the scores


class Histogram(NamedTuple):
    """Scores drawn in one histogram."""

    title: str
    families: Mapping[str, Sequence[float]]  # family -> scores
    published: Mapping[str, Sequence[float]]  # family -> the paper's heights of the first bins, in per cent
    bins: Bins


def even_bins(scores: Sequence[float], label: str) -> Bins:
    """Bins of equal width from the lowest score to the highest."""
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    margin = 0.5 * max(abs(low), 1.0) if low == high else 0.0
    return Bins(np.linspace(low - margin, high + margin, EVEN + 1).tolist(), label)


def heights(scores: Sequence[float], edges: Sequence[float]) -> NDArray[np.float64]:
    """The share of scores in each bin; scores outside count in the first or last bin."""
    indices = np.searchsorted(edges[1:-1], np.asarray(scores, float), side="right")
    return np.bincount(indices, minlength=len(edges) - 1) / max(len(scores), 1)


def histograms(drawn: Histogram) -> str:
    """A histogram as SVG, with one colour per family, and the published heights as lines of the same colour.

    Returns "" if there are no scores.
    """
    if not any(drawn.families.values()):
        return ""
    with ink_style():
        figure, axes = draw_axes()
        _draw(axes, drawn)
        return svg(figure)


def histogram_panels(drawn: Sequence[Histogram], columns: int = 3) -> Image.Image:
    """One picture on white with several histograms (at least one), row by row."""
    from ebgan.report.drawing import Figure

    rows, columns = math.ceil(len(drawn) / columns), min(columns, len(drawn))
    with plain_style():
        figure = Figure(figsize=(columns * _PANEL[0], rows * _PANEL[1]), dpi=100, layout="constrained")
        for index, each in enumerate(drawn):
            axes = figure.add_subplot(rows, columns, index + 1)
            _draw(axes, each)
            axes.set_title(each.title, loc="left", pad=22)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _draw(axes: Axes, drawn: Histogram) -> None:
    from ebgan.report.drawing import Line2D, Patch

    edges, published = drawn.bins.edges, drawn.published
    shown = {name: scores for name, scores in drawn.families.items() if scores}
    handles: list[Patch | Line2D] = []
    for color, (name, scores) in zip(cycle(FAMILIES), shown.items(), strict=False):
        axes.stairs(heights(scores, edges), edges, fill=True, color=color, alpha=0.45)
        handles.append(Patch(color=color, alpha=0.45, label=f"{name}, {len(scores):,}"))
        if name in published:
            axes.stairs(
                np.asarray(published[name]) / 100, edges[: len(published[name]) + 1], color=color, linewidth=1.2
            )
            handles.append(Line2D([], [], color=color, linewidth=1.2, label=f"{name}, paper"))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(drawn.bins.label)
    axes.yaxis.set_major_formatter(percent)
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.01),
        ncols=max(len(handles), 1),
        frameon=False,
        handlelength=1.1,
        handletextpad=0.4,
        columnspacing=0.9,
        fontsize=9,
    )


def effect(values: Sequence[str], families: Mapping[str, Sequence[float | None]], *, share: bool = False) -> str:
    """A chart as SVG with a point per value of an axis, and a line per family; None leaves a gap."""
    with ink_style():
        figure, axes = draw_axes()
        lines = []
        for color, (name, numbers) in zip(cycle(FAMILIES), families.items(), strict=False):
            if not numbers:
                continue
            held = [math.nan if number is None else number for number in numbers]
            axes.plot(range(len(values)), held, "o-", color=color, linewidth=1.5, markersize=5)
            lines.append(Curve(name, name, color))
        axes.set_xticks(range(len(values)), values)
        axes.set_xlim(-0.4, len(values) - 0.6)
        axes.set_ylim(0, 1.02 if share else None)
        if share:
            axes.yaxis.set_major_formatter(percent)
        if len(lines) > 1:
            legend(axes, lines)
        return svg(figure)
