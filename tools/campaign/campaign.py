"""Long runs one after the other, on one thread and at low priority: the evidence behind docs/recipes.

    python tools/campaign/campaign.py RUNS            # train what runs.yaml lists and done.jsonl lacks
    python tools/campaign/campaign.py RUNS --list     # say what is done, what is begun and what waits

`runs.yaml` lists the runs in their order. Each is an `ebgan train` into a folder below RUNS, which goes on where it was
stopped. When a run has ended, its commands, the commit, the processor, the seconds and the last metrics are added to
`done.jsonl`. A run with a line there is done, even if its folder is gone. A run that fails is named and left out until
the next call. Start the campaign from a clone of its own, so that no change of the code disturbs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Planned:
    """One run: a recipe with options and a seed, and how its samples are measured in the end."""

    name: str
    train: tuple[str, ...]  # RECIPE and options of `ebgan train`
    evaluate: tuple[str, ...] | None  # options of `ebgan evaluate`; None where the run's own last metrics are enough

    def commands(self, runs: Path) -> list[list[str]]:
        """The commands of the run, the first of which trains."""
        recipe, *options = self.train
        trained = ["ebgan", "train", recipe, str(runs / self.name), *options]
        if self.evaluate is None:
            return [trained]
        return [trained, ["ebgan", "evaluate", str(runs / self.name), "--json", *self.evaluate]]


def planned(path: Path) -> list[Planned]:
    """The runs of a list, seed by seed."""
    runs = []
    for entry in yaml.safe_load(path.read_text("utf-8")):
        train, evaluate = entry["train"].split(), entry.get("evaluate")
        for seed in entry["seeds"]:
            options = (*train, "--seed", str(seed))
            measured = None if evaluate is None else tuple(evaluate.split())
            runs.append(Planned(f"{entry['name']}-{seed}", options, measured))
    return runs


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def run(plan: Planned, runs: Path) -> dict[str, Any] | None:
    """Train and measure; the record of what came of it, or None where a command failed."""
    measured: dict[str, Any] = {}
    for command in plan.commands(runs):
        print("$", " ".join(command), flush=True)
        evaluates = command[1] == "evaluate"
        ended = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if evaluates else None)
        if ended.returncode:
            print(f"{plan.name}: exit code {ended.returncode}", flush=True)
            if ended.returncode in (130, 143):
                raise SystemExit(ended.returncode)
            return None
        if evaluates:
            measured = json.loads(ended.stdout)
    folder = runs / plan.name
    last, evaluations = lines(folder / "stats.jsonl")[-1], lines(folder / "evaluations.jsonl")
    measured = measured or (evaluations[-1] if evaluations else {})
    return {
        "name": plan.name,
        "commands": [" ".join(command) for command in plan.commands(Path("RUNS"))],
        "commit": said("git", "-C", str(HERE), "rev-parse", "--short", "HEAD"),
        "processor": processor(),
        "images": last["images"],
        "seconds": round(last["seconds"]),
        "last record": {key: value for key, value in last.items() if isinstance(value, float) and "/" not in key},
        "metrics": measured.get("metrics", {}),
        "protocol": measured.get("protocol", {}),
    }


def said(*command: str) -> str:
    """The first line that a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition("\n")[0]


def processor() -> str:
    """The kind of processor, and the vector instructions that decide which precision is fast."""
    try:
        known = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    fields = dict(line.split(":", 1) for line in known.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in fields.get("flags", "").split()]
    return f"{fields.get('model name', platform.machine())} ({', '.join(flags)})"


def main() -> None:
    """Train what waits, in the order of the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="the folder of the run folders")
    parser.add_argument("--plan", type=Path, default=HERE / "runs.yaml", help="the list of runs")
    parser.add_argument("--done", type=Path, default=HERE / "done.jsonl", help="the file of results")
    parser.add_argument("--list", action="store_true", help="say what is done, begun and waiting, and train nothing")
    chosen = parser.parse_args()
    os.nice(10)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    failed = set()
    while waiting := [
        plan
        for plan in planned(chosen.plan)  # read anew: the list may have grown meanwhile
        if plan.name not in failed and plan.name not in {record["name"] for record in lines(chosen.done)}
    ]:
        if chosen.list:
            for plan in waiting:
                print("begun  " if (chosen.runs / plan.name).exists() else "waiting", plan.name)
            print(f"done: {len(lines(chosen.done))}")
            return
        record = run(waiting[0], chosen.runs)
        if record is None:
            failed.add(waiting[0].name)
            continue
        with chosen.done.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
    print(f"done: {len(lines(chosen.done))}, failed: {', '.join(sorted(failed)) or 'none'}")


if __name__ == "__main__":
    main()
