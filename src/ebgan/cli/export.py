"""`ebgan export RUN DEST`: a folder that can be given away, or a part of the run as a graph for other programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ebgan.runs.run import Run

Part = Literal["generator", "energy", "encoder", "detector", "classifier"]  # as in ebgan.runs.sharing.graphs


@dataclass(frozen=True)
class ExportOptions(ReadsClasses):
    """Write a run into a new folder to give away: config.json, model.safetensors, a model card and samples.

    `ebgan.load(DEST)` reads it anywhere. No path of this machine and no optimiser's state is in it; the energies that
    `ebgan score --normals` keeps travel with it. With --onnx or --pt2 DEST is a file, with a part of the run that works
    without ebgan.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    dest: Annotated[Positional[Path], arg(metavar="DEST")]  # a new or an empty folder; a file for --onnx and --pt2
    license: str = "unknown"  # for the model card: an identifier such as apache-2.0
    push: Annotated[str | None, arg(metavar="OWNER/NAME", help="upload the folder to the Hugging Face Hub, too")] = None
    public: FlagCreatePairsOff[bool] = False  # whether a page of the Hub that is made for it can be seen by everybody
    yes: FlagCreatePairsOff[bool] = False  # upload without asking first
    onnx: Part | None = None  # a part of the run as an ONNX model, a file DEST that ends in .onnx
    pt2: Part | None = None  # a part of the run as a program of torch.export, a file DEST that ends in .pt2
    contamination: float | None = None  # of a detector: the share of normal images above its threshold, such as 0.01
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest


def main(argv: list[str]) -> None:
    """Write, upload if asked to, and say where everything is."""
    chosen = parse(ExportOptions, "export", argv)
    _refuse(chosen)
    from ebgan.runs.loading import load

    if chosen.onnx or chosen.pt2:
        _write_graph(load(chosen.run, best=chosen.best, device="cpu"), chosen)
        return
    from ebgan.runs.sharing.card import check_license
    from ebgan.runs.sharing.export import refuse_full

    check_license(chosen.license)
    refuse_full(chosen.dest)
    run = load(chosen.run, best=chosen.best, device="cpu")
    files = run.save_pretrained(chosen.dest, license=chosen.license)
    for path in files:
        print(f"{path.stat().st_size:>14,}  {path}")
    if chosen.push is not None:
        _push(chosen.push, files, chosen)


def _refuse(chosen: ExportOptions) -> None:
    """Raise UsageError, before anything is read or written, for options that do not fit."""
    part = chosen.onnx or chosen.pt2
    if chosen.onnx and chosen.pt2:
        raise UsageError("--onnx and --pt2: DEST is one file: give one of them, and export twice")
    if part and (chosen.push or chosen.license != "unknown"):
        raise UsageError("--push, --license: are about a folder, and --onnx and --pt2 write a file: leave one out")
    if (part == "detector") != (chosen.contamination is not None):
        raise UsageError(
            "--contamination: belongs to a detector, whose threshold it sets: give it with --onnx detector or --pt2 "
            "detector, and nowhere else"
        )
    if chosen.push is None and (chosen.public or chosen.yes):
        raise UsageError("--public, --yes: are about an upload: give --push OWNER/NAME, or leave them out")
    if chosen.push is not None:
        from ebgan.extras import needed
        from ebgan.runs.sharing.hub import check_name

        check_name(chosen.push)
        needed("huggingface_hub", "hub")
        if not chosen.yes and not sys.stdin.isatty():
            raise UsageError("--push: nobody is here to be asked: give --yes to upload without a question")


def _write_graph(run: Run, chosen: ExportOptions) -> None:
    """Write a part of a run as a graph, and say how near it comes to the run."""
    from ebgan.detection.of_run import kept
    from ebgan.runs.sharing.programs import save_onnx, save_pt2

    part = chosen.onnx or chosen.pt2
    assert part is not None
    threshold = None if chosen.contamination is None else kept(run).threshold(chosen.contamination)
    save = save_onnx if chosen.onnx else save_pt2
    difference = save(run, chosen.dest, part, threshold=threshold)
    print(f"{chosen.dest.stat().st_size:>14,}  {chosen.dest}")
    print(f"{part} equals the run's to {difference:.1e}" + (f", threshold {threshold:.6g}" if threshold else ""))


def _push(repository: str, files: Sequence[Path], chosen: ExportOptions) -> None:
    """Ask, and upload."""
    from ebgan.runs.sharing.hub import upload

    if not chosen.yes:
        kind = "everybody can see it" if chosen.public else "private"
        question = f"upload these {len(files)} files to {repository} of the Hugging Face Hub ({kind})? [y/N] "
        if input(question).strip().lower() not in ("y", "yes"):
            print("nothing was uploaded")
            return
    print(f"page           {upload(files, repository, private=not chosen.public)}")
