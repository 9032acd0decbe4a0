"""What a user waits for: whole commands of ours against scripts that do the same without us.

    python benchmarks/whole_command.py [--rows ROW ...] [--repeats 3] [--threads 1] [--images N]

| row | ours | beside it |
|---|---|---|
| digits-first, digits-again | `ebgan train digits`, 100,000 images | `plain_ebgan.py digits` |
| mnist-first, mnist-again | `ebgan train mnist.ebgan_pt --precision fp32`, 12,800 images | `plain_ebgan.py mnist` |
| recipes, help, reproduce | `ebgan recipes`, `ebgan train digits --help`, `ebgan reproduce` | `import torch` |
| plan | `ebgan sweep mnist_grid --plan` | `import torch` |
| faces-first, faces-again | opening `faces64` at 64 pixels | the same with `EBGAN_NO_CACHE=1` |

`first` begins with an empty cache folder, `again` with the one that a first run has left. Ours and the other alternate,
in new folders each. Printed are medians of seconds by the clock and of the processors (user and system, of all
processes), and of the ratios of neighbours, with the least and the largest. MNIST and faces are looked for as always
(`EBGAN_DATA`).
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
EBGAN = (sys.executable, "-c", "from ebgan.cli.main import main; main()")
IMPORT = (sys.executable, "-c", "import torch")


class Spent(NamedTuple):
    """What a command took, in seconds."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Row:
    """A command of ours and what is run beside it; `OUT` stands for a new folder."""

    ours: Sequence[str]
    other: Sequence[str]
    beside: str  # what the other is called in the table
    again: bool = False  # whether a run of ours that is not measured fills the cache first
    cached: bool = True  # whether the other may use the cache


def training(recipe: str, data: str, images: int, *more: str) -> Row:
    """A recipe beside the script."""
    count = ("--images", str(images))
    ours = (*EBGAN, "train", recipe, "OUT", *count, "--device", "cpu", *more)
    return Row(ours, (sys.executable, str(HERE / "plain_ebgan.py"), data, "OUT", *count), "script")


def rows(images: int | None) -> dict[str, Row]:
    """All rows by name; `images` in place of the numbers of the table."""
    digits = training("digits", "digits", images or 100_000)
    mnist = training("mnist.ebgan_pt", "mnist", images or 12_800, "--precision", "fp32")
    opening = (sys.executable, "-c", "from ebgan.data import open_data; open_data('faces64', size=64)")
    faces = Row(opening, opening, "no cache", cached=False)
    return {
        "digits-first": digits,
        "digits-again": replace(digits, again=True),
        "mnist-first": mnist,
        "mnist-again": replace(mnist, again=True),
        "recipes": Row((*EBGAN, "recipes"), IMPORT, "import torch"),
        "help": Row((*EBGAN, "train", "digits", "--help"), IMPORT, "import torch"),
        "reproduce": Row((*EBGAN, "reproduce"), IMPORT, "import torch"),
        "plan": Row((*EBGAN, "sweep", "mnist_grid", "OUT", "--plan"), IMPORT, "import torch"),
        "faces-first": faces,
        "faces-again": replace(faces, again=True),
    }


def measure(row: Row, repeats: int) -> tuple[list[Spent], list[Spent]]:
    """What ours and the other took, in turns, a line for each on the console."""
    ours, others = [], []
    with tempfile.TemporaryDirectory() as kept:
        if row.again:
            run(row.ours, kept)
        for turn in range(repeats):
            with tempfile.TemporaryDirectory() as empty:
                ours.append(run(row.ours, kept if row.again else empty))
            with tempfile.TemporaryDirectory() as empty:
                others.append(run(row.other, empty, cached=row.cached))
            told = f"ours {ours[-1].clock:.2f} s, {row.beside} {others[-1].clock:.2f} s"
            print(f"  {turn + 1} of {repeats}: {told}", file=sys.stderr, flush=True)
    return ours, others


def run(command: Sequence[str], cache: str, *, cached: bool = True) -> Spent:
    """Run a command to its end. Raises SystemExit with what it said where it fails."""
    variables = {"XDG_CACHE_HOME": cache, "EBGAN_NO_CACHE": "" if cached else "1"}
    with tempfile.TemporaryDirectory() as folder:
        words = [str(Path(folder, "out")) if word == "OUT" else word for word in command]
        before, begun = processor(), time.perf_counter()
        ended = subprocess.run(words, env=os.environ | variables, capture_output=True, text=True, check=False)
        spent = Spent(time.perf_counter() - begun, processor() - before)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)}: ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    return spent


def processor() -> float:
    """Seconds of the processors that all processes have taken which were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def line(name: str, row: Row, ours: list[Spent], others: list[Spent]) -> str:
    """A row of the table."""
    cells = [f"{statistics.median(each.clock for each in spent):.2f}" for spent in (ours, others)]
    for kind in ("clock", "processor"):
        ratios = [getattr(one, kind) / getattr(other, kind) for one, other in zip(ours, others, strict=True)]
        cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return f"| {name} | {row.beside} | {' | '.join(cells)} |"


def main() -> None:
    """Print a table, a row as soon as it is there."""
    known = rows(None)
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", nargs="+", choices=known, default=list(known), metavar="ROW", help=", ".join(known))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, help="in place of those of the table, to try it")
    parser.add_argument("--threads", type=int, help="OMP_NUM_THREADS; by default as the machine has it")
    given = parser.parse_args()
    if given.threads:
        os.environ["OMP_NUM_THREADS"] = str(given.threads)
    chosen = rows(given.images)
    print("| row | compared with | ours, s | the other, s | ratio of elapsed time | ratio of processor time |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in given.rows:
        print(name, file=sys.stderr, flush=True)
        print(line(name, chosen[name], *measure(chosen[name], given.repeats)), flush=True)


if __name__ == "__main__":
    main()
