"""Nets of a stranger's own: they keep what seeds promise, or are refused with the mend."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ebgan
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets import layers
from ebgan.nets.base import Autoencoder, BuildContext, DiscriminatorSpec, Generator, GeneratorSpec
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.runs.trainer import Silent

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)


class _Coder(Autoencoder):
    def __init__(self, *hidden: nn.Module) -> None:
        super().__init__()
        self.encoder, self.hidden = nn.Linear(16, 8), nn.Sequential(*hidden)
        self.decoder = nn.Linear(8, 16)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code = self.hidden(self.encoder(images.flatten(1)))
        return code, self.decoder(code).view(images.shape)


class _Maker(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.noise, self.net = ((5,),), nn.Linear(5, 16)

    def forward(self, *noise: Tensor) -> Tensor:
        return self.net(noise[0]).tanh().view(-1, 1, 4, 4)


@dataclass(frozen=True, kw_only=True)
class Coder(DiscriminatorSpec):
    rate: float = 0.0
    ours: bool = False

    def build(self, context: BuildContext) -> Autoencoder:
        more = layers.Dropout(self.rate, context.randomness, "own") if self.ours else nn.Dropout(self.rate)
        return _Coder(nn.ReLU(), more).to(context.device)


@dataclass(frozen=True, kw_only=True)
class Maker(GeneratorSpec):
    def build(self, context: BuildContext) -> Generator:
        return _Maker().to(context.device)


@dataclass(frozen=True, kw_only=True)
class With(DiscriminatorSpec):
    kind: int = 0

    def build(self, context: BuildContext) -> Autoencoder:
        return _Coder(KINDS[self.kind]()).to(context.device)


KINDS: list[Callable[[], nn.Module]] = [
    lambda: nn.Dropout(0.1),
    lambda: nn.AlphaDropout(0.1),
    lambda: nn.Dropout1d(0.1),
    lambda: nn.Sequential(nn.Sequential(nn.Dropout2d())),
    nn.RReLU,
    lambda: nn.LSTM(8, 8, 2, dropout=0.1),
    lambda: nn.MultiheadAttention(8, 2, dropout=0.1),
    lambda: nn.TransformerEncoderLayer(8, 2),
]
OWN = Experiment(nets=Nets(generator=Maker(), discriminator=Coder()), images=80, batch=8, evaluation=Evaluation(grid=4))


def trained(experiment: Experiment, out: Path) -> ebgan.Run:
    return ebgan.train(experiment, out, data=IMAGES, device="cpu", observer=Silent())


def weights(experiment: Experiment) -> list[Tensor]:
    game, _ = build(replace(experiment, precision="fp32"), (1, 4, 4))
    return [*game.generator.net.parameters(), *game.discriminator.net.parameters()]


def test_the_same_seed_trains_the_same_net_of_plain_layers_whatever_was_drawn_before(tmp_path: Path) -> None:
    torch.manual_seed(1)
    one = trained(OWN, tmp_path / "one")
    torch.manual_seed(2)
    other = trained(OWN, tmp_path / "other")
    assert torch.equal(one.sample(4), other.sample(4))
    assert not torch.equal(one.sample(4), trained(replace(OWN, seed=1), tmp_path / "third").sample(4))


def test_building_a_net_of_plain_layers_leaves_torchs_numbers_as_they_were() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    weights(OWN)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_net_does_not_depend_on_what_the_other_one_drew() -> None:
    others = replace(OWN, nets=replace(OWN.nets, generator=MLPGenerator(depth=3, width=6)))
    assert torch.equal(weights(OWN)[-1], weights(others)[-1])
    assert not torch.equal(weights(OWN)[0].flatten()[:8], weights(OWN)[2].flatten()[:8])


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_layers_that_draw_while_training_are_refused(kind: int) -> None:
    with pytest.raises(UsageError, match=r"nets.discriminator: hidden.* draws from torch's generator.*layers.Dropout"):
        weights(replace(OWN, nets=replace(OWN.nets, discriminator=With(kind=kind))))


def test_a_dropout_of_rate_0_and_our_own_are_taken(tmp_path: Path) -> None:
    weights(OWN)
    experiment = replace(OWN, nets=replace(OWN.nets, discriminator=Coder(rate=0.5, ours=True)))
    runs = [trained(experiment, tmp_path / name).sample(4) for name in "ab"]
    assert torch.equal(*runs)


def test_plain_layers_are_refused_where_they_cannot_stand() -> None:
    with pytest.raises(UsageError, match=r"nets\.generator: torch's own layers cannot be stacked \(2 models\)"):
        build(stacked([replace(OWN, precision="fp32", seed=seed) for seed in (0, 1)]), (1, 4, 4))
    with pytest.raises(UsageError, match=r'torch\'s own layers compute in float32, .* give precision="fp32"'):
        build(replace(OWN, precision="fp64"), (1, 4, 4))
    build(replace(OWN, precision="bf16"), (1, 4, 4))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (nn.Linear(4, 4), "is of the class Linear: give a DiscriminatorSpec, a frozen dataclass"),
        (nn.Sequential(), "is of the class Sequential: give a DiscriminatorSpec"),
        (_Coder(), "is of the class _Coder: give a DiscriminatorSpec"),
        (_Coder, "is the class _Coder: give a DiscriminatorSpec"),
        (MLPAutoencoder, r"is the class MLPAutoencoder: give an instance: MLPAutoencoder\(\)"),
        (MLPGenerator(), "is of the class MLPGenerator: give a DiscriminatorSpec"),
        (None, "is of the class NoneType"),
        ("MLPAutoencoder", "is of the class str"),
        (lambda context: _Coder(), "is of the class function"),
        (
            type("Loose", (DiscriminatorSpec,), {"build": lambda self, context: _Coder()})(),
            "is of the class Loose: make its class a dataclass",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_spec_is_refused_at_once(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=f"nets.discriminator: {said}"):
        Nets(discriminator=given)


def test_a_net_of_a_program_is_known_to_it_and_others_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    observer = Silent()
    monkeypatch.setattr(observer, "notice", said.append)
    ebgan.train(OWN, tmp_path / "run", data=IMAGES, device="cpu", observer=observer)
    assert f"config.yaml will name {__name__}:Maker, {__name__}:Coder: it is read where they are defined" in said[0]
    assert f"type: {__name__}:Maker" in (tmp_path / "run" / "config.yaml").read_text()
    again = ebgan.load(tmp_path / "run", device="cpu")
    assert again.experiment.nets == OWN.nets
    assert again.sample(2).shape == (2, 1, 4, 4)


def test_a_class_that_bears_the_name_of_one_of_ours_is_another(tmp_path: Path) -> None:
    double = dataclass(frozen=True, kw_only=True)(type("MLPAutoencoder", (Coder,), {"__module__": __name__}))
    nets = Nets(generator=Maker(), discriminator=double())
    trained(replace(OWN, nets=nets), tmp_path / "run")
    assert f"type: {__name__}:MLPAutoencoder" in (tmp_path / "run" / "config.yaml").read_text()
    assert ebgan.load(tmp_path / "run", device="cpu").experiment.nets == nets
