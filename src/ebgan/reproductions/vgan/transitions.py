"""VCD's transitions: by rho (figure 3), on colour images (figure 4), as a chain (figure 5), for few labels (table 2).

Every run is a recipe `vcd.*.authors_code` with another rho, trained on the training set without the held-out validation
images, from which the pictures start. The recipes follow the authors' code because rho weighs the samples' energy
against the reconstruction error, whose unit there is smaller by a factor of hundreds: in the paper's unit a rho of 0.1
has almost no effect.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from PIL import Image
from torch import Tensor

from ebgan.errors import DataError
from ebgan.objectives import VCD
from ebgan.recipes.index import find
from ebgan.report import gallery, grid
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import below, below_in_pairs
from ebgan.reproductions.vgan.few_labels import Errors, FewLabels
from ebgan.reproductions.vgan.sizes import Parts, ScaledRecipe, cut, parts, pixels, size_of
from ebgan.runs.augment import TransitionAugment
from ebgan.runs.chain import simulate, summary
from ebgan.runs.run import Run
from ebgan.runs.trainer import train

SHOWN = 100  # images in each panel
STEPS, CHAINS = 9, 30
RHOS = (0.0, 0.001, 0.01, 0.1, 1.0)
PAPER = {  # error in per cent with 1,000 labels: without augmentation, then for each rho
    "mnist": (2.2, 2.9, 2.0, 1.7, 1.9, 21.0),
    "svhn": (19.0, 26.0, 20.0, 18.0, 17.0, 37.0),
}
NONE = "no augmentation"


def figure3(asked: Request) -> Findings:
    """Data, reconstructions and transitions of VCD on MNIST for rho 0, 0.01 and 1."""
    size = size_of(asked.scale, 1)
    given = parts(size.source("mnist"))
    runs = {rho: trained(asked, size, given, "mnist", rho) for rho in (0.0, 0.01, 1.0)}
    start = pixels(cut(given.validation, 0, SHOWN))
    lost = {rho: distances(start, run.reconstruct(start)) for rho, run in runs.items()}
    moved = {rho: distances(start, run.sample(len(start), source=start)) for rho, run in runs.items()}
    found = [
        _order("rho 1 reconstructs no more: distance of the reconstruction", lost[0.01], lost[1.0]),
        _order("rho 1 keeps no resemblance: distance of the transition", moved[0.01], moved[1.0]),
    ]
    pictures = [
        picture for rho, run in runs.items() for picture in panels(run, start, f"{given.train.name}, rho {rho:g}")
    ]
    return Findings(found, {"figure3": gallery(pictures, 3)})


def figure4(asked: Request) -> Findings:
    """Data, reconstructions and transitions of VCD on SVHN and CIFAR-10, rho 0.01."""
    size = size_of(asked.scale, 1)
    found, pictures = [], []
    for source, given in at_hand(asked, size, ("svhn", "cifar10")).items():
        run = trained(asked, size, given, source, 0.01)
        start = pixels(cut(given.validation, 0, SHOWN))
        lost = distances(start, run.reconstruct(start))
        moved = distances(start, run.sample(len(start), source=start))
        found.append(_order(f"{given.train.name}: transitions go further than reconstructions", lost, moved))
        pictures += panels(run, start, given.train.name)
    return Findings(found, {"figure4": gallery(pictures, 3)})


def figure5(asked: Request) -> Findings:
    """Chains of transitions from images of MNIST and SVHN, 9 steps, rho 0.01."""
    size = size_of(asked.scale, 1)
    found, pictures, tables = [], {}, {}
    for source, given in at_hand(asked, size, ("mnist", "svhn")).items():
        run = trained(asked, size, given, source, 0.01)
        start = pixels(cut(given.validation, 0, CHAINS))
        chain = simulate(run, start, STEPS, data=given.train)
        pictures[f"figure5_{given.train.name}"] = grid(chain.images.flatten(0, 1), columns=len(start))
        tables[f"{given.train.name}: {size.words()}"] = summary(chain)
        away, near = chain.distance[-1].tolist(), chain.nearest[-1].tolist()
        found.append(
            _order(f"{given.train.name}: nearer to the training images than to the start, in the end", near, away)
        )
    return Findings(found, pictures, tables)


def table2(asked: Request) -> Findings:
    """Error of a classifier with 1,000 labels and transitions as augmentation, for each rho, on MNIST and SVHN."""
    size = size_of(asked.scale, asked.seeds)
    found, pictures, tables = [], {}, {}
    for source, given in at_hand(asked, size, tuple(PAPER)).items():
        learned, runs = learn(asked, size, given, source)
        errors = {title: [100 * each.test for each in found] for title, found in learned.items()}
        title = f"{given.train.name}, {size.labels} labels: {size.words()}"
        tables[title] = [["classifier", f"paper's error on {source}, %", "error, %"], *_rows(errors, PAPER[source])]
        start = pixels(cut(given.train, 0, SHOWN))
        drawn = [(title, grid(run.sample(len(start), source=start))) for title, run in runs.items()]
        pictures[f"table2_{given.train.name}"] = gallery([("labelled images", grid(start)), *drawn], 3)
        found += _augmented(given.train.name, learned)
    return Findings(found, pictures, tables)


def learn(
    asked: Request, size: ScaledRecipe, given: Parts, source: str
) -> tuple[dict[str, list[Errors]], dict[str, Run]]:
    """The classifier's errors, one per seed, without augmentation and for each rho; and the runs of seed 0."""
    validation = cut(given.validation, 0, size.validated or len(given.validation))
    few = FewLabels(cut(given.train, 0, size.labels), validation, given.test, size.learning, size.learner)
    errors: dict[str, list[Errors]] = {title: [] for title in (NONE, *map(_title, RHOS))}
    first: dict[str, Run] = {}
    for seed in range(size.seeds):
        asked.note(f"{given.train.name}: classifier, {NONE}, seed {seed}")
        errors[NONE].append(few.errors(None, seed))
        for rho in RHOS:
            run = trained(asked, size, given, source, rho, seed=seed)
            asked.note(f"{given.train.name}: classifier, {_title(rho)}, seed {seed}")
            augment = TransitionAugment(run, 1.0, limits=(0.0, 1.0), seed=seed)
            errors[_title(rho)].append(few.errors(augment, seed))
            first.setdefault(_title(rho), run)
    return errors, first


def trained(asked: Request, size: ScaledRecipe, given: Parts, source: str, rho: float, *, seed: int = 0) -> Run:
    """Train or resume the run for a set and a rho."""
    asked.note(f"{given.train.name}, rho {rho:g}, seed {seed}: {size.words()}")
    made = size.of(find(f"vcd.{source}.authors_code").make(), len(given.train))
    out = asked.out / f"vcd.{source}.rho{rho:g}" / f"seed{seed}"
    return train(replace(made, seed=seed, objective=VCD.authors_code(rho)), out, data=given.train.images)


def at_hand(asked: Request, size: ScaledRecipe, sources: tuple[str, ...]) -> dict[str, Parts]:
    """The available sets; if the digits replace them, only the first. Raises DataError if there are none."""
    found: dict[str, Parts] = {}
    missing: list[DataError] = []
    for source in sources[:1] if size.digits else sources:
        try:
            found[source] = parts(size.source(source))
        except DataError as error:
            asked.note(f"left out: {error}")
            missing.append(error)
    if not found:
        raise missing[0]
    return found


def panels(run: Run, start: Tensor, title: str) -> list[tuple[str, Image.Image]]:
    """Images, their reconstructions and transitions from them, side by side."""
    columns = {
        "data": start,
        "reconstructions": run.reconstruct(start),
        "transitions": run.sample(len(start), source=start),
    }
    return [(f"{title}: {name}", grid(images)) for name, images in columns.items()]


def distances(images: Tensor, others: Tensor) -> list[float]:
    """The L2 distance [N] between each image and its counterpart, pixels in [-1, 1]."""
    found: list[float] = (images - others).flatten(1).norm(dim=1).tolist()
    return found


def _augmented(data: str, errors: dict[str, list[Errors]]) -> list[Claim]:
    """Claims: transitions help, and those of an auto-encoder (rho 0) or without resemblance (rho 1) do not."""
    tests = {title: [100 * each.test for each in found] for title, found in errors.items()}
    chosen = min((_title(0.01), _title(0.1)), key=lambda title: fmean(each.validation for each in errors[title]))
    return [
        _errors(f"{data}: {claim}", tests[less], tests[more])
        for claim, less, more in (
            (f"{chosen}, by validation the better of 0.01 and 0.1, lowers the error", chosen, NONE),
            ("rho 0, an auto-encoder's samples, raises it", NONE, _title(0.0)),
            ("rho 1 raises it", NONE, _title(1.0)),
        )
    ]


def _rows(errors: dict[str, list[float]], paper: tuple[float, ...]) -> list[list[str]]:
    return [[title, f"{was:g}", spread(now)] for (title, now), was in zip(errors.items(), paper, strict=True)]


def _title(rho: float) -> str:
    return f"VCD, rho {rho:g}"


def _order(claim: str, less: list[float], more: list[float]) -> Claim:
    """The claim that the first distances are smaller, by pairs of images; one run of each."""
    return below_in_pairs(less, more, "image").claim(claim, "the first the smaller", _means(less, more))


def _errors(claim: str, less: list[float], more: list[float]) -> Claim:
    return below(less, more).claim(claim, "the first the smaller", _means(less, more))


def _means(less: list[float], more: list[float]) -> str:
    return f"{fmean(less):.3g} and {fmean(more):.3g}"
