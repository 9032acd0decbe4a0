"""The summary of a run: the head of the report and its table of metrics."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ebgan.report.interval import counted
from ebgan.storage.runfolder import Record


class Meaning(NamedTuple):
    """The displayed name of a metric, and how to read it."""

    label: str
    better: str  # "higher", "lower", or an explanation
    share: bool = False


METRICS = {
    "test_error": Meaning("Test error", "lower", share=True),
    "test_error_mlp": Meaning(
        "Test error, plain net on the labelled images alone", "what unlabelled images beat", share=True
    ),
    "test_error_svm": Meaning(
        "Test error, support vectors on the labelled images alone", "what unlabelled images beat", share=True
    ),
    "i_usual": Meaning("I', usual order", "higher"),
    "i_swapped": Meaning("I', as printed in the paper", "higher"),
    "fid_classifier": Meaning("FID, classifier's features", "lower"),
    "kid_classifier": Meaning("KID, classifier's features", "lower"),
    "fid_inception": Meaning("FID, InceptionV3", "lower"),
    "kid_inception": Meaning("KID, InceptionV3", "lower"),
    "precision": Meaning("Precision", "higher", share=True),
    "recall": Meaning("Recall", "higher", share=True),
    "density": Meaning("Density", "higher; 1 for real images"),
    "coverage": Meaning("Coverage", "higher", share=True),
    "pixel_distance": Meaning("Nearest data, pixels", "near real images'; lower for copies and for blurred images"),
    "feature_distance": Meaning("Nearest data, features", "near real images'; lower for copies and for blurred images"),
    "classes_covered": Meaning("Classes covered", "higher", share=True),
    "named_as_asked": Meaning("Named as asked", "of samples by class, by the classifier", share=True),
    "largest_class": Meaning("Largest class", "near the even share", share=True),
    "code_similarity": Meaning("Code similarity", "lower; 1 is collapse"),
    "modes_covered": Meaning("Modes covered", "higher"),
    "high_quality": Meaning("Samples of high quality", "higher", share=True),
    "reverse_kl": Meaning("Reverse KL over modes", "lower"),
    "transport_distance": Meaning("Wasserstein-1 distance", "lower"),
}
_HEADLINE = {
    "test_error": "Test error",
    "i_usual": "I', usual order",
    "fid_classifier": "FID, classifier",
    "classes_covered": "Classes covered",
    "modes_covered": "Modes covered",
    "high_quality": "High quality",
}


class Fact(NamedTuple):
    """A number at the head of the report."""

    label: str
    value: str
    note: str = ""


class Alarm(NamedTuple):
    """An alarm of one kind: its last message, and when it was raised."""

    name: str
    message: str
    when: str


class MetricRow(NamedTuple):
    """A metric of the samples and its value for the real images."""

    name: str
    label: str
    samples: str
    real: str
    better: str
    interval: str = ""  # for an error: the number of images and the 95 % interval


class ClassRow(NamedTuple):
    """Precision and recall of a class, and the predictions for its images."""

    name: str
    precision: str
    recall: str
    f1: str
    taken: list[int]  # images of this class by predicted class
    images: int


def class_rows(evaluation: Record) -> list[ClassRow]:
    """The table of classes of an evaluation; [] if it measured no classification."""
    found = evaluation.get("classification")
    if not found:
        return []
    columns = (found[name] for name in ("classes", "precision", "recall", "f1", "confusion"))
    return [
        ClassRow(name, _percent(precision), _percent(recall), _percent(f1), taken, sum(taken))
        for name, precision, recall, f1, taken in zip(*columns, strict=True)
    ]


def class_names(evaluation: Record) -> list[str]:
    """The names of the classes in an evaluation's histogram; () if they have none."""
    names = evaluation.get("classes") or evaluation.get("classification", {}).get("classes", [])
    return [str(name) for name in names]


def _percent(share: float) -> str:
    return number(share, share=True)


def meaning(name: str) -> Meaning:
    """The displayed name of a metric; an unknown metric keeps its own name."""
    return METRICS.get(name) or Meaning(name, "")


def headline(stats: Sequence[Record], evaluations: Sequence[Record], total: int | None) -> list[Fact]:
    """The main numbers of a run: images seen, time, speed and the main metric."""
    facts = []
    if stats:
        last = stats[-1]
        facts.append(Fact("Images seen", f"{last['images']:,}", f"of {total:,}" if total else ""))
        if "seconds" in last:
            facts.append(Fact("Training time", duration(last["seconds"])))
        speeds = [record["images_per_second"] for record in stats if "images_per_second" in record]
        if speeds:
            facts.append(Fact("Images a second", number(statistics.median(speeds)), "median"))
    rows = {row.name: row for row in metric_rows(evaluations[-1])} if evaluations else {}
    for name, label in _HEADLINE.items():
        if name in rows:
            note = rows[name].real and f"real data {rows[name].real}"
            facts.append(Fact(label, rows[name].samples, note or rows[name].interval))
    return facts


def metric_names(evaluations: Sequence[Record]) -> list[str]:
    """The names of the samples' metrics, known ones first; values of real images are not listed separately."""
    found = dict.fromkeys(name for record in evaluations for name in record.get("metrics", {}))
    names = [name for name in found if not (name.endswith("_real") and name.removesuffix("_real") in found)]
    order = list(METRICS)
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def metric_rows(evaluation: Record) -> list[MetricRow]:
    """The table of an evaluation's metrics."""
    values: Mapping[str, float] = evaluation.get("metrics", {})
    rows, tested = [], _tested(evaluation)
    for name in metric_names([evaluation]):
        label, better, share = meaning(name)
        real = values.get(f"{name}_real")
        shown, real_shown = number(values[name], share), "" if real is None else number(real, share)
        wrong = name.startswith("test_error") and tested and math.isfinite(values[name])
        interval = counted(round(values[name] * tested), tested) if wrong else ""
        rows.append(MetricRow(name, label, shown, real_shown, better, interval))
    return rows


def _tested(evaluation: Record) -> int:
    """The number of images on which errors were measured."""
    return sum(map(sum, evaluation.get("classification", {}).get("confusion", [])))


def protocol(evaluation: Record) -> dict[str, str]:
    """The protocol of an evaluation as text."""
    stated: Mapping[str, str | float] = evaluation.get("protocol", {})
    return {
        name.replace("_", " "): value if isinstance(value, str) else number(value) for name, value in stated.items()
    }


def alarms(records: Sequence[Record]) -> list[Alarm]:
    """One entry for each kind of alarm, with the number of times it was raised."""
    kinds: dict[str, list[Record]] = {}
    for record in records:
        kinds.setdefault(record["alarm"], []).append(record)
    return [
        Alarm(name, raised[-1]["message"].removeprefix(f"{name}: "), _when(raised)) for name, raised in kinds.items()
    ]


def _when(raised: Sequence[Record]) -> str:
    first, last = raised[0]["images"], raised[-1]["images"]
    if len(raised) == 1:
        return f"at {first:,} images seen"
    return f"{len(raised)} times, from {first:,} to {last:,} images seen"


def number(value: float, share: bool = False) -> str:
    """A number as text: four significant digits, thousands separators, shares in per cent."""
    if not math.isfinite(value):
        return "not finite"
    if share:
        return f"{value * 100:.3g} %"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A time as text, in its two largest units."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{seconds:.3g} s"
