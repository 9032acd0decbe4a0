"""Section 2.3.1 of the EBGAN paper measured: the energy of an auto-encoder away from the data.

"The model may learn little more than an identity function, meaning that it attributes zero energy to the whole space";
in EBGAN "the discriminator is also seen as being regularized by having a generator producing the contrastive samples".
So the same auto-encoder is trained twice from the same weights on as many images, alone (without a generator) and
inside EBGAN. Its code is wider than the dimension of the data, so it could learn the identity.

Two moons: if the auto-encoder projected onto the data, the energy of a point would be its distance from the data. The
ratio of energy to distance is 0 for the identity and 1 for a projection.

Digits: energies of images that are not digits are compared with those of held-out digits. Levels differ between the two
trainings, so ranks are compared: the AUROC is the probability that a non-digit has a higher energy than a digit.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from ebgan.data import Density, Packed, Points, open_data, open_points, scaled
from ebgan.experiment import Experiment
from ebgan.experiment.starting import start
from ebgan.metrics import auroc
from ebgan.objectives import EBGAN
from ebgan.randomness import Randomness
from ebgan.recipes.index import Scale, find
from ebgan.records import Batch
from ebgan.report import Landscape, gallery, grid, landscapes
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import Difference, below_in_pairs, within
from ebgan.training.game import Game, Turns

SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 5}  # of each training on moons; digits need only one
STEPS: dict[Scale, int] = {"tiny": 30, "cpu": 2_000}  # of each training
TRAININGS = {"alone": (1, 0), "inside EBGAN": (1, 1)}  # turns of the two players in a step
HELD_OUT = 297  # of the 1,797 digits
SEED = 1  # of the points and images used for measuring
SIDE = 120  # points along each side of a map
POINTS = 2_000  # points of the data
NEARLY = 0.25  # a ratio below this counts as nearly the identity
NOISE_NORM = math.sqrt(64 / 3)  # expected norm of 64 uniform pixels in [-1, 1]
LOW = 0.95  # an energy counts as low if at most this share of the data lies below it
SHOWN = 10  # images of each kind in the picture


class Land(NamedTuple):
    """Measurements of an auto-encoder on a toy density."""

    map: Landscape
    on: float  # mean energy of the data
    off: float  # mean energy of the points of the window away from the data
    ratio: float  # mean energy divided by mean distance from the data, over the same points
    low: float  # share of the window with an energy as low as the data's
    occupied: float  # share of the window occupied by the data


class Judged(NamedTuple):
    """Measurements of an auto-encoder on digits and on other images."""

    energies: dict[str, Tensor]  # kind of image -> [HELD_OUT]
    reconstructions: dict[str, Tensor]  # kind of image -> [SHOWN, 1, 8, 8]

    def auroc(self, kind: str) -> float:
        """The probability that an image of a kind has a higher energy than a held-out digit."""
        both = torch.cat((self.energies["digits"], self.energies[kind]))
        return auroc(both, torch.arange(len(both)) >= HELD_OUT)

    def wins(self, kind: str) -> Tensor:
        """Whether each image of a kind has a higher energy than each digit: [images, digits]; the mean is the AUROC."""
        apart = self.energies[kind][:, None] - self.energies["digits"]
        return apart.sign().double() / 2 + 0.5


def reproduce(asked: Request) -> Findings:
    """Energy away from the data, of an auto-encoder trained without a generator and inside EBGAN."""
    lands, judged = {}, {}
    kinds = not_digits(held_out())
    for title, turns in TRAININGS.items():
        asked.note(f"training an auto-encoder {title}, on two moons and on digits")
        seeds = range(asked.seeds or SEEDS[asked.scale])
        lands[title] = [on_moons(STEPS[asked.scale], turns, seed) for seed in seeds]
        judged[title] = on_digits(STEPS[asked.scale], turns, kinds)
    pictures = {
        "moons": landscapes({title: each[0].map for title, each in lands.items()}),
        "digits": gallery(shown(kinds, judged), 1 + len(judged)),
    }
    return Findings(claims_of_moons(lands) + claims_of_digits(judged), pictures)


def trained(experiment: Experiment, data: Packed | Points, steps: int, turns: tuple[int, int]) -> Game:
    """The game of an experiment after `steps` steps with these turns of discriminator and generator."""
    course = start(replace(experiment, turns=Turns(discriminator=turns[0], generator=turns[1])), data)
    for _ in course.steps(steps * turns[0] * course.batch):
        pass
    return course.game


def on_moons(steps: int, turns: tuple[int, int], seed: int = 0) -> Land:
    """Train on the two moons, and measure the energy over the window."""
    points = open_points("toy.moons")
    made = replace(find("toy.moons.ebgan").make(), seed=seed)
    return survey(trained(made, points, steps, turns), points.density, turns[1] > 0)


@torch.no_grad()
def survey(game: Game, density: Density, sampled: bool) -> Land:
    """Measure a game in two dimensions, with samples if `sampled`."""
    axis = torch.linspace(*density.window, SIDE)
    places = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)  # rows are y
    data = density.sample(Randomness.of(SEED), POINTS)
    samples = data[:0]
    if sampled:
        samples = game.sample(torch.tensor(0), 0, POINTS, lambda: Batch(data)).images.flatten(1)
    energy, on = (game.read(each.reshape(-1, 2, 1, 1)).energy for each in (places, data))
    distance = torch.cdist(places.reshape(-1, 2), density.centres).min(-1).values
    off = distance > density.reach
    arrays = axis, energy.reshape(SIDE, SIDE), density.log_density(places).exp(), data, samples
    return Land(
        map=Landscape(*(each.numpy() for each in arrays)),
        on=float(on.mean()),
        off=float(energy[off].mean()),
        ratio=float(energy[off].mean() / distance[off].mean()),
        low=float((energy < on.quantile(LOW)).float().mean()),
        occupied=float((~off).float().mean()),
    )


def held_out() -> Tensor:
    """The digits [HELD_OUT, 1, 8, 8] that are not trained on."""
    return scaled(torch.tensor(open_data("digits").images[-HELD_OUT:]), (-1.0, 1.0))


def not_digits(digits: Tensor) -> dict[str, Tensor]:
    """The digits, and by kind as many images that are not digits, made from the digits or from noise."""
    randomness = Randomness.of(SEED)
    others = digits.roll(1, 0)
    orders = torch.stack([randomness.permutation("pixels", 64, place) for place in range(len(digits))])
    return {
        "digits": digits,
        "noise": randomness.uniform("noise", *digits.shape) * 2 - 1,
        "shuffled pixels": digits.flatten(1).gather(1, orders).reshape(digits.shape),
        "inverted": -digits,
        "blends of two": (digits + others) / 2,
        "halves of two": torch.cat((digits[..., :4, :], others[..., 4:, :]), -2),
    }


def on_digits(steps: int, turns: tuple[int, int], kinds: dict[str, Tensor]) -> Judged:
    """Train an auto-encoder on the other digits, and measure it on each kind of image."""
    everything = open_data("digits")
    made = replace(find("digits").make(), objective=EBGAN(margin=3.0))
    game = trained(made, Packed(everything.images[:-HELD_OUT]), steps, turns)
    with torch.no_grad():
        energies = {kind: game.read(images).energy for kind, images in kinds.items()}
        seen = {kind: game.discriminator.net(images[:SHOWN])[1] for kind, images in kinds.items()}
    return Judged(energies, seen)


def claims_of_moons(lands: dict[str, list[Land]]) -> list[Claim]:
    """Claims: the auto-encoder alone is nearly the identity, and inside EBGAN it is not; one measurement per seed."""
    alone, inside = ([land.ratio for land in lands[title]] for title in TRAININGS)
    low_alone, low_inside = ([land.low for land in lands[title]] for title in TRAININGS)
    occupied = lands["inside EBGAN"][0].occupied
    return [
        within(alone, high=NEARLY).claim(
            "moons, alone: energy off the data over the distance from it",
            f"near 0, the identity: below {NEARLY}",
            spread(alone),
        ),
        within(inside, low=NEARLY).claim(
            "moons, inside EBGAN: energy off the data over the distance from it",
            f"not near 0: above {NEARLY}",
            spread(inside),
        ),
        below_in_pairs(low_inside, low_alone).claim(
            "moons: share of the plane with energy as low as the data's",
            "smaller inside EBGAN",
            f"{spread(low_inside)}, alone {spread(low_alone)}; the data has {occupied:.3f}",
        ),
    ]


def claims_of_digits(judged: dict[str, Judged]) -> list[Claim]:
    """The same claims on digits, by the ranks of energies; one run of each training."""
    alone, inside = judged["alone"], judged["inside EBGAN"]
    shares = (alone.energies["noise"] / NOISE_NORM).tolist()
    identity = within(shares, high=NEARLY, of="image").claim(
        "digits, alone: energy of noise over its norm", f"near 0, the identity: below {NEARLY}", spread(shares)
    )
    kinds = [kind for kind in alone.energies if kind != "digits"]
    return [identity, *(_ranked(kind, alone, inside) for kind in kinds)]


def _ranked(kind: str, alone: Judged, inside: Judged) -> Claim:
    """Compare two AUROCs over the same images, with the standard error of DeLong et al. (1988)."""
    apart = inside.wins(kind) - alone.wins(kind)
    images, digits = apart.mean(1), apart.mean(0)
    error = math.sqrt(float(images.var() / len(images) + digits.var() / len(digits)))
    gap = Difference(
        float(apart.mean()), error, len(images) + len(digits) - 2, f"{len(images)} and {len(digits)} images"
    )
    measured = f"{inside.auroc(kind):.3f}, alone {alone.auroc(kind):.3f}"
    return gap.claim(f"{kind}: AUROC against held-out digits", "inside EBGAN higher than alone", measured)


def shown(kinds: dict[str, Tensor], judged: dict[str, Judged]) -> list[tuple[str, Image.Image]]:
    """Some images of each kind, then their reconstructions alone and inside EBGAN, each under its title."""
    return [
        (title, grid(images[:SHOWN], columns=SHOWN))
        for kind, originals in kinds.items()
        for title, images in (
            (kind, originals),
            *((f"reconstructed {name}", seen.reconstructions[kind]) for name, seen in judged.items()),
        )
    ]
