"""`ebgan sweep GRID OUT --plan`: print which trials would run, in which stacks, and an estimate of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import torch

from ebgan.experiment.precision import multiplies_bf16
from ebgan.report.summary import duration
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import Halving, SweepStore, Trial
from ebgan.sweeps.halving import Rung, Scores, rungs, unfinished
from ebgan.sweeps.moved import recognised
from ebgan.sweeps.plan import Task, planned, seconds
from ebgan.sweeps.precision import FACT, settled, warn_of_emulation


def print_plan(
    trials: Sequence[Trial],
    out: Path,
    halving: Halving | None,
    *,
    device: torch.device,
    workers: int,
    sharing: int,
) -> None:
    """Print the plan of each rung whose trials are known, and the estimated time of all; nothing is written.

    Raises UsageError if successive halving cannot be applied to the trials.
    """
    if halving:
        halving.check(trials)
    finished, scores, facts = _known(SweepFolder(out).trials)
    trials, _ = recognised(trials, facts)
    trials, kept = settled(trials, facts, partial(multiplies_bf16, device))
    if kept:
        print(f"precision {kept[FACT]} for trials that do not state one")
    warn_of_emulation(trials, device)
    needed = _print_rung(rungs(trials, halving, lambda: scores), finished, out, halving, device=device, sharing=sharing)
    if needed is None:
        print(f"the time can be estimated only on a machine with a {device.type} device")
        return
    print(f"about {duration(needed / workers)} with {_counted(workers, 'worker')} on idle cores like this one")


def _print_rung(
    remaining: Iterable[Rung],
    finished: set[str],
    out: Path,
    halving: Halving | None,
    *,
    device: torch.device,
    sharing: int,
) -> float | None:
    """Print the rungs up to the first with trials left to run.

    Returns the estimated time of one worker in seconds, None if the device is not available.
    """
    here = device.type != "cuda" or torch.cuda.is_available()
    for rung in remaining:
        left = unfinished(rung, finished)
        if not rung.trials:
            print("no trial has a score, so none continues")
            break
        images = f" of {_span(rung.trials)} images" if halving else ""
        print(f"{len(rung.trials):,} trials{images}, {len(rung.trials) - len(left):,} of them with a result in {out}")
        if not left:
            continue
        tasks = planned(left, device, sharing=sharing)
        for line in _task_lines(tasks):
            print(line)
        needed = seconds(tasks, device) * (1 + rung.above * len(rung.trials) / len(left)) if here else None
        if halving and rung.above:
            print(f"then {_counted(rung.above, 'rung')} with the best one in {halving.eta}, trained from the start")
        return needed
    return 0.0 if here else None


def _known(path: Path) -> tuple[set[str], Scores, dict[str, str]]:
    """The trials that have a result, their scores, and the facts of the sweep."""
    if not path.exists():
        return set(), {}, {}
    with SweepStore(path) as store:
        return store.finished(), store.scores(), store.facts()


def _span(trials: Sequence[Trial]) -> str:
    """The smallest and largest number of images of the trials, as text."""
    images = {trial.experiment.images for trial in trials}
    return " to ".join(f"{count:,}" for count in sorted({min(images), max(images)}))


def _counted(count: int, name: str) -> str:
    return f"1 {name}" if count == 1 else f"{count} {name}s"


def _task_lines(tasks: Sequence[Task]) -> list[str]:
    """Lines with the number of stacks of each size."""
    sizes = Counter(len(task.trials) for task in tasks)
    return [
        f"{count:>6,} {'single trials' if size == 1 else f'stacks of {size}'}" for size, count in sorted(sizes.items())
    ]
