"""Draw the curves of a run as SVG, from its records; the same records give the same text.

Real images are blue, samples orange, a margin dashed grey. Records of a stack (with a list of one value per model)
become one thin line per model. A chart is "" if no record has its fields.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebgan.report.ink import (
    DISCRIMINATOR,
    FAKE,
    GENERATOR,
    MARGIN,
    REAL,
    Curve,
    draw_axes,
    ink_style,
    legend,
    percent,
    short_number,
    svg,
)
from ebgan.storage.runfolder import Record

if TYPE_CHECKING:  # importing matplotlib takes half a second
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_OTHERS = (GENERATOR, DISCRIMINATOR, "#c25b85", "#8a7d1f")

MOST_NAMED, LONGEST, ROOM = 30, 16, 48  # classes that are named; letters of a name; of all names side by side
_POINTS = 6_000  # most points of a field in a chart, shared among the lines of a stack


def losses(stats: Sequence[Record]) -> str:
    """The losses of both players."""
    discriminator = Curve("loss_discriminator", "discriminator", DISCRIMINATOR)
    return _curves(stats, [discriminator, Curve("loss_generator", "generator", GENERATOR)])


def energies(stats: Sequence[Record]) -> str:
    """Mean energies of real images and samples (in both players' turns), with the margin."""
    lines = [
        Curve("energy_real", "real", REAL),
        Curve("energy_fake", "fake, G's turn", FAKE),
        Curve("energy_fake_before", "D's turn", FAKE, opacity=0.45),
        Curve("margin", "margin", MARGIN, "--"),
    ]
    return _curves(stats, lines)


def hinge_share(stats: Sequence[Record]) -> str:
    """The share of samples below the margin, whose energy the discriminator still raises."""
    return _curves(stats, [Curve("hinge_share", "under the margin", FAKE)], share=True)


def terms(stats: Sequence[Record], player: str) -> str:
    """The terms of a player's loss, if it has several."""
    names = fields(stats, f"{player}/")
    known = {"real": REAL, "fake": FAKE, "hinge": FAKE}
    others = iter(_OTHERS * len(names))
    labels = [name.removeprefix(f"{player}/") for name in names]
    lines = [Curve(name, label, known.get(label) or next(others)) for name, label in zip(names, labels, strict=True)]
    return _curves(stats, lines) if len(lines) > 1 else ""


def state(stats: Sequence[Record], name: str) -> str:
    """A state of the objective during training, such as BEGAN's k."""
    return _curves(stats, [Curve(name, name, GENERATOR)])


def learning_rates(stats: Sequence[Record]) -> str:
    """The learning rates of players whose rate changes; the generator's only while it has turns."""
    discriminator = Curve("learning_rate/discriminator", "discriminator", DISCRIMINATOR)
    idle = {"learning_rate/generator": None}
    stats = [record if "loss_generator" in record else record | idle for record in stats]
    return _curves(stats, [discriminator, Curve("learning_rate/generator", "generator", GENERATOR, "--")])


def code_similarity(stats: Sequence[Record]) -> str:
    """The similarity of the codes of a batch of samples: 0 orthogonal, 1 collapsed."""
    return _curves(stats, [Curve("code_similarity", "samples", FAKE)])


def experts(stats: Sequence[Record]) -> str:
    """VGAN's experts on a batch of samples: entropies relative to the largest possible, and experts' similarity."""
    lines = [
        Curve("expert_entropy", "entropy of a sample", DISCRIMINATOR),
        Curve("batch_entropy", "of the batch", GENERATOR),
        Curve("expert_similarity", "similarity", FAKE),
    ]
    return _curves(stats, lines, share=True)


def speed(stats: Sequence[Record]) -> str:
    """Real images per second."""
    return _curves(stats, [Curve("images_per_second", "images/s", DISCRIMINATOR)])


def metric(evaluations: Sequence[Record], name: str, *, share: bool = False) -> str:
    """A metric of the samples during training, with the real images' value if the records have it."""
    records = [{"images": record["images"], **record.get("metrics", {})} for record in evaluations]
    return _curves(
        records, [Curve(name, "samples", FAKE), Curve(f"{name}_real", "real images", REAL, "--")], share=share
    )


def histogram(shares: Sequence[float], of: str = "class", names: Sequence[str] = ()) -> str:
    """A bar chart of the share of samples in each class or mode, with names if there are enough and room for them.

    A dashed line marks equal shares.
    """
    if not shares:
        return ""
    from ebgan.report.drawing import MaxNLocator

    with ink_style():
        figure, axes = draw_axes()
        axes.bar(range(len(shares)), np.nan_to_num(shares), color=FAKE, width=0.72 if len(shares) <= 40 else 1.0)
        axes.axhline(1 / len(shares), color=REAL, linestyle="--", linewidth=1.2)
        axes.set_xlabel(of)
        axes.set_xlim(-0.6, len(shares) - 0.4)
        if len(names) == len(shares) <= MOST_NAMED:
            crowded = sum(map(len, names)) > ROOM
            labels = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}\u2026" for name in names]
            axes.set_xticks(range(len(names)), labels, rotation=90 if crowded else 0, parse_math=False)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(20, integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(percent)
        legend(axes, [Curve("", "samples", FAKE), Curve("", "even share", REAL, "--")])
        return svg(figure)


def fields(records: Sequence[Record], prefix: str) -> list[str]:
    """The names of fields that begin with `prefix`, in the order of their first appearance."""
    return list(dict.fromkeys(name for record in records for name in record if name.startswith(prefix)))


def _curves(records: Sequence[Record], lines: Sequence[Curve], *, share: bool = False) -> str:
    """A chart of those lines that the records have, over images seen."""
    held = {line: [record for record in records if record.get(line.field) is not None] for line in lines}
    present = {line: _series(found, line.field) for line, found in held.items() if found}
    if not present:
        return ""
    from ebgan.report.drawing import MaxNLocator

    with ink_style():
        figure, axes = draw_axes()
        for line, (images, values) in present.items():
            _draw(axes, line, images, values)
        axes.set_xlabel("images seen")
        axes.xaxis.set_major_formatter(short_number)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _scale(axes, np.concatenate([values.ravel() for _, values in present.values()]), share)
        if len(present) > 1:
            legend(axes, list(present))
        return svg(figure)


def _series(records: Sequence[Record], field: str) -> tuple[Floats, Floats]:
    """Images seen [points] and a field's values [points, models]; NaN where a value is not finite."""
    images = np.array([record["images"] for record in records], np.float64)
    values = np.array([record[field] for record in records], np.float64).reshape(len(records), -1)
    values[~np.isfinite(values)] = np.nan
    most = min(200, max(40, _POINTS // values.shape[1]))
    return _thinned(images, most), _thinned(values, most)


def _thinned(values: Floats, most: int) -> Floats:
    """Reduce values to at most `most` points, each the mean of equally many records (the last of fewer)."""
    size = math.ceil(len(values) / most)
    return np.stack([values[start : start + size].mean(0) for start in range(0, len(values), size)])


def _draw(axes: Axes, line: Curve, images: Floats, values: Floats) -> None:
    models = values.shape[1]
    width, opacity = (1.5, line.opacity) if models == 1 else (0.6, line.opacity * max(0.2, min(0.7, 8 / models)))
    marker = "o" if len(images) <= 12 else ""
    axes.plot(
        images, values, line.style, color=line.color, linewidth=width, alpha=opacity, marker=marker, markersize=3.5
    )


def _scale(axes: Axes, values: Floats, share: bool) -> None:
    """Let the axis begin at 0 if no value is negative; use a log scale if a few high values dominate."""
    from ebgan.report.drawing import NullLocator

    finite = values[np.isfinite(values)]
    low, high, middle = (finite.min(), finite.max(), np.median(finite)) if finite.size else (0.0, 1.0, 1.0)
    if share:
        axes.set_ylim(0, 1.02)
    elif low > 0 and high > 20 * middle:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    elif low >= 0:
        axes.set_ylim(0, high * 1.06 or 1.0)
    axes.yaxis.set_major_formatter(percent if share else short_number)
