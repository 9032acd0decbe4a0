"""Layers with a model axis against torch's own, which have none."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ebgan.nets.layers import BatchNorm, Dense, Dropout, compute_in, couples, initialise
from ebgan.nets.noise import Noise
from ebgan.nets.standardise import Standardise
from ebgan.randomness import Randomness

Numbers = Callable[..., Tensor]


def same_norms() -> tuple[BatchNorm, nn.BatchNorm1d]:
    """Ours and torch's, with the same scale and shift."""
    ours, torchs = BatchNorm(3).double(), nn.BatchNorm1d(3).double()
    with torch.no_grad():
        for parameter, values in ((ours.scale, [0.5, 1.0, 2.0]), (ours.shift, [1.0, 0.0, -1.0])):
            parameter.copy_(torch.tensor(values))
        torchs.weight.copy_(ours.scale)
        torchs.bias.copy_(ours.shift)
    return ours, torchs


def test_batch_norm_is_torchs_in_training_and_in_evaluation(numbers: Numbers) -> None:
    ours, torchs = same_norms()
    for batch in (5, 8, 3):
        x = numbers(batch, 3) * 3 + 1
        torch.testing.assert_close(ours(x), torchs(x))
    torch.testing.assert_close(ours.mean, torchs.running_mean)
    torch.testing.assert_close(ours.variance, torchs.running_var)
    ours.eval()
    torchs.eval()
    torch.testing.assert_close(ours(x), torchs(x))
    torch.testing.assert_close(ours(x[:1]), torchs(x[:1]))


def test_batch_norms_gradients_are_torchs(numbers: Numbers) -> None:
    ours, torchs = same_norms()
    x, weights = numbers(6, 3).requires_grad_(True), numbers(3, 6).mT
    for mine, theirs in zip(
        torch.autograd.grad((ours(x) * weights).sum(), (x, ours.scale, ours.shift)),
        torch.autograd.grad((torchs(x) * weights).sum(), (x, torchs.weight, torchs.bias)),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_batch_norm_gives_each_model_its_own_statistics(numbers: Numbers) -> None:
    stack, x = BatchNorm(3, (2,)).double(), numbers(2, 5, 3) * torch.tensor([[[1.0]], [[9.0]]])
    together = stack(x)
    for model in range(2):
        alone = BatchNorm(3).double()
        torch.testing.assert_close(together[model], alone(x[model]))
        torch.testing.assert_close(stack.mean[model], alone.mean)
        torch.testing.assert_close(stack.variance[model], alone.variance)


def test_batch_norm_of_a_single_sample_is_its_shift(numbers: Numbers) -> None:
    ours, _ = same_norms()
    torch.testing.assert_close(ours(numbers(1, 3)), ours.shift[None])
    assert ours.variance.isfinite().all()


def test_a_linear_layer_of_a_stack_is_one_a_model(numbers: Numbers) -> None:
    stack = Dense(4, 3, (2,)).double()
    with torch.no_grad():
        stack.weight.copy_(numbers(2, 3, 4))
        stack.bias.copy_(numbers(2, 3))
    x = numbers(2, 5, 4)
    for model in range(2):
        expected = nn.functional.linear(x[model], stack.weight[model], stack.bias[model])
        torch.testing.assert_close(stack(x)[model], expected)


def dropout(rate: float | Tensor, *seeds: int) -> Dropout:
    return Dropout(rate, Randomness.of(torch.tensor(seeds) if len(seeds) > 1 else seeds[0]), "here")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_scales_up_the_rest(rate: float) -> None:
    out = dropout(rate, 0)(torch.ones(200, 500))
    assert (out == 0).float().mean().item() == pytest.approx(rate, abs=0.005)
    assert out[out != 0].unique().tolist() == pytest.approx([1 / (1 - rate)])


def test_dropout_does_nothing_in_evaluation(numbers: Numbers) -> None:
    layer, x = dropout(0.5, 0).eval(), numbers(4, 5)
    assert layer(x) is x
    assert layer.seen == 0


def test_dropout_draws_new_masks_in_each_pass_and_the_same_ones_again_for_the_same_seed() -> None:
    x = torch.ones(8, 50)
    first, second, again = dropout(0.5, 3), dropout(0.5, 4), dropout(0.5, 3)
    passes = [first(x), first(x)]
    assert not torch.equal(passes[0], passes[1])
    assert not torch.equal(passes[0], second(x))
    assert torch.equal(again(x), passes[0])
    resumed = dropout(0.5, 3)
    resumed.load_state_dict(again.state_dict())
    assert torch.equal(resumed(x), passes[1])


def test_the_masks_do_not_depend_on_how_samples_are_cut_into_batches() -> None:
    whole, cut, x = dropout(0.5, 3), dropout(0.5, 3), torch.ones(9, 50)
    assert torch.equal(torch.cat([cut(part) for part in x.split([2, 4, 3])]), whole(x))


def test_each_model_of_a_stack_has_its_own_rate_and_the_masks_that_it_has_alone() -> None:
    rates, seeds, x = torch.tensor([0.0, 0.25, 0.75]), (3, 4, 5), torch.ones(3, 8, 50)
    stack = dropout(rates, *seeds)
    for _ in range(2):
        together = stack(x)
    for model, seed in enumerate(seeds):
        alone = dropout(rates[model].item(), seed)
        alone(x[model])
        assert torch.equal(together[model], alone(x[model]))


def test_two_dropout_layers_of_a_net_draw_different_masks() -> None:
    x, randomness = torch.ones(8, 50), Randomness.of(0)
    assert not torch.equal(Dropout(0.5, randomness, "one")(x), Dropout(0.5, randomness, "two")(x))


def test_initial_weights_are_normal_with_their_spread_and_biases_0() -> None:
    net = nn.Sequential(Dense(300, 200), BatchNorm(200), nn.ReLU(), Dense(200, 300))
    initialise(net, Randomness.of(0), "net", 0.02)
    for layer in (net[0], net[3]):
        assert layer.weight.mean().item() == pytest.approx(0, abs=4e-4)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
        assert not layer.bias.any()
    assert not torch.equal(net[0].weight, net[3].weight.mT)
    assert torch.equal(net[1].scale, torch.ones(200))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_a_net_computes_in_its_dtype_and_batch_norm_never_below_float32(dtype: torch.dtype) -> None:
    net = nn.Sequential(Dense(4, 3), BatchNorm(3), nn.ReLU(), Dense(3, 2))
    compute_in(net, dtype)
    wide = torch.promote_types(dtype, torch.float32)
    assert {net[0].weight.dtype, net[3].bias.dtype, net(torch.ones(5, 4)).dtype} == {dtype}
    assert {net[1].scale.dtype, net[1].mean.dtype, net[1].variance.dtype} == {wide}


def test_the_statistics_of_bfloat16_values_are_those_of_float32() -> None:
    layer, values = BatchNorm(1), torch.full((4096, 1), 1.0)
    values[0] = 257.0  # summed in bfloat16, 4096 ones and 257 would be far off
    layer(values.bfloat16())
    plain = nn.BatchNorm1d(1)
    plain(values.bfloat16().float())
    torch.testing.assert_close(layer.mean, plain.running_mean)
    torch.testing.assert_close(layer.variance, plain.running_var)


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_dropout_goes_on_from_what_it_was_given_to_load(numbers: Numbers, used: bool, moved: bool) -> None:
    x, (one, other) = numbers(4, 6).double(), (dropout(0.5, 7), dropout(0.5, 7))
    for _ in range(3):
        one(x)
    if used:
        other(x)
    other.load_state_dict(one.state_dict())
    if moved:  # as to another device, which gives it a new buffer
        other.seen = other.seen.clone()
    for _ in range(2):
        assert torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("layer", "coupled"),
    [
        (lambda: BatchNorm(2), True),
        (lambda: Standardise(2), True),
        (lambda: Dropout(0.5, Randomness.of(0), "dropout"), True),
        (lambda: Noise(0.1, [2], Randomness.of(0), "noise"), True),
        (lambda: nn.SyncBatchNorm(2), True),
        (nn.Dropout, True),
        (lambda: nn.LayerNorm(2), False),
        (lambda: Dense(2, 2), False),
    ],
)
def test_layers_that_couple_the_samples_of_a_pass_are_known(layer: Callable[[], nn.Module], coupled: bool) -> None:
    assert couples(nn.Sequential(layer())) == coupled
