"""VGAN's convolutional nets: shapes, ranges, seeds and precision, where batch norm stands, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext, Generator, TransitionGenerator
from ebgan.nets.convolutions import Convolution, Deconvolution, ImageNorm
from ebgan.nets.layers import BatchNorm, Dense, compute_in
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.randomness import Randomness
from ebgan.samplers import DrawKey, Prior

SPECS = {
    "generator": VGANGenerator(width=4, hidden=6, noise=5),
    "transition": VGANTransition(width=4, code=5),
    "experts": VGANExperts(width=4, hidden=6, experts=7),
    "discriminator": VGANDiscriminator(width=4, hidden=6),
}
SHAPE = (3, 8, 12)


def context(seed: int | Tensor = 0, shape: tuple[int, int, int] = SHAPE, low: float = 0.0) -> BuildContext:
    return BuildContext(shape, (low, 1.0), Randomness.of(seed))


def through(net: nn.Module, count: int = 6, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """What a net makes of noise, or of random images."""
    if isinstance(net, Generator):
        return Prior().sample(net, DrawKey(Randomness.of(1), 0, 0, count), list).images
    out: Tensor = net(torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)))
    return out


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), SHAPE])
def test_images_of_any_sides_that_4_divides_go_in_or_come_out(shape: tuple[int, int, int]) -> None:
    made = {name: through(spec.build(context(shape=shape)), shape=shape).shape for name, spec in SPECS.items()}
    assert made == {"generator": (6, *shape), "transition": (6, *shape), "experts": (6, 7), "discriminator": (6,)}


def test_the_features_below_experts_and_logit_are_1024_after_a_relu() -> None:
    images = torch.rand(50, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for kind in (VGANExperts, VGANDiscriminator):
        features = kind(width=4).build(context(shape=(3, 8, 8))).features(images)
        assert features.shape == (50, 1024)
        assert features.min() == 0 < features.max()


def test_experts_and_logit_stand_on_the_same_features() -> None:
    experts, discriminator = SPECS["experts"].build(context()), SPECS["discriminator"].build(context())
    images = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(experts.features(images), discriminator.features(images))


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_codes_lie_in_minus_1_to_1_and_images_in_the_datas_range(low: float) -> None:
    net = replace(SPECS["transition"], std=2.0).build(context(low=low))
    assert isinstance(net, TransitionGenerator)
    code = net.encode(torch.rand(300, *SHAPE, generator=torch.Generator().manual_seed(0)))
    assert code.shape == (300, net.code) == (300, 5)
    assert -1 <= code.min() < -0.9
    assert 0.9 < code.max() <= 1
    images = net.decode(code)
    assert low <= images.min() < low + 0.05
    assert 0.95 < images.max() <= 1


def test_batch_norm_stands_on_all_layers_of_a_generator_but_its_last_and_nowhere_in_the_energy() -> None:
    def norms(name: str) -> int:
        return sum(
            isinstance(module, BatchNorm) for module in SPECS[name].build(context()).modules()
        )  # an ImageNorm's too

    def layers(name: str) -> int:
        kinds = Dense | Convolution | Deconvolution
        return sum(isinstance(module, kinds) for module in SPECS[name].build(context()).modules())

    assert {name: (layers(name), norms(name)) for name in SPECS} == {
        "generator": (4, 3),
        "transition": (6, 5),
        "experts": (4, 0),
        "discriminator": (4, 0),
    }
    ends = [*SPECS["transition"].build(context()).decoder.layers]
    assert [type(part) for part in ends] == [Deconvolution, ImageNorm, nn.ReLU, Deconvolution]


def test_the_energy_of_an_image_does_not_depend_on_the_images_beside_it() -> None:
    net = SPECS["experts"].build(context()).double()
    images = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(net(images)[:1], net(images[:1]))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_same_seed_builds_the_same_net_and_another_one_another(spec: Any) -> None:
    first, again, other = (dict(spec.build(context(seed)).named_parameters()) for seed in (5, 5, 6))
    for name, value in first.items():
        assert torch.equal(value, again[name])
        assert not name.endswith("weight") or not torch.equal(value, other[name])


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_in_bfloat16_outputs_leave_in_float32_and_gradients_reach_every_weight(spec: Any) -> None:
    net = spec.build(context())
    compute_in(net, torch.bfloat16)
    out = through(net)
    assert out.dtype == torch.float32
    weights = {name: weight for name, weight in net.named_parameters() if name.endswith("weight")}
    for name, gradient in zip(weights, torch.autograd.grad(out.square().sum(), list(weights.values())), strict=True):
        assert gradient.isfinite().all()
        assert gradient.any(), name


@pytest.mark.parametrize("name", SPECS)
def test_a_stack_and_other_sides_are_refused_with_the_mend(name: str) -> None:
    player = "generator" if name in ("generator", "transition") else "discriminator"
    with pytest.raises(UsageError, match=f"nets.{player}: convolutional nets cannot be stacked .2 models.: trai"):
        SPECS[name].build(context(torch.tensor([1, 2])))
    with pytest.raises(UsageError, match=f"nets.{player}: images are 8 x 10; expected multiples of 4"):
        SPECS[name].build(context(shape=(1, 8, 10)))


@pytest.mark.parametrize(("name", "field"), [("generator", "noise"), ("transition", "code"), ("experts", "experts")])
def test_the_settings_are_checked_when_they_are_made(name: str, field: str) -> None:
    with pytest.raises(UsageError, match=rf"\.{field}=0: expected at least 1"):
        replace(SPECS[name], **{field: 0})
