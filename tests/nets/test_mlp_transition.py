"""The fully connected transition generator: shapes, ranges, layers, and the model axis."""

import math

import pytest
import torch
from torch import nn

from ebgan.experiment.stacking import stacked
from ebgan.nets.layers import BatchNorm, Dense, compute_in
from ebgan.nets.mlp_transition import MLPTransition

SMALL = MLPTransition(width=6, code=5, std=0.5)


@pytest.mark.parametrize(("limits", "low"), [((-1.0, 1.0), -1.0), ((0.0, 1.0), 0.0)])
def test_images_become_codes_in_minus_1_to_1_and_codes_images_in_the_datas_range(limits, low, context, numbers) -> None:
    net = MLPTransition(width=6, code=5, std=3.0).build(context(0, limits=limits))
    code = net.encode(numbers(300, 2, 3, 4).float())
    assert code.shape == (300, net.code) == (300, 5)
    assert -1 <= code.min() < -0.9
    assert 0.9 < code.max() <= 1
    decoded = net.decode(code)
    assert decoded.shape == (300, 2, 3, 4)
    assert low <= decoded.min() < low + 0.1
    assert 0.9 < decoded.max() <= 1


def test_the_net_itself_reconstructs(context, numbers) -> None:
    net, x = SMALL.build(context(0)).eval(), numbers(4, 2, 3, 4).float()
    assert torch.equal(net(x), net.decode(net.encode(x)))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_each_half_has_so_many_weight_layers_and_all_but_the_last_have_batch_norm(depth: int, context, numbers) -> None:
    def kinds(spec: MLPTransition, kind: type[nn.Module]) -> int:
        return sum(isinstance(module, kind) for module in spec.build(context(0)).modules())

    spec = MLPTransition(depth=depth, width=6, code=5)
    assert kinds(spec, Dense) == 2 * depth
    assert kinds(spec, BatchNorm) == 2 * depth - 1
    assert kinds(MLPTransition(depth=depth, width=6, code=5, batch_norm=False), BatchNorm) == 0
    assert spec.build(context(0))(numbers(3, 2, 3, 4).float()).shape == (3, 2, 3, 4)


def test_each_model_of_a_stack_is_built_and_run_as_it_is_alone(context, numbers) -> None:
    specs = [MLPTransition(width=6, code=5, std=std) for std in (0.25, 0.5, 1.0)]
    stack = stacked(specs).build(context(5, 6, 7))
    alone = [spec.build(context(seed)) for spec, seed in zip(specs, (5, 6, 7), strict=True)]
    x = numbers(3, 8, 2, 3, 4)
    for net in (stack, *alone):
        compute_in(net, torch.float64)
    for _ in range(2):
        together, each = stack(x), [net(x[model]) for model, net in enumerate(alone)]
        torch.testing.assert_close(together, torch.stack(each), rtol=1e-10, atol=1e-14)
    for name, value in stack.state_dict().items():
        for model, net in enumerate(alone):
            torch.testing.assert_close(value[model], net.state_dict()[name], rtol=1e-10, atol=1e-14)


def test_codes_and_images_leave_in_float32_from_a_net_in_bfloat16(context, numbers) -> None:
    net = SMALL.build(context(0))
    compute_in(net, torch.bfloat16)
    code = net.encode(numbers(4, 2, 3, 4).float())
    assert code.dtype == net.decode(code).dtype == torch.float32


def test_the_weights_of_the_default_net_are_those_of_its_layers(context) -> None:
    pixels, net = math.prod((2, 3, 4)), MLPTransition().build(context(0))
    layers = [(pixels, 800), (800, 256), (256, 800), (800, pixels)]
    norms = 2 * (800 + 256 + 800)
    assert sum(weight.numel() for weight in net.parameters()) == sum((a + 1) * b for a, b in layers) + norms
