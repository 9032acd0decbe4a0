"""Table 1 of the EBGAN paper: the axes of the grid search and the number of trials."""

from __future__ import annotations

from collections import Counter

from ebgan.experiment import Experiment
from ebgan.recipes.grid_figures import FIGURES
from ebgan.recipes.mnist_grid import both
from ebgan.reproductions.claims import Claim, Findings, Request

NETS = {  # the paper's names of the axes that both families have
    "nLayerG": ("generator", "depth"),
    "nLayerD": ("discriminator", "depth"),
    "sizeG": ("generator", "width"),
    "sizeD": ("discriminator", "width"),
    "dropoutD": ("discriminator", "dropout"),
}
COUNTS = {"EBGAN": 4**4 * 2, "GAN": 4**4 * 2 * 2**2 * 3}  # nets and dropout; times two optimisers each, three rates


def reproduce(asked: Request) -> Findings:
    """The axes of the grid search and the number of their combinations; nothing is trained."""
    experiments = [trial.experiment for trial in both(asked.scale).trials()]
    grids = {name: [each for each in experiments if type(each.objective).__name__ == name] for name in FIGURES.heights}
    values = {name: list(map(axes_of, made)) for name, made in grids.items()}
    rows = [
        [axis, *(_said(Counter(each[axis] for each in found)) for found in values.values())]
        for axis in values["EBGAN"][0]
    ]
    counts = [
        Claim(f"{name}s of the grid", f"{COUNTS[name]:,}", f"{len(made):,}", len(made) == COUNTS[name])
        for name, made in grids.items()
    ]
    return Findings(counts, {}, {f"table 1 at scale {asked.scale}": [["axis", *grids], *rows]})


def axes_of(experiment: Experiment) -> dict[str, str]:
    """The value of an experiment on each axis, by the paper's names."""
    nets, players = experiment.nets, experiment.optimisers
    return {name: str(getattr(getattr(nets, net), field)) for name, (net, field) in NETS.items()} | {
        "optimD": type(players.discriminator).__name__,
        "optimG": type(players.generator).__name__,
        "lr": f"{players.discriminator.lr:g}",
    }


def _said(counts: Counter[str]) -> str:
    """The values of an axis, and the number of trials of each if it is the same for all, as text."""
    often = set(counts.values())
    each = f"{often.pop():,} each" if len(often) == 1 else ", ".join(f"{count:,}" for count in counts.values())
    return f"{', '.join(counts)} ({each})"
