"""The fully connected nets: shapes, ranges, the model axis, and where the paper puts what."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.experiment.stacking import stacked
from ebgan.nets.base import BuildContext
from ebgan.nets.layers import BatchNorm, Dense, Dropout, compute_in
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.output import squash

Sites = Callable[..., BuildContext]
Numbers = Callable[..., Tensor]
SPECS = {
    "generator": MLPGenerator(depth=3, width=6, noise=5, std=0.5),
    "autoencoder": MLPAutoencoder(depth=4, width=6, dropout=0.25, std=0.5, output_norm=True),
    "discriminator": MLPDiscriminator(depth=4, width=6, dropout=0.25, std=0.5, output_norm=True),
    "experts": MLPExperts(depth=4, width=6, experts=3, dropout=0.25, batch_norm=True, std=0.5),
}
SEEDS = (5, 6, 7)


def given(spec: Any, numbers: Numbers, *lead: int) -> Tensor:
    return numbers(*lead, 5) if isinstance(spec, MLPGenerator) else numbers(*lead, 2, 3, 4)


def outputs(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    out = net(x)
    return out if isinstance(out, tuple) else (out,)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_each_model_of_a_stack_is_built_and_trained_as_it_is_alone(spec: Any, context: Sites, numbers: Numbers) -> None:
    rates = (0.125, 0.25, 0.5)
    alike = isinstance(spec, MLPGenerator)
    specs = [replace(spec, std=rate) if alike else replace(spec, dropout=rate) for rate in rates]
    stack = stacked(specs).build(context(*SEEDS))
    alone = [own.build(context(seed)) for own, seed in zip(specs, SEEDS, strict=True)]
    for net in (stack, *alone):
        compute_in(net, torch.float64)
    assert_alike(stack, alone)
    x = given(spec, numbers, 3, 8)
    for _ in range(2):  # with other masks and other running statistics the second time
        together, each = outputs(stack, x), [outputs(net, x[model]) for model, net in enumerate(alone)]
    for place, all_models in enumerate(together):
        expected = torch.stack([out[place] for out in each])
        torch.testing.assert_close(all_models, expected, rtol=1e-10, atol=1e-14)
    assert_alike(stack, alone)


def assert_alike(stack: nn.Module, alone: list[nn.Module]) -> None:
    """Weights, running statistics and the count of samples seen are those of the models alone."""
    for name, value in stack.state_dict().items():
        for model, net in enumerate(alone):
            expected = net.state_dict()[name]
            torch.testing.assert_close(value[model] if value.dim() else value, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_seed_decides_the_weights(spec: Any, context: Sites) -> None:
    first, again, other = (dict(spec.build(context(seed)).named_parameters()) for seed in (5, 5, 6))
    for name, value in first.items():
        assert torch.equal(value, again[name])
        assert not name.endswith("weight") or not torch.equal(value, other[name])


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_outputs_leave_in_float32_from_a_net_in_bfloat16(spec: Any, context: Sites, numbers: Numbers) -> None:
    net = spec.build(context(0))
    compute_in(net, torch.bfloat16)
    assert {out.dtype for out in outputs(net, given(spec, numbers, 4).float())} == {torch.float32}
    assert {m.weight.dtype for m in net.modules() if isinstance(m, Dense)} == {torch.bfloat16}
    assert {m.scale.dtype for m in net.modules() if isinstance(m, BatchNorm)} == {torch.float32}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_net_needs_two_weight_layers(spec: Any) -> None:
    with pytest.raises(ValueError, match="depth=1: expected at least 2"):
        replace(spec, depth=1)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_layers_are_counted_as_the_paper_counts_them(depth: int, context: Sites) -> None:
    def kinds(spec: Any, kind: type) -> int:
        return sum(isinstance(module, kind) for module in spec.build(context(0)).modules())

    generator = MLPGenerator(depth=depth, width=4)
    autoencoder = MLPAutoencoder(depth=depth, width=4, dropout=0.5)
    discriminator = MLPDiscriminator(depth=depth, width=4, dropout=0.5)
    for spec in (generator, autoencoder, discriminator):
        assert kinds(spec, Dense) == depth
    assert kinds(generator, BatchNorm) == depth - 1  # all but the output
    assert kinds(autoencoder, BatchNorm) == kinds(discriminator, BatchNorm) == depth - 2  # all but input and output
    assert kinds(autoencoder, Dropout) == kinds(discriminator, Dropout) == depth - 1  # one a hidden activation
    assert kinds(replace(autoencoder, output_norm=True), BatchNorm) == depth - 1
    assert kinds(replace(autoencoder, dropout=0.0), Dropout) == 0


@pytest.mark.parametrize(("limits", "middle"), [((-1.0, 1.0), 0.0), ((0.0, 1.0), 0.5)])
def test_samples_lie_within_the_datas_range(
    limits: tuple[float, float], middle: float, context: Sites, numbers: Numbers
) -> None:
    spec = MLPGenerator(depth=2, width=6, noise=5, std=2.0)
    images = spec.build(context(0, limits=limits))(numbers(500, 5).float())
    assert images.shape == (500, 2, 3, 4)
    assert limits[0] <= images.min().item() < limits[0] + 0.05
    assert limits[1] - 0.05 < images.max().item() <= limits[1]
    assert squash(limits)(torch.tensor(0.0)).item() == middle


def test_a_range_without_a_nonlinearity_is_refused(context: Sites) -> None:
    with pytest.raises(ValueError, match=r"data.limits=\(-2.0, 2.0\): expected \[-1, 1\] or \[0, 1\] for images"):
        MLPGenerator(width=4).build(context(0, limits=(-2.0, 2.0)))


def test_a_decoder_is_linear_or_ends_in_the_datas_range(context: Sites, numbers: Numbers) -> None:
    x = numbers(50, 2, 3, 4).float() * 5
    linear, bounded = (
        MLPAutoencoder(width=6, output=output, std=2.0).build(context(0)) for output in ("linear", "limits")
    )
    assert linear(x)[1].abs().max() > 1
    torch.testing.assert_close(bounded(x)[1], linear(x)[1].tanh())


def test_the_code_is_read_after_the_relu_or_before(context: Sites, numbers: Numbers) -> None:
    x = numbers(9, 2, 3, 4).float()
    after, before = (MLPAutoencoder(width=6, code_activated=on, std=0.5).build(context(0)) for on in (True, False))
    assert before(x)[0].min() < 0
    assert torch.equal(after(x)[0], before(x)[0].relu())
    assert torch.equal(after(x)[1], before(x)[1])


def test_dropout_spares_the_code_that_is_read(context: Sites, numbers: Numbers) -> None:
    x = numbers(9, 2, 3, 4).float()
    plain, dropping = (MLPAutoencoder(width=6, dropout=rate, std=0.5).build(context(0)) for rate in (0.0, 0.5))
    assert torch.equal(dropping(x)[0], plain(x)[0])
    assert not torch.equal(dropping(x)[1], plain(x)[1])


def test_a_discriminators_features_are_the_layer_below_its_logit(context: Sites, numbers: Numbers) -> None:
    net, x = MLPDiscriminator(depth=3, width=6, std=0.5).build(context(0)).eval(), numbers(9, 2, 3, 4).float()
    torch.testing.assert_close(net(x), net.logit(net.features(x)).squeeze(-1))


def test_points_have_no_range_and_the_generators_output_is_linear_for_them() -> None:
    x = torch.linspace(-9, 9, 5)
    assert torch.equal(squash(None)(x), x)
