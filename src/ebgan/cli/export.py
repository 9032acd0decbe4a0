"""`ebgan export RUN DEST`: a folder that can be given away."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Export(ReadsClasses):
    """Write a run into a new folder to give away: config.json, model.safetensors, a model card and samples.

    `ebgan.load(DEST)` reads it anywhere. No path of this machine and no optimiser's state is in it; a threshold that
    `ebgan score --normals` found travels with it.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    dest: Annotated[Positional[Path], arg(metavar="DEST")]  # a new or an empty folder
    license: str = "unknown"  # for the model card: an identifier such as apache-2.0
    push: Annotated[str | None, arg(metavar="OWNER/NAME", help="upload the folder to the Hugging Face Hub, too")] = None
    public: FlagCreatePairsOff[bool] = False  # whether a page of the Hub that is made for it can be seen by everybody
    yes: FlagCreatePairsOff[bool] = False  # upload without asking first
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest


def main(argv: list[str]) -> None:
    """Write, upload if asked to, and say where everything is."""
    chosen = parse(Export, "export", argv)
    if chosen.push is None and (chosen.public or chosen.yes):
        raise UsageError("--public, --yes: are about an upload: give --push OWNER/NAME, or leave them out")
    from ebgan.runs.loading import load
    from ebgan.runs.sharing.export import refuse_full

    if chosen.push is not None:
        _refuse_push(chosen)
    refuse_full(chosen.dest)
    run = load(chosen.run, best=chosen.best, device="cpu")
    files = run.save_pretrained(chosen.dest, license=chosen.license)
    for path in files:
        print(f"{path.stat().st_size:>14,}  {path}")
    if chosen.push is not None:
        _push(chosen.push, files, chosen)


def _refuse_push(chosen: Export) -> None:
    """Raise UsageError, before anything is written, for an upload that could not be."""
    from ebgan.extras import needed
    from ebgan.runs.sharing.hub import check_name

    check_name(chosen.push or "")
    needed("huggingface_hub", "hub")
    if not chosen.yes and not sys.stdin.isatty():
        raise UsageError("--push: nobody is here to be asked: give --yes to upload without a question")


def _push(repository: str, files: Sequence[Path], chosen: Export) -> None:
    """Ask, and upload."""
    from ebgan.runs.sharing.hub import upload

    if not chosen.yes:
        kind = "everybody can see it" if chosen.public else "private"
        question = f"upload these {len(files)} files to {repository} of the Hugging Face Hub ({kind})? [y/N] "
        if input(question).strip().lower() not in ("y", "yes"):
            print("nothing was uploaded")
            return
    print(f"page           {upload(files, repository, private=not chosen.public)}")
