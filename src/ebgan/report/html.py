"""Write the report of a run as one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import platform
import re
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup
from PIL import Image

from ebgan.errors import UsageError
from ebgan.report import plots, summary
from ebgan.storage.files import write_atomically
from ebgan.storage.runfolder import Record, RunFolder, read_records

if TYPE_CHECKING:
    from jinja2 import Environment

_GRIDS = 10  # grids of samples shown, including the first and the last
_HEAVY = 400_000  # pictures of more bytes are compressed
_LIBRARIES = ("ebgan", "torch", "numpy", "lightning-fabric", "scikit-learn")


class Chart(NamedTuple):
    """A chart with its heading and an explanation."""

    title: str
    note: str
    svg: Markup


_RESTS = re.compile(r"^turns:\n(?:  .*\n)*?  generator: *0 *$", re.MULTILINE)  # in a config: a generator without turns


class Samples(NamedTuple):
    """A grid of samples, with the images seen when it was drawn."""

    images: int
    uri: str


def write_report(folder: RunFolder) -> Path:
    """Write report.html of a run, finished or not, from the files in its folder, and return its path.

    Raises UsageError if the folder does not exist, StorageError if the page cannot be written.
    """
    if not folder.path.is_dir():
        raise UsageError(f"{folder.path}: not a run folder: give a folder written by `ebgan train`")
    write_atomically(folder.report, _page(folder).encode("utf-8", "replace"))
    return folder.report


def _page(folder: RunFolder) -> str:
    stats, evaluations = read_records(folder.stats), read_records(folder.evaluations)
    config = folder.config.read_text("utf-8", "replace") if folder.config.exists() else ""
    total = _total(config)
    evaluation = evaluations[-1] if evaluations else {}
    kind = "mode" if "modes" in evaluation.get("protocol", {}) else "class"
    return (
        template_environment()
        .get_template("template.html")
        .render(
            title=folder.path.resolve().name,
            unfinished=bool(stats and total and stats[-1]["images"] < total),
            facts=summary.headline(stats, evaluations, total),
            alarms=summary.alarms(read_records(folder.alarms)),
            samples=_samples(folder),
            generates=not _RESTS.search(config),
            animation=_gif(folder) if folder.animation.exists() else "",
            real=_data_uri(folder.real) if folder.real.exists() else "",
            charts=_training_charts(stats),
            metric_charts=_metric_charts(evaluations),
            evaluated=evaluation.get("images"),
            rows=summary.metric_rows(evaluation),
            classes=summary.class_rows(evaluation),
            histogram=Markup(
                plots.histogram(evaluation.get("histogram", []), of=kind, names=summary.class_names(evaluation))
            ),
            kind=kind,
            protocol=summary.protocol(evaluation),
            config=config,
            environment=_machine(),
        )
    )


def template_environment() -> Environment:
    """The Jinja environment of the pages, with autoescaping."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("ebgan.report", ""), autoescape=True, undefined=StrictUndefined)
    environment.filters["sha256"] = _sha256
    return environment


def _sha256(text: str) -> str:
    """The hash by which the page's content security policy allows its own script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _total(config: str) -> int | None:
    """The length of the run in images seen, from its config."""
    found = re.search(r"^images: *([\d_]+)", config, re.MULTILINE)
    return int(found[1]) if found else None


def _samples(folder: RunFolder) -> list[Samples]:
    """Grids evenly spaced over the training, including the first and the last."""
    grids = folder.grids()
    step = max(1.0, (len(grids) - 1) / (_GRIDS - 1))
    indices = sorted({round(index * step) for index in range(min(_GRIDS, len(grids)))})
    return [Samples(images, _data_uri(path)) for images, path in (grids[index] for index in indices)]


def _data_uri(path: Path) -> str:
    """A picture as a data URI; large ones are converted to WebP of at most 1,600 pixels a side."""
    content, kind = path.read_bytes(), "png"
    if len(content) > _HEAVY:
        buffer = io.BytesIO()
        with Image.open(path) as image:
            image.thumbnail((1600, 1600))
            image.save(buffer, "WEBP", quality=88)
        content, kind = buffer.getvalue(), "webp"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _gif(folder: RunFolder) -> str:
    return f"data:image/gif;base64,{base64.b64encode(folder.animation.read_bytes()).decode()}"


def _training_charts(stats: Sequence[Record]) -> list[Chart]:
    moved = plots.fields(stats, "state/")
    return _drawn(
        ("Energies", "Mean over the batch, in either player's turn.", plots.energies(stats)),
        ("Losses", "What each player descends.", plots.losses(stats)),
        ("Samples under the margin", "The share on which the hinge still acts.", plots.hinge_share(stats)),
        ("Code similarity", "Of a batch of samples: 0 orthogonal, 1 collapsed.", plots.code_similarity(stats)),
        ("Experts", "Shares of the largest entropy; at a similarity of 1 all are one.", plots.experts(stats)),
        ("Convergence", "M_global: the data's energy, and how far out of balance.", plots.state(stats, "convergence")),
        ("Learning rates", "Lowered where the convergence stalls, or by a schedule.", plots.learning_rates(stats)),
        ("Terms of the discriminator's loss", "", plots.terms(stats, "discriminator")),
        ("Terms of the generator's loss", "", plots.terms(stats, "generator")),
        *((name.removeprefix("state/"), "Moved by the objective.", plots.state(stats, name)) for name in moved),
        ("Speed", "Real images read in a second.", plots.speed(stats)),
    )


def _metric_charts(evaluations: Sequence[Record]) -> list[Chart]:
    """Charts of metrics over training; a metric with a single evaluation is only in the table."""
    counts = Counter(name for record in evaluations for name in record.get("metrics", {}))
    names = [name for name in summary.metric_names(evaluations) if counts[name] > 1]
    meanings = [(name, summary.meaning(name)) for name in names]
    return _drawn(
        *((kind.label, _direction(kind), plots.metric(evaluations, name, share=kind.share)) for name, kind in meanings)
    )


def _direction(kind: summary.Meaning) -> str:
    return f"Better: {kind.better}." if kind.better else ""


def _drawn(*charts: tuple[str, str, str]) -> list[Chart]:
    """The charts that are not empty."""
    return [Chart(title, note, Markup(svg)) for title, note, svg in charts if svg]


def _machine() -> dict[str, str]:
    """The machine and versions with which the page is written (which may not be those of the training)."""
    libraries = {name: _version(name) for name in _LIBRARIES}
    return {"Python": platform.python_version(), **libraries, "System": platform.platform(), "CPU": _processor()}


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} threads"
