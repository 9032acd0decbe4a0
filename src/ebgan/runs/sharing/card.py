"""The model card of an exported run: README.md, with the header that the Hugging Face Hub reads."""

from __future__ import annotations

import re

from ebgan.errors import UsageError
from ebgan.report.summary import metric_rows, protocol
from ebgan.runs.sharing.contents import PRIVATE, SAMPLES, Contents
from ebgan.storage.runfolder import Record

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_UNNAMED = "a set of pictures that has no public name"


def check_license(license: str) -> None:
    """Raise UsageError for what is no identifier of a licence."""
    if not _LICENSE.fullmatch(license):
        raise UsageError(f"license={license!r}: expected an identifier in small letters, such as apache-2.0 or unknown")


def model_card(contents: Contents, evaluation: Record | None, *, license: str, pictured: bool, judges: bool) -> str:
    """The text of README.md: `pictured` if there are samples, `judges` if there are energies for a threshold."""
    sections = (
        _header(contents, license),
        _title(contents, pictured),
        _use(contents, judges),
        _data(contents),
        _metrics(contents, evaluation),
        _recipe(contents),
        _limits(contents),
        f"## Licence\n\n`{license}`" + (": ask the owner before you use it." if license == "unknown" else "."),
    )
    return "\n\n".join(sections) + "\n"


def _header(contents: Contents, license: str) -> str:
    lines = ["---", "library_name: ebgan", f"license: {license}", "tags:", "- gan", "- energy-based-model", "- pytorch"]
    if _of_pictures(contents):
        lines.append("pipeline_tag: unconditional-image-generation")
    return "\n".join([*lines, "---"])


def _title(contents: Contents, pictured: bool) -> str:
    objective = type(contents.experiment.objective).__name__
    seen = "" if contents.seen is None else f" after {contents.seen:,} images seen"
    lines = [
        f"# {objective} on {_source(contents)}",
        f"A generator and an energy function trained by [ebgan](https://pypi.org/project/ebgan) "
        f"{contents.ebgan}{seen}. The energy is low for what looks like the data.",
    ]
    return "\n\n".join([*lines, *([f"![Samples]({SAMPLES})"] if pictured else [])])


def _use(contents: Contents, judges: bool) -> str:
    kind = "pictures in [-1, 1]" if _of_pictures(contents) else "points"
    threshold = [
        "",
        "It keeps the energies of normal images that it was not trained on: "
        "`ebgan score FOLDER IMAGES --contamination 0.01` calls images anomalous whose energy is higher than that of "
        "all but 1 % of these.",
    ]
    start = ", source=images" if contents.experiment.sampler.conditional else ""
    return "\n".join(
        [
            "## Use",
            "",
            "```python",
            "import ebgan",
            "",
            'run = ebgan.from_pretrained("PATH OR OWNER/NAME")',
            f"images = run.sample(64, seed=0{start})  # {kind}",
            "energy = run.energy(images)  # one number for each",
            "```",
            "",
            "`model.safetensors` holds the weights of both nets; the state of the optimisers is left out.",
            *(threshold if judges else []),
        ]
    )


def _data(contents: Contents) -> str:
    channels, height, width = contents.shape
    what = (
        f"{height}x{width} pixels, {'grey' if channels == 1 else 'colour'}"
        if _of_pictures(contents)
        else f"{channels} coordinates"
    )
    lines = ["## Data", "", f"- Set: {_source(contents)}", f"- Shape: {what}", f"- SHA-256: `{contents.data}`"]
    if contents.classes:
        lines.append(f"- Classes: {', '.join(map(_escaped, contents.classes))}")
    return "\n".join(lines)


def _metrics(contents: Contents, evaluation: Record | None) -> str:
    if evaluation is None or not metric_rows(evaluation):
        return "## Metrics\n\nNone were measured."
    rows = [
        f"| {_escaped(row.label)} | {row.samples} | {row.real or ''} | {row.better} |"
        for row in metric_rows(evaluation)
    ]
    lines = ["## Metrics", "", f"Measured after {evaluation['images']:,} images seen."]
    if contents.seen is not None and evaluation["images"] != contents.seen:
        lines[-1] += f" The weights here are those after {contents.seen:,}."
    lines += ["", "| metric | samples | real images | better |", "|---|---|---|---|", *rows, "", "Protocol:", ""]
    return "\n".join([*lines, *(f"- {name}: {value}" for name, value in protocol(evaluation).items())])


def _recipe(contents: Contents) -> str:
    text = contents.experiment.to_yaml().rstrip()
    how = "Save this as `config.yaml`" + (", set `data.source`" if _source(contents) == _UNNAMED else "")
    return f"## Recipe\n\n{how}, and `ebgan train config.yaml` repeats it.\n\n```yaml\n{text}\n```"


def _limits(contents: Contents) -> str:
    lines = [
        "## What it is not for",
        "",
        "- Samples are not evidence: they show nothing that happened and nobody who lives.",
        "- The energy is not a probability, and has no unit that another run shares. Set a threshold on your own data.",
        "- It knows its training data alone. Other data, and the biases of this data, were not examined.",
        "- Do not use it to decide about people.",
    ]
    if _of_pictures(contents):
        lines.append(
            "- Samples may resemble training images. Check for copies before you publish samples of private data."
        )
    return "\n".join(lines)


def _of_pictures(contents: Contents) -> bool:
    return contents.experiment.data.limits is not None


def _source(contents: Contents) -> str:
    source = contents.experiment.data.source
    return _UNNAMED if source == PRIVATE else source


def _escaped(text: str) -> str:
    """Text that Markdown and a table show as it is."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
