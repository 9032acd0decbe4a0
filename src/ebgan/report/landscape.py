"""Draw the energy of a run on points in one or two dimensions, with data (blue) and samples (orange)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ebgan.report.ink import DISCRIMINATOR, FAKE, REAL, plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[Any]

_PIXELS, _DOTS = 480, 100  # pixels per side, pixels per inch
_LEVELS = 24
_BINS = 60


class Landscape(NamedTuple):
    """The arrays to draw."""

    axis: Floats  # [side] coordinates along each dimension
    energy: Floats  # [side] in one dimension, [side, side] (y, x) in two
    density: Floats  # of the data, in the same shape
    data: Floats  # [count, dims] points of the data
    samples: Floats  # [count, dims] of the generator


def landscape(seen: Landscape, heights: tuple[float, float] | None = None) -> Image.Image:
    """One square picture: curves in one dimension, a map of the energy in two.

    `heights` are the lowest and highest energy of the scale; by default those of this landscape.
    """
    from ebgan.report.drawing import Figure

    with plain_style():
        figure = Figure(figsize=(_PIXELS / _DOTS, _PIXELS / _DOTS), dpi=_DOTS)
        draw = _curves if seen.energy.ndim == 1 else _map
        draw(figure, seen, heights or (float(seen.energy.min()), float(seen.energy.max())))
        drawn = io.BytesIO()
        figure.savefig(drawn, format="rgba")
        return Image.frombytes("RGBA", (_PIXELS, _PIXELS), drawn.getvalue()).convert("RGB")


def landscapes(seen: Mapping[str, Landscape]) -> Image.Image:
    """Maps in one row, each with its title, on a common colour scale."""
    from ebgan.report.drawing import Figure, MaxNLocator

    heights = np.stack([each.energy for each in seen.values()])
    levels = MaxNLocator(_LEVELS).tick_values(heights.min(), heights.max())
    width = len(seen) * _PIXELS
    with plain_style():
        figure = Figure(figsize=(width / _DOTS, _PIXELS / _DOTS), dpi=_DOTS, layout="constrained")
        row = figure.subplots(1, len(seen), squeeze=False)[0]
        for axes, (title, each) in zip(row, seen.items(), strict=True):
            drawn = axes.contourf(each.axis, each.axis, each.energy, levels, cmap="Greys_r", antialiased=False)
            _dots(axes, each)
            axes.set_title(title, loc="left", pad=18)
        figure.colorbar(drawn, ax=row, label="energy", shrink=0.8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="rgba")
    return Image.frombytes("RGBA", (width, _PIXELS), buffer.getvalue()).convert("RGB")


def _curves(figure: Figure, seen: Landscape, heights: tuple[float, float]) -> None:
    """The energy above, the densities of data and samples below, over the same axis."""
    above, below = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.11, right=0.97, top=0.93, bottom=0.07, hspace=0.22)
    above.plot(seen.axis, seen.energy, color=DISCRIMINATOR)
    above.set_title("energy", loc="left")
    low, high = min(0.0, heights[0]), heights[1]
    above.set_ylim(low, high + 0.05 * (high - low) or 1.0)
    edges = np.linspace(seen.axis[0], seen.axis[-1], _BINS + 1)
    share = len(seen.samples) * (edges[1] - edges[0])
    counts, _ = np.histogram(seen.samples[:, 0], edges)
    below.stairs(counts / share, edges, color=FAKE, fill=True, alpha=0.75, label="samples")
    below.plot(seen.axis, seen.density, color=REAL, label="data")
    below.set_title("density", loc="left")
    below.set_ylim(0, max(1.6 * float(seen.density.max()), 1.05 * float(counts.max()) / share))
    below.set_xlim(seen.axis[0], seen.axis[-1])
    below.legend(loc="upper right", frameon=False)


def _map(figure: Figure, seen: Landscape, heights: tuple[float, float]) -> None:
    """A map of the energy, dark where it is low, with points of the data and samples."""
    from ebgan.report.drawing import MaxNLocator, ScalarFormatter

    axes = figure.add_axes((0.11, 0.09, 0.72, 0.72))
    levels = MaxNLocator(_LEVELS).tick_values(*heights)
    drawn = axes.contourf(seen.axis, seen.axis, seen.energy, levels, cmap="Greys_r", antialiased=False)
    numbers = ScalarFormatter()
    numbers.set_powerlimits((-2, 4))  # long numbers at the colour bar share a power of ten
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.85, 0.09, 0.025, 0.72)), format=numbers)
    bar.ax.set_title("energy", loc="left")
    _dots(axes, seen)


def _dots(axes: Axes, seen: Landscape) -> None:
    _points(axes, seen.data, REAL, 3.0, "data")
    _points(axes, seen.samples, FAKE, 2.0, "samples")
    axes.set_xlim(seen.axis[0], seen.axis[-1])
    axes.set_ylim(seen.axis[0], seen.axis[-1])
    axes.set_aspect("equal")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncols=2, frameon=False, markerscale=3)


def _points(axes: Axes, points: Floats, color: str, size: float, label: str) -> None:
    if not len(points):
        return
    axes.scatter(points[:, 0], points[:, 1], s=size, color=color, linewidths=0, alpha=0.8, label=label)
