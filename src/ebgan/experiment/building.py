"""Build the nets, optimisers and state of a training step from an experiment."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from ebgan.distributed import rank
from ebgan.energies import AutoencoderEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Precision
from ebgan.experiment.by_class import refuse_class_misfits
from ebgan.experiment.precision import multiplies_bf16, suited
from ebgan.experiment.stacking import placed
from ebgan.nets.base import BuildContext, Classifier
from ebgan.nets.class_head import ClassHead
from ebgan.nets.layers import compute_in
from ebgan.nets.plain import check_plain, seeded
from ebgan.randomness import Randomness
from ebgan.training.game import Game
from ebgan.training.optimiser import Optimiser
from ebgan.training.parts import refuse_batch_norm
from ebgan.training.player import Player
from ebgan.training.step import Progress
from ebgan.tree_walk import changed

MOST_NUMBERS = 2**34  # limit for a part of a batch, for both nets and for a sampler's memory: 64 GiB each
_SMALLER = "Choose smaller widths, depths, images or sizes"
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}


class _Built(NamedTuple):
    """The nets of an experiment, in the precision of their optimisers' weights."""

    generator: nn.Module
    discriminator: nn.Module
    context: BuildContext
    wide: torch.dtype  # of the weights
    dtype: torch.dtype  # that the nets compute in

    def compute(self) -> None:
        """Convert the nets to the precision in which they compute."""
        for net in (self.generator, self.discriminator):
            compute_in(net, self.dtype)


def build(
    experiment: Experiment, shape: tuple[int, int, int], device: torch.device | str = "cpu", classes: int = 0
) -> tuple[Game, Progress]:
    """Build the game of an experiment on images of `shape` [C, H, W], and its progress before the first step.

    A `stacked` experiment builds a stack: every tensor starts with the model axis. Raises UsageError, with the mend,
    for parts that cannot work together. A precision of None is chosen by nets and device. On CUDA, TF32 is switched
    off for the process: fp32 means float32 throughout.
    """
    experiment = placed(experiment, device)  # a stack's fields hold tensors
    built = _built(experiment, shape, device, classes)
    models, specs = built.context.models, experiment.optimisers
    game = Game(
        generator=Player(built.generator, Optimiser(specs.generator, built.generator, models, specs.fall)),
        discriminator=Player(
            built.discriminator, Optimiser(specs.discriminator, built.discriminator, models, specs.fall)
        ),
        energy=experiment.energy,
        sampler=experiment.sampler,
        objective=experiment.objective,
        randomness=built.context.randomness,
        turns=experiment.turns,
        plateau=specs.plateau,
        parts=experiment.accumulate,
        limits=experiment.data.limits,
    )
    built.compute()  # after the optimisers copied the weights in full precision
    clock = torch.zeros((), dtype=torch.int64, device=device)
    memory = experiment.sampler.init(built.context, built.wide, built.discriminator)
    plateau = game.plateau.init(models, device) if game.plateau else None
    return game, Progress(clock, experiment.objective.init(models, device), memory, plateau)


def build_nets(
    experiment: Experiment, shape: tuple[int, int, int], device: torch.device | str = "cpu", classes: int = 0
) -> tuple[nn.Module, nn.Module]:
    """Only the generator and the discriminator of `build`; raises as it does."""
    built = _built(experiment, shape, device, classes)
    built.compute()
    return built.generator, built.discriminator


def _built(experiment: Experiment, shape: tuple[int, int, int], device: torch.device | str, classes: int) -> _Built:
    if experiment.from_data:
        raise UsageError(f"{experiment.from_data[0]}=null: only training fills it from the data; here, give a number")
    if torch.device(device).type == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # convolutions of float32 would be of fewer bits than other products
    wide = torch.float64 if experiment.precision == "fp64" else torch.float32
    context = BuildContext(shape, experiment.data.limits, Randomness.of(experiment.seed, device, wide), classes)
    with seeded(context, "generator"):
        generator = experiment.nets.generator.build(context)
    with seeded(context, "discriminator"):
        discriminator = experiment.nets.discriminator.build(context)
    _refuse_misfits(experiment, generator, discriminator)
    weights = _count(generator, discriminator) // math.prod(context.models)
    dtype = DTYPES[experiment.precision or suited(weights, multiplies_bf16(device))]
    for player, net in (("generator", generator), ("discriminator", discriminator)):
        check_plain(net, context, player, dtype)
        compute_in(net, wide)
    return _Built(generator, discriminator, context, wide, dtype)


def _refuse_misfits(experiment: Experiment, generator: nn.Module, discriminator: nn.Module) -> None:
    """Raise UsageError for nets that do not fit the other parts of an experiment."""
    experiment.sampler.check(generator)
    experiment.energy.check(discriminator)
    refuse_class_misfits(experiment, generator, discriminator)
    spec, classifies = experiment.nets.discriminator, experiment.objective.asks.classifies
    if classifies and not isinstance(discriminator, Classifier):
        raise UsageError(
            f"objective: {type(experiment.objective).__name__} needs classes, and nets.discriminator "
            f"({type(spec).__name__}) has no classes: use the Ladder network (Ladder), or an auto-encoder with a "
            "head of classes (ClassHead)"
        )
    if isinstance(spec, ClassHead) and not classifies:
        raise UsageError(
            f"nets.discriminator: a class head learns nothing from {type(experiment.objective).__name__}: wrap the "
            f"objective in SemiSupervised, or take {type(spec.net).__name__} without a head"
        )
    if experiment.accumulate > 1 and not experiment.accumulate_norms:
        refuse_batch_norm(generator, "generator")
        refuse_batch_norm(discriminator, "discriminator")


def refuse_at_once(experiment: Experiment, shape: tuple[int, int, int], classes: int = 0) -> None:
    """Raise UsageError for what `build` would refuse, and for extreme sizes, before anything is computed.

    It builds on the meta device, which stores no numbers; fields to be filled from the data get a placeholder.
    """
    channels, height, width = shape
    limit = MOST_NUMBERS * experiment.accumulate * rank().count
    if (numbers := experiment.batch * channels * height * width) > limit:
        raise UsageError(
            f"batch={experiment.batch:,} of {channels} x {height} x {width} is {numbers:,} numbers: expected at most "
            f"{limit:,}. Choose a smaller batch, or more parts by --accumulate"
        )
    refuse_vast_nets(experiment, shape, classes)
    unsettled = experiment.objective.asks.from_data
    if "margin" in unsettled.values() and not isinstance(experiment.energy, AutoencoderEnergy):
        raise UsageError(
            f"objective.margin=null: {type(experiment.energy).__name__} has no margin that can be calibrated: give a "
            "number, or take the auto-encoder energy"
        )
    settled = changed(
        experiment, {f"objective.{path}": 1 for path in unsettled} | {"pretraining": experiment.pretraining or 1}
    )
    settled = replace(settled, precision=experiment.precision or "fp32")
    with torch.random.fork_rng([]):  # torch's own layers draw from it even on the meta device
        _, progress = build(settled, shape, "meta", classes)
    _refuse_more("the sampler holds", sum(each.numel() for each in tree_leaves(progress.memory)))


def refuse_vast_nets(experiment: Experiment, shape: tuple[int, int, int], classes: int = 0) -> None:
    """Raise UsageError for nets beyond all reason on images [C, H, W]."""
    _refuse_more("the nets hold", _counted(experiment, shape, classes))


def _counted(experiment: Experiment, shape: tuple[int, int, int], classes: int) -> int:
    """The weights of both nets, made nowhere."""
    try:
        with torch.device("meta"):
            return count_weights(experiment, shape, classes)
    except (RuntimeError, TypeError) as error:
        if "overflow" not in str(error).lower():  # a net of the user's own that reads its numbers while it is built
            return count_weights(experiment, shape, classes)
        reason = str(error).splitlines()[0]
        raise UsageError(f"the nets cannot be built: {reason}. {_SMALLER}") from error


def _refuse_more(what: str, count: int) -> None:
    if count > MOST_NUMBERS:
        raise UsageError(f"{what} {count:,} numbers: expected at most {MOST_NUMBERS:,}. {_SMALLER}")


def count_weights(experiment: Experiment, shape: tuple[int, int, int], classes: int = 0) -> int:
    """The weights of both nets for images [C, H, W], counted on the meta device, which holds no numbers."""
    context = BuildContext(shape, experiment.data.limits, Randomness.of(experiment.seed, "meta"), classes)
    return _count(experiment.nets.generator.build(context), experiment.nets.discriminator.build(context))


def _count(*nets: nn.Module) -> int:
    return sum(weight.numel() for net in nets for weight in net.parameters())
