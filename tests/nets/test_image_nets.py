"""What the convolutional nets have in common: shapes, ranges, seeds, precision; and where the papers put what."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.nets.base import Autoencoder, BuildContext, Discriminator, Generator
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.convolutions import Convolution, Deconvolution, ImageNorm
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.layers import BatchNorm, Dense, compute_in
from ebgan.randomness import Randomness
from ebgan.samplers import DrawKey, Prior
from ebgan.schedules import Constant

SPECS = {
    "generator": ConvGenerator(width=4, noise=5, std=0.5),
    "autoencoder": ConvAutoencoder(encoder="(4)4c2s-(6)4c2s", std=0.5, output_norm=True),
    "discriminator": ConvDiscriminator(width=4, std=0.5),
    "noisy generator": NoisyGenerator(width=4, noise=5, planes=3, std=0.5),
    "began's generator": BEGANGenerator(width=4, noise=5, skip=True, carry=Constant(value=0.25)),
    "began's autoencoder": BEGANAutoencoder(width=4, code=5, skip=True, carry=Constant(value=0.25)),
}
GENERATORS = [name for name in SPECS if "generator" in name]


def context(seed: int | Tensor = 0, shape: tuple[int, int, int] = (3, 16, 16), low: float = -1.0) -> BuildContext:
    return BuildContext(shape, (low, 1.0), Randomness.of(seed))


def through(net: nn.Module, shape: tuple[int, int, int], count: int = 6) -> tuple[Tensor, ...]:
    """What a net makes of noise, or of random images."""
    if isinstance(net, Generator):
        return (Prior().sample(net, DrawKey(Randomness.of(1), 0, 0, count), list).images,)
    out = net(torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    return out if isinstance(out, tuple) else (out,)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 16, 16), (3, 32, 32), (1, 64, 64)])
def test_images_of_any_doubled_size_grey_or_colour_go_in_or_come_out(spec: Any, shape: tuple[int, int, int]) -> None:
    net = spec.build(context(shape=shape))
    outputs = through(net, shape)
    if isinstance(net, Discriminator):
        assert outputs[0].shape == (6,)
        assert net.features(torch.zeros(6, *shape)).shape == (6, 16 * net.logit.weight.shape[1])
    else:
        assert outputs[-1].shape == (6, *shape)
    if isinstance(net, Autoencoder):
        assert outputs[0].dim() == 2


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_same_seed_builds_the_same_net_and_another_one_another(spec: Any) -> None:
    first, again, other = (dict(spec.build(context(seed)).named_parameters()) for seed in (5, 5, 6))
    for name, value in first.items():
        assert torch.equal(value, again[name])
        assert not name.endswith("weight") or not torch.equal(value, other[name])


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_outputs_leave_in_float32_from_a_net_in_bfloat16_and_are_near_those_in_float32(spec: Any) -> None:
    exact, net = spec.build(context()).eval(), spec.build(context()).eval()
    compute_in(net, torch.bfloat16)
    outputs = through(net, (3, 16, 16))
    assert {out.dtype for out in outputs} == {torch.float32}
    layers = [module for module in net.modules() if isinstance(module, Dense | Convolution | Deconvolution)]
    assert {layer.weight.dtype for layer in layers} == {torch.bfloat16}
    assert {norm.scale.dtype for norm in net.modules() if isinstance(norm, BatchNorm)} <= {torch.float32}
    for rough, right in zip(outputs, through(exact, (3, 16, 16)), strict=True):
        assert (rough - right).norm() < 0.05 * right.norm()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_gradients_reach_every_weight_in_bfloat16(spec: Any) -> None:
    net = spec.build(context())
    compute_in(net, torch.bfloat16)
    loss = torch.stack([out.square().mean() for out in through(net, (3, 16, 16))]).sum()
    weights = {name: weight for name, weight in net.named_parameters() if not name.endswith("bias")}
    for name, gradient in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
        assert gradient.isfinite().all()
        assert gradient.any(), name


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_stack_of_models_is_refused_with_the_mend(spec: Any) -> None:
    player = "generator" if isinstance(spec, ConvGenerator | NoisyGenerator | BEGANGenerator) else "discriminator"
    with pytest.raises(UsageError, match=f"nets.{player}: convolutional nets cannot be stacked .3 models.: tra"):
        spec.build(context(torch.tensor([1, 2, 3])))


@pytest.mark.parametrize("name", [name for name in SPECS if name != "autoencoder"])
def test_images_of_another_size_are_refused_with_those_that_can_be_had(name: str) -> None:
    with pytest.raises(UsageError, match=r"images are 24 x 24; expected squares of 8, 16, 32, 64\.\.\. pixels"):
        SPECS[name].build(context(shape=(3, 24, 24)))


def test_images_that_the_encoders_strides_do_not_divide_are_refused() -> None:
    with pytest.raises(UsageError, match=r"encoder: images are 30 x 30; \(4\)4c2s-\(6\)4c2s needs multiples of 4"):
        SPECS["autoencoder"].build(context(shape=(3, 30, 30)))
    assert through(SPECS["autoencoder"].build(context(shape=(3, 20, 28))), (3, 20, 28))[1].shape == (6, 3, 20, 28)


def test_a_generators_own_layers_make_the_images_that_they_say_and_no_others() -> None:
    spec = ConvGenerator(layers="(8)7c-(4)4c2s-(1)4c2s", noise=5)
    assert through(spec.build(context(shape=(1, 28, 28))), (1, 28, 28))[0].shape == (6, 1, 28, 28)
    with pytest.raises(UsageError, match=r"makes images of \(1, 28, 28\) .* expected the data's \(3, 32, 32\)"):
        spec.build(context(shape=(3, 32, 32)))
    with pytest.raises(UsageError, match=r"the first layer, \(8\)4c2s, .* cannot have a stride: give \(8\)4c"):
        ConvGenerator(layers="(8)4c2s-(3)4c2s")


@pytest.mark.parametrize("name", ["generator", "noisy generator"])
@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_samples_lie_within_the_datas_range(name: str, low: float) -> None:
    images = through(replace(SPECS[name], std=1.0).build(context(low=low)), (3, 16, 16), 50)[0]
    assert low <= images.min().item() < low + 0.05
    assert 0.95 < images.max().item() <= 1


@pytest.mark.parametrize("name", ["autoencoder", "began's generator", "began's autoencoder"])
def test_an_output_is_linear_or_ends_in_the_datas_range(name: str) -> None:
    linear, bounded = (replace(SPECS[name], output=output).build(context()) for output in ("linear", "limits"))
    torch.testing.assert_close(through(bounded, (3, 16, 16))[-1], through(linear, (3, 16, 16))[-1].tanh())


def norms(net: nn.Module) -> list[str]:
    return [name for name, module in net.named_modules() if isinstance(module, ImageNorm)]


def test_batch_norm_stands_where_the_paper_puts_it() -> None:
    shape = (3, 32, 32)
    generator = SPECS["generator"].build(context(shape=shape))
    assert norms(generator) == ["start.1", "layers.1", "layers.4"]  # all of four layers but the last
    autoencoder = replace(SPECS["autoencoder"], output_norm=False).build(context(shape=shape))
    assert norms(autoencoder) == ["encoder.3", "decoder.1"]  # all but the encoder's first and the decoder's last
    assert norms(SPECS["autoencoder"].build(context(shape=shape))) == ["encoder.3", "decoder.1", "decoder.4"]
    assert norms(SPECS["discriminator"].build(context(shape=shape))) == ["trunk.3", "trunk.6"]  # nor on the logit
    assert len(norms(SPECS["noisy generator"].build(context(shape=shape)))) == 4  # all of five layers but the last
    for name in ("generator", "autoencoder", "discriminator", "noisy generator"):
        changes = {"output_norm": False} if name == "autoencoder" else {}
        assert norms(replace(SPECS[name], batch_norm=False, **changes).build(context(shape=shape))) == []


def test_the_code_is_read_after_the_leaky_relu_or_before() -> None:
    after, before = (replace(SPECS["autoencoder"], code_activated=on).build(context()) for on in (True, False))
    (late, one), (early, other) = (through(net, (3, 16, 16)) for net in (after, before))
    assert torch.equal(late, nn.functional.leaky_relu(early, 0.2))
    assert torch.equal(one, other)


def test_noise_planes_reach_the_samples_at_every_size() -> None:
    net = SPECS["noisy generator"].build(context(shape=(3, 32, 32))).eval()
    assert net.noise == ((5,), (3, 4, 4), (1, 8, 8), (1, 16, 16))
    drawn = Prior().noise(net, DrawKey(Randomness.of(0), 0, 0, 2))
    image = net(*drawn)
    for place, noise in enumerate(drawn):
        assert not torch.equal(net(*drawn[:place], noise + 1, *drawn[place + 1 :]), image)


def test_the_settings_are_checked_when_they_are_made() -> None:
    for kind, changes, said in (
        (ConvGenerator, {"width": 0}, r"nets.generator.width=0: expected at least 1"),
        (NoisyGenerator, {"planes": 0}, r"nets.generator.planes=0: expected at least 1"),
        (ConvDiscriminator, {"width": 0}, r"nets.discriminator.width=0: expected at least 1"),
        (BEGANGenerator, {"noise": 0}, r"nets.generator.noise=0: expected at least 1"),
        (BEGANAutoencoder, {"code": 0}, r"nets.discriminator.code=0: expected at least 1"),
        (ConvAutoencoder, {"encoder": "(64)4c2s,(8)4c2s"}, r"nets.discriminator.encoder: '\(64\)4c2s,\(8\)4c2s' is no"),
        (ConvAutoencoder, {"encoder": "(64)5c2s"}, r"nets.discriminator.encoder: \(64\)5c2s cannot be padded equally"),
    ):
        with pytest.raises(UsageError, match=said):
            kind(**changes)
