"""Convolutions against torch's own, the sizes that they make, and batch norm of images."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ebgan.nets.convolutions import Convolution, Deconvolution, ImageNorm, chain, channels_last, growing, shrinking
from ebgan.nets.layers import Dense, compute_in, glorot, he, initialise
from ebgan.nets.notation import parse
from ebgan.randomness import Randomness

Numbers = Callable[..., Tensor]


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (3, 1), (7, 1), (3, 2), (6, 4), (2, 2)])
def test_the_stride_alone_decides_how_a_convolution_shrinks(kernel: int, stride: int) -> None:
    layer = Convolution(3, 5, kernel, stride)
    assert layer(torch.zeros(2, 3, 16, 8)).shape == (2, 5, 16 // stride, 8 // stride)


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (6, 2), (4, 4), (2, 2), (5, 2), (3, 2)])
def test_the_stride_alone_decides_how_a_deconvolution_grows(kernel: int, stride: int) -> None:
    layer = Deconvolution(3, 5, kernel, stride)
    assert layer(torch.zeros(2, 3, 8, 4)).shape == (2, 5, 8 * stride, 4 * stride)


def test_by_glorots_rule_the_spread_is_between_those_of_both_directions() -> None:
    for layer in (Dense(30, 50), Convolution(6, 10, 5), Deconvolution(6, 10, 5, 2)):
        inputs, outputs = (150, 250) if layer.weight.dim() > 2 else (30, 50)
        assert glorot(layer) == pytest.approx((2 / (inputs + outputs)) ** 0.5)


def test_without_a_stride_a_deconvolution_spreads_a_single_place_over_its_kernel() -> None:
    assert Deconvolution(3, 5, 7)(torch.zeros(2, 3, 1, 1)).shape == (2, 5, 7, 7)


def test_halving_by_the_stride_is_taking_every_second_place(numbers: Numbers) -> None:
    whole, halved = Convolution(3, 5, 3).double(), Convolution(3, 5, 3, stride=2).double()
    initialise(whole, Randomness.of(0), "layer", 0.5)
    halved.load_state_dict(whole.state_dict())
    x = numbers(2, 3, 8, 8)
    torch.testing.assert_close(halved(x), whole(x)[..., ::2, ::2])


@pytest.mark.parametrize("layer", [Convolution(6, 40, 4, 2), Deconvolution(6, 40, 4, 2), Deconvolution(300, 5, 4)])
def test_by_hes_rule_a_layer_keeps_the_scale_of_what_a_relu_reads(layer: nn.Module, numbers: Numbers) -> None:
    compute_in(layer, torch.float64)
    initialise(layer, Randomness.of(0), "layer", he)
    size = 1 if layer.weight.shape[0] == 300 else 24
    before = numbers(40, 6 if size > 1 else 300, size, size)
    after = layer(before.relu())
    inner = after[..., 4:-4, 4:-4] if size > 1 else after  # padding takes some from the rim
    assert inner.square().mean().item() == pytest.approx(before.square().mean().item(), rel=0.15)


def test_each_layer_of_a_net_draws_weights_of_its_own_with_the_spread_that_was_asked_for() -> None:
    net = chain(3, parse("(40)4c2s-(40)4c2s-(40)4c2s", "here"), shrinking, nn.ReLU(), normed=[False] * 3, bias=True)
    initialise(net, Randomness.of(0), "net", 0.02)
    assert net[2].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert net[2].weight.mean().item() == pytest.approx(0, abs=5e-4)
    assert not torch.equal(net[2].weight, net[4].weight)
    assert not any(net[place].bias.any() for place in (0, 2, 4))


def test_batch_norm_of_images_is_torchs_in_training_and_in_evaluation(numbers: Numbers) -> None:
    ours, torchs = ImageNorm(3).double(), nn.BatchNorm2d(3).double()
    for batch in (5, 1, 3):
        x = numbers(batch, 3, 4, 2) * 3 + 1
        torch.testing.assert_close(ours(x), torchs(x))
    torch.testing.assert_close(ours.places.mean, torchs.running_mean)
    torch.testing.assert_close(ours.places.variance, torchs.running_var)
    torch.testing.assert_close(ours.eval()(x), torchs.eval()(x))


def test_over_several_ranks_batch_norm_takes_the_places_of_images_for_samples(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, among, x = ImageNorm(3).double(), ImageNorm(3).double(), numbers(5, 3, 4, 2) * 3 + 1
    expected = alone(x)
    monkeypatch.setattr("ebgan.nets.convolutions.rank", lambda: type("Two", (), {"count": 2}))
    torch.testing.assert_close(among(x), expected)
    torch.testing.assert_close(among.places.variance, alone.places.variance)


def test_layers_follow_one_another_with_batch_norm_where_it_is_wanted(numbers: Numbers) -> None:
    net = chain(6, parse("(4)4c2s-(2)3c-(1)4c2s", "here"), growing, nn.ReLU(), normed=[True, False, False], bias=False)
    assert [type(part).__name__ for part in net] == [
        *("Deconvolution", "ImageNorm", "ReLU", "Convolution", "ReLU", "Deconvolution")
    ]
    assert [part.bias for part in net if isinstance(part, Convolution | Deconvolution)] == [None] * 3
    assert net.double()(channels_last(numbers(2, 6, 4, 4))).shape == (2, 1, 16, 16)
