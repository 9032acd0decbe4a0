"""VGAN and GAN with the same nets: their samples (figure 2), and linear classifiers on their features (table 1).

The features are the 1,024 activations below the experts, or below the GAN's logit. The nets are trained without labels,
the classifier with all labels. The untrained net is measured for comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean

import torch
from PIL import Image

from ebgan.distributed import default_device
from ebgan.metrics.probe import LabelledFeatures, Probe, probe
from ebgan.recipes.index import find
from ebgan.report import gallery, grid
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import below
from ebgan.reproductions.vgan.sizes import Parts, ScaledRecipe, joined, parts, pixels, size_of
from ebgan.runs.loading import assemble
from ebgan.runs.run import DataFacts, Run
from ebgan.runs.trainer import train
from ebgan.training.game import Turns

SAMPLES = 100  # in each panel of figure 2


@dataclass(frozen=True)
class Column:
    """A column of table 1."""

    title: str
    recipe: str
    turns: int  # of the generator per step, k
    paper: float  # the paper's error in per cent


COLUMNS = (
    Column("GAN, k = 1", "gan.cifar10", 1, 84.7),
    Column("VGAN, k = 1", "vgan.cifar10", 1, 36.5),
    Column("GAN, k = 3", "gan.cifar10", 3, 86.6),
    Column("VGAN, k = 3", "vgan.cifar10", 3, 32.5),
)


def table1(asked: Request) -> Findings:
    """Error of linear classifiers on the features of GAN and VGAN, k = 1 and 3, on CIFAR-10."""
    size = size_of(asked.scale, asked.seeds)
    given = parts(size.source("cifar10"))
    runs = trained(asked, size, given)
    errors: dict[str, list[float]] = {}
    first = [untrained(size, given, seed) for seed in range(size.seeds)]
    for title, each in (runs | {"before training": first}).items():
        for seed, run in enumerate(each):
            found = probed(run, given)
            errors.setdefault(title, []).append(100 * found.error)
            asked.note(
                f"{title}, seed {seed}: {100 * found.error:.1f} % by a linear classifier, C = {found.strength:g}"
            )
    paper = {method.title: f"{method.paper}" for method in COLUMNS}
    rows = [[title, paper.get(title, ""), spread(numbers)] for title, numbers in errors.items()]
    heading = [["features of", "paper's error, %", "error, %"]]
    title = f"table 1 on {given.train.name}: {size.words()}"
    return Findings(claims(errors), {"figure2": drawn(runs)}, {title: heading + rows})


def figure2(asked: Request) -> Findings:
    """Samples of GAN and VGAN, k = 1 and 3, on CIFAR-10."""
    size = size_of(asked.scale, 1)
    return Findings([], {"figure2": drawn(trained(asked, size, parts(size.source("cifar10"))))})


def trained(asked: Request, size: ScaledRecipe, given: Parts) -> dict[str, list[Run]]:
    """Train or resume the runs of each method, one per seed."""
    runs: dict[str, list[Run]] = {}
    images = joined(given).images
    for method in COLUMNS:
        made = replace(size.of(find(method.recipe).make(), len(images)), turns=Turns(generator=method.turns))
        for seed in range(size.seeds):
            asked.note(f"{method.title}, seed {seed}: {size.words()}")
            out = asked.out / f"{method.recipe}.k{method.turns}" / f"seed{seed}"
            runs.setdefault(method.title, []).append(train(replace(made, seed=seed), out, data=images))
    return runs


def untrained(size: ScaledRecipe, given: Parts, seed: int) -> Run:
    """VGAN's nets with their initial weights."""
    data = given.train
    made = replace(size.of(find("vgan.cifar10").make(), len(data)), seed=seed)
    return assemble(made, DataFacts(data.shape, data.classes, data.checksum), default_device())


def probed(run: Run, given: Parts) -> Probe:
    """A linear classifier on a run's features."""
    return probe(*(LabelledFeatures(run.encode(pixels(data)), torch.tensor(data.labels)) for data in given))


def claims(errors: dict[str, list[float]]) -> list[Claim]:
    """Claims: VGAN's features classify better than GAN's, and more turns of the generator help VGAN."""
    mean = {title: fmean(numbers) for title, numbers in errors.items()}
    found = []
    for first, second, what in (
        ("VGAN, k = 1", "GAN, k = 1", "VGAN's features classify better than GAN's, k = 1"),
        ("VGAN, k = 3", "GAN, k = 3", "VGAN's features classify better than GAN's, k = 3"),
        ("VGAN, k = 3", "VGAN, k = 1", "VGAN gains by more turns of the generator"),
        ("VGAN, k = 1", "before training", "VGAN's features classify better than before training"),
    ):
        measured = f"{mean[first]:.1f} % and {mean[second]:.1f} %"
        found.append(below(errors[first], errors[second]).claim(what, "a lower error", measured))
    return found


def drawn(runs: dict[str, list[Run]]) -> Image.Image:
    """Figure 2: a row for each k, GAN on the left and VGAN on the right."""
    return gallery([(title, grid(each[0].sample(SAMPLES))) for title, each in runs.items()], 2)
