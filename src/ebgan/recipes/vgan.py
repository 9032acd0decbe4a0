"""The experiments of the VGAN paper with its convolutional nets (Zhai, Cheng, Feris & Zhang, 2016, section 7).

    section 7.1   vgan.cifar10 and gan.cifar10: noise to images, 100 experts or one logit on the same nets
    section 7.2   vcd.mnist, vcd.cifar10 and vcd.svhn: transitions from images, rho = 0.01

Adadelta with rate 0.1, 100 epochs, uniform noise, batch norm in the generator alone; k = 1, and `--turns.generator 3`
for the paper's other. Images are in [0, 1], as of the sigmoid of the authors' code, which is of 7.2; in [-1, 1], for
7.1, samples come to be of two colours, which all experts tell apart alike. Batch 100, kernels and widths are the
authors' code; the generator of 7.1 is ours (`nets.vgan`). What the paper holds out for validation (10,000 images of
MNIST and of CIFAR-10, 13,257 of SVHN) these recipes train on.

`vcd.*.authors_code` is what the authors' code does where it differs from the paper: 128 experts, the mean cross-entropy
of a pixel as the reconstruction, and the entropy of the batch in the generator's loss. It makes rho mean another thing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ebgan.energies import ExpertsEnergy, LogisticEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.objectives import GAN, VCD, VGAN
from ebgan.recipes.index import recipe
from ebgan.samplers import Prior, Transition
from ebgan.training.adadelta import Adadelta

BATCH = 100
EPOCHS = 100
AUTHORS_EXPERTS = 128
ADADELTA = Optimisers(discriminator=Adadelta(lr=0.1), generator=Adadelta(lr=0.1))


@dataclass(frozen=True)
class Setting:
    """What differs between the sets of section 7.2."""

    title: str
    epoch: int  # training images
    experts: VGANExperts
    transition: VGANTransition
    figure: str


SETS = {
    "mnist": Setting(
        "MNIST", 60_000, VGANExperts(width=64), VGANTransition(width=64, code=256), "VGAN, figures 3 and 5; table 2"
    ),
    "cifar10": Setting(
        "CIFAR-10", 50_000, VGANExperts(width=128), VGANTransition(width=256, code=2048), "VGAN, figure 4"
    ),
    "svhn": Setting(
        "SVHN", 73_257, VGANExperts(width=128), VGANTransition(width=128, code=2048), "VGAN, figures 4 and 5; table 2"
    ),
}


@recipe("vgan.cifar10", source="VGAN, figure 2; table 1")
def vgan() -> Experiment:
    """VGAN on CIFAR-10: 100 experts, one generator turn a step (k = 1; `--turns.generator 3` is the paper's other)."""
    return Experiment(
        data=Data(source="cifar10", limits=(0.0, 1.0)),
        nets=Nets(generator=VGANGenerator(), discriminator=VGANExperts()),
        energy=ExpertsEnergy(),
        sampler=Prior(distribution="uniform"),
        objective=VGAN(),
        optimisers=ADADELTA,
        images=EPOCHS * 50_000,
        batch=BATCH,
    )


@recipe("gan.cifar10", source="VGAN, figure 2; table 1")
def gan() -> Experiment:
    """The GAN beside it: the same nets, with one logit in place of the experts."""
    made = vgan()
    nets = replace(made.nets, discriminator=VGANDiscriminator())
    return replace(made, nets=nets, energy=LogisticEnergy(), objective=GAN())


def vcd(source: str) -> Experiment:
    """VCD with convolutional nets, rho 0.01."""
    setting = SETS[source]
    return Experiment(
        data=Data(source=source, limits=(0.0, 1.0)),
        nets=Nets(generator=setting.transition, discriminator=setting.experts),
        energy=ExpertsEnergy(),
        sampler=Transition(),
        objective=VCD(rho=0.01),
        optimisers=ADADELTA,
        images=EPOCHS * setting.epoch,
        batch=BATCH,
    )


def authors_code(source: str) -> Experiment:
    """VCD as the authors' code has it: 128 experts, cross-entropy, entropy of the batch."""
    experts = replace(SETS[source].experts, experts=AUTHORS_EXPERTS)
    made = vcd(source)
    return replace(made, nets=replace(made.nets, discriminator=experts), objective=VCD.authors_code(rho=0.01))


def _enter(source: str) -> None:
    setting = SETS[source]

    @recipe(f"vcd.{source}", setting.figure)
    def papers() -> Experiment:
        return vcd(source)

    @recipe(f"vcd.{source}.authors_code", setting.figure)
    def authors() -> Experiment:
        return authors_code(source)

    for function, meant in ((papers, vcd), (authors, authors_code)):
        function.__doc__ = f"{(meant.__doc__ or '').rstrip('.')}, on {setting.title}."


for _source in SETS:
    _enter(_source)
