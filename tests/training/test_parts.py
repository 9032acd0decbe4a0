"""A batch in parts trains what the whole batch trains, and what parts would change is refused."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.data import Loader, Packed
from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import BEGAN, EBGAN, GAN, VCD, VGAN, WGANGP, LossSensitiveGAN, Regularised
from ebgan.records import Reading
from ebgan.samplers import Replay, Transition
from ebgan.training.game import Turns
from ebgan.training.optim import SGD
from ebgan.training.step import train_step

BATCH, PARTS = 7, 3
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8), dtype=np.uint8)
GENERATOR = MLPGenerator(depth=3, width=8, noise=3, batch_norm=False, std=0.3)
EBGAN_PT = Experiment(
    nets=Nets(
        generator=GENERATOR,
        discriminator=MLPAutoencoder(depth=3, width=8, dropout=0.3, batch_norm=False, std=0.3),
    ),
    objective=EBGAN(margin=8.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=SGD(lr=0.01), generator=SGD(lr=0.01)),
    batch=BATCH,
    precision="fp64",
)
CONVOLUTIONAL = Nets(
    generator=ConvGenerator(width=4, noise=5, batch_norm=False, std=0.3),
    discriminator=ConvAutoencoder(encoder="(4)4c2s-(6)4c2s", batch_norm=False, std=0.3),
)
LOGIT = Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=3, width=8, batch_norm=False, std=0.3))
EXPERTS = Nets(generator=GENERATOR, discriminator=MLPExperts(depth=2, width=8, experts=5, dropout=0.3, std=0.3))
KINDS = {
    "EBGAN-PT": EBGAN_PT,
    "EBGAN-PT, joined": replace(EBGAN_PT, turns=Turns(joined=True)),
    "EBGAN-PT, convolutional": replace(EBGAN_PT, nets=CONVOLUTIONAL),
    "BEGAN": replace(EBGAN_PT, objective=BEGAN(lambda_k=0.5), energy=AutoencoderEnergy(unit="l1")),
    "GAN": replace(EBGAN_PT, nets=LOGIT, objective=GAN(), energy=LogisticEnergy()),
    "LossSensitiveGAN": replace(
        EBGAN_PT, nets=LOGIT, objective=LossSensitiveGAN(scale=0.1), energy=ScalarEnergy(nonnegative=True)
    ),
    "VGAN": replace(EBGAN_PT, nets=EXPERTS, objective=VGAN(), energy=ExpertsEnergy()),
    "VCD, replayed": replace(
        EBGAN_PT,
        nets=replace(EXPERTS, generator=MLPTransition(width=10, code=5, batch_norm=False, std=0.3)),
        objective=VCD(rho=0.5),
        energy=ExpertsEnergy(),
        sampler=Replay(sampler=Transition(), size=30),
    ),
}


def trained(experiment: Experiment, steps: int = 3) -> dict[str, Tensor]:
    """What moves, after some steps."""
    game, progress = build(experiment, (1, 8, 8))
    loader = Loader(Packed(IMAGES, None, ()), batch=BATCH, randomness=game.randomness)
    draw = loader.batches(0).__next__
    for step in range(steps):
        source = partial(loader.at, step * BATCH)
        progress, outcome = train_step(game, progress, draw, source=lambda turn: source(f"source{turn}"))  # noqa: B023
        assert outcome.finite
    moved = {f"generator {name}": value for name, value in game.generator.state().items()}
    return moved | game.discriminator.state() | outcome.values


@pytest.mark.parametrize("kind", KINDS)
def test_parts_train_what_the_whole_batch_trains(kind: str) -> None:
    whole, parted = trained(KINDS[kind]), trained(replace(KINDS[kind], accumulate=PARTS))
    assert parted.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(parted[name], value, rtol=1e-10, atol=1e-12, msg=lambda said, name=name: name + said)


def test_only_parts_pass_with_what_their_gradient_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    read = AutoencoderEnergy.read

    def noted(energy: AutoencoderEnergy, net: nn.Module, images: Tensor) -> Reading:
        seen.append(len(images))
        return read(energy, net, images)

    monkeypatch.setattr(AutoencoderEnergy, "read", noted)
    trained(replace(EBGAN_PT, accumulate=PARTS), steps=1)
    assert sorted(seen) == sorted([3, 3, 1] * 6)  # real, fake, and fake in the generator's turn, each twice


def test_batch_norm_in_parts_is_refused_unless_it_is_asked_for() -> None:
    normed = replace(EBGAN_PT, nets=replace(EBGAN_PT.nets, generator=replace(GENERATOR, batch_norm=True)))
    with pytest.raises(UsageError, match=r"accumulate: nets.generator has batch norm, .* by --accumulate-norms"):
        build(replace(normed, accumulate=PARTS), (1, 8, 8))
    whole, parted = trained(normed), trained(replace(normed, accumulate=PARTS, accumulate_norms=True))
    assert not torch.allclose(whole["generator output.weight"], parted["generator output.weight"], rtol=1e-6)


def test_a_gradient_of_a_gradient_in_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="WGANGP takes the gradient of a gradient, for which a batch passes whole"):
        replace(EBGAN_PT, nets=LOGIT, objective=WGANGP(), energy=ScalarEnergy(), accumulate=2)
    with pytest.raises(UsageError, match="Regularised takes the gradient of a gradient"):
        replace(EBGAN_PT, objective=Regularised(inner=EBGAN(), samples=1.0), accumulate=2)
