"""Section 2.3 of the EBGAN paper measured: how much the gradients of different images in a batch differ.

    logistic        "only two targets are possible, so within a minibatch, the gradients corresponding to different
                    samples are most likely far from orthogonal"
    auto-encoder    "very different gradient directions within the minibatch"

For each image we take the gradient of the discriminator's loss with respect to all its weights. Over pairs of images
of one kind (data or samples), the mean absolute cosine measures how far gradients are from orthogonal, and

    directions      n^2 / (sum over all pairs of cosine^2)

is the effective number of orthogonal directions: 1 if all gradients are parallel, n if all are orthogonal. The two
kinds are not mixed, because the gradients of the logistic loss for data and samples differ mainly in sign.

The paper leaves some choices open. Nets: one hidden layer of 256 units for each, without batch norm, with which an
image has no gradient of its own. Time: during training against a generator. Thresholds: a mean absolute cosine above
0.5 (60 degrees) counts as far from orthogonal, one below 0.25 (76 degrees) as very different.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import normalize

from ebgan.data import Dataset, Loader
from ebgan.energies import AutoencoderEnergy, Energy, LogisticEnergy
from ebgan.errors import DataError
from ebgan.experiment import Data, Experiment, Nets
from ebgan.experiment.starting import start
from ebgan.nets.base import DiscriminatorSpec
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator
from ebgan.objectives import EBGAN, GAN, Objective
from ebgan.recipes.index import Scale, find
from ebgan.records import Batch
from ebgan.report import Panel, panels
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.verdicts import Difference
from ebgan.training.game import Game
from ebgan.training.step import Progress

MARGINS = {"digits": 3.0, "mnist": 10.0}
STEPS: dict[Scale, dict[str, int]] = {"tiny": {"digits": 30}, "cpu": {"digits": 2_000, "mnist": 600}}  # of each run
MOMENTS = (0.0, 1 / 300, 1 / 60, 1 / 30, *(tenth / 10 for tenth in range(1, 11)))  # shares of a run: measurements
BATCH = 128  # images of each kind whose gradients are computed
FAR, DIFFERENT = 0.5, 0.25  # thresholds for mean absolute cosines


class Alignment(NamedTuple):
    """The similarity of the gradients of some images."""

    cosine: float  # mean over pairs
    absolute: float  # mean absolute value over pairs
    directions: float
    pulling: int  # images with a gradient other than 0 (above the margin the hinge has none)
    error: float  # standard error of `absolute`; NaN for fewer than three images


class DiscriminatorAt(NamedTuple):
    """Measurements of a discriminator at one moment of training."""

    images: int  # seen
    data: Alignment
    samples: Alignment


@dataclass(frozen=True)
class Side:
    """A discriminator and its loss."""

    title: str
    net: DiscriminatorSpec
    energy: Energy

    def objective(self, margin: float) -> Objective[Any]:
        """The objective, with the margin for a data set if it has one."""
        return EBGAN(margin=margin) if isinstance(self.energy, AutoencoderEnergy) else GAN()


SIDES = (
    Side("logistic", MLPDiscriminator(width=256, batch_norm=False), LogisticEnergy()),
    Side("auto-encoder", MLPAutoencoder(width=256, batch_norm=False), AutoencoderEnergy()),
)


def reproduce(asked: Request) -> Findings:
    """Angles between the gradients of a batch's images, for a logistic discriminator and an auto-encoder."""
    claims, drawn = [], []
    for source, steps in STEPS[asked.scale].items():
        try:
            data = Data(source=source).open()
        except DataError as error:
            asked.note(f"left out: {error}")
            continue
        looks = {}
        for side in SIDES:
            asked.note(f"training the {side.title} discriminator on {source}")
            looks[side.title] = watch(setting(side, source), data, steps)
        claims += claims_of(source, looks)
        drawn += curves(source, looks)
    return Findings(claims, {"gradients": panels(drawn)})


def setting(side: Side, source: str) -> Experiment:
    """The nets of `digits` on a data set, with a discriminator and its loss."""
    made = find("digits").make()
    return replace(
        made,
        data=Data(source=source),
        nets=Nets(generator=made.nets.generator, discriminator=side.net),
        energy=side.energy,
        objective=side.objective(MARGINS[source]),
        precision="fp32",  # for exact gradients
    )


def watch(experiment: Experiment, data: Dataset, steps: int) -> list[DiscriminatorAt]:
    """Train, and measure at `MOMENTS`, including start and end."""
    course = start(experiment, data)
    batch = next(Loader(data, batch=BATCH, randomness=course.game.randomness, purpose="look").batches(0))
    looks = []
    for moment in sorted({round(steps * moment) for moment in MOMENTS}):
        for _ in course.steps(moment * course.batch):
            pass
        looks.append(look(course.game, course.progress, batch))
    return looks


def look(game: Game, progress: Progress, batch: Batch) -> DiscriminatorAt:
    """Measure the gradients for a batch of data and as many samples."""
    with torch.no_grad():
        samples = game.sample(progress.seen, 0, len(batch.images), lambda: batch).images
    data, fakes = (
        alignment(per_image(game, progress, images, place)) for place, images in enumerate((batch.images, samples))
    )
    return DiscriminatorAt(int(progress.seen), data, fakes)


def per_image(game: Game, progress: Progress, images: Tensor, place: int) -> Tensor:
    """The gradient [batch, weights] of each image's term in the discriminator's loss: data (place 0) or samples (1)."""
    share = _Share(game, progress, place)
    weights = {name: weight.detach() for name, weight in share.named_parameters()}

    def loss(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        value: Tensor = functional_call(share, weights, (image,))
        return value

    gradients = vmap(grad(loss), in_dims=(None, 0))(weights, images)
    return torch.cat([each.flatten(1) for each in gradients.values()], 1)


def alignment(gradients: Tensor) -> Alignment:
    """The similarity of gradients [batch, weights]; gradients of 0 are left out."""
    pulling = gradients[gradients.norm(dim=-1) > 0]
    count = len(pulling)
    unit = normalize(pulling, dim=-1)
    cosine = unit @ unit.mT
    apart = cosine[~torch.eye(count, dtype=torch.bool)]
    overlap = cosine.square().sum()
    absolute = (cosine.abs().sum(-1) - 1) / (count - 1)  # of each image, to all others
    error = float(2 * absolute.std() / math.sqrt(count)) if count > 2 else math.nan  # of a mean over pairs
    return Alignment(float(apart.mean()), float(apart.abs().mean()), float(count**2 / overlap), count, error)


def claims_of(source: str, looks: dict[str, list[DiscriminatorAt]]) -> list[Claim]:
    """The paper's claims about both discriminators, for data and samples, at the start and at the end."""
    logistic, autoencoder = looks["logistic"], looks["auto-encoder"]
    return [
        claim
        for when, place in (("before training", 0), ("after it", -1))
        for kind in ("data", "samples")
        for claim in (
            _far(f"{source}, logistic, {when}: mean |cos|, {kind}", getattr(logistic[place], kind)),
            _different(f"{source}, auto-encoder, {when}: mean |cos|, {kind}", getattr(autoencoder[place], kind)),
        )
    ]


def curves(source: str, looks: dict[str, list[DiscriminatorAt]]) -> list[Panel]:
    """Curves of the mean absolute cosine during training, for data and samples and both discriminators."""
    axis = torch.tensor([each.images for each in looks["logistic"]]).numpy()
    return [
        Panel(
            f"{source}, {kind}: |cos|, logistic blue, auto-encoder orange",
            axis,
            torch.tensor([[getattr(each, kind).absolute for each in run] for run in looks.values()]).numpy(),
            "images seen",
        )
        for kind in ("data", "samples")
    ]


class _Share(nn.Module):
    """One image's term of the discriminator's loss, as a module with the discriminator's weights."""

    def __init__(self, game: Game, progress: Progress, place: int) -> None:
        super().__init__()
        self.game, self.state, self.place = game, progress.objective, place
        self.net = game.discriminator.net

    def forward(self, image: Tensor) -> Tensor:
        reading = self.game.energy.read(self.net, image[None])
        losses = self.game.objective.discriminator(self.state, reading, reading, Batch(image[None]))
        return list(losses.terms.values())[self.place]


def _far(claim: str, found: Alignment) -> Claim:
    return _judged(found, found.absolute - FAR).claim(claim, f"far from 0: above {FAR}", _said(found))


def _different(claim: str, found: Alignment) -> Claim:
    return _judged(found, DIFFERENT - found.absolute).claim(claim, f"small: below {DIFFERENT}", _said(found))


def _judged(found: Alignment, difference: float) -> Difference:
    return Difference(difference, found.error, max(found.pulling - 1, 1), f"{found.pulling} images")


def _said(found: Alignment) -> str:
    return f"{found.absolute:.3f} ({found.directions:.1f} directions in {found.pulling})"
