"""Adam, Adamax, Adadelta and SGD along the model axis against torch.optim, which moves one model."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.experiment.stacking import stacked
from ebgan.nets.layers import BatchNorm, Dense, compute_in
from ebgan.schedules import Constant, Linear
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.optim import SGD, Adam, OptimiserSpec
from ebgan.training.optimiser import Optimiser

RATES = (2.0**-6, 2.0**-7, 2.0**-9)  # which float32 holds exactly, as learning rates are held
CLOCK = torch.tensor(0)
ONE_OF_EACH = [Adam(lr=0.125), Adamax(lr=0.125), Adadelta(lr=0.125), SGD(lr=0.125, momentum=0.5)]
RULES = {
    "adam": (lambda lr: Adam(lr=lr), lambda w, lr: torch.optim.Adam(w, lr, (0.5, 0.999))),
    "adam, other moments": (
        lambda lr: Adam(lr=lr, beta1=0.9, beta2=0.75, epsilon=1e-3),
        lambda w, lr: torch.optim.Adam(w, lr, (0.9, 0.75), 1e-3),
    ),
    "adamax": (lambda lr: Adamax(lr=lr), lambda w, lr: torch.optim.Adamax(w, lr, (0.5, 0.999))),
    "adamax, other moments": (
        lambda lr: Adamax(lr=lr, beta1=0.9, beta2=0.75, epsilon=1e-3),
        lambda w, lr: torch.optim.Adamax(w, lr, (0.9, 0.75), 1e-3),
    ),
    "adadelta": (lambda lr: Adadelta(lr=lr), lambda w, lr: torch.optim.Adadelta(w, lr, 0.95, 1e-6)),
    "adadelta, other memory": (
        lambda lr: Adadelta(lr=lr, rho=0.75, epsilon=1e-3),
        lambda w, lr: torch.optim.Adadelta(w, lr, 0.75, 1e-3),
    ),
    "sgd": (lambda lr: SGD(lr=lr), torch.optim.SGD),
    "sgd, momentum": (lambda lr: SGD(lr=lr, momentum=0.75), lambda w, lr: torch.optim.SGD(w, lr, 0.75)),
    "adam, weight decay": (
        lambda lr: Adam(lr=lr, weight_decay=0.25),
        lambda w, lr: torch.optim.Adam(w, lr, (0.5, 0.999), weight_decay=0.25),
    ),
    "adamax, weight decay": (
        lambda lr: Adamax(lr=lr, weight_decay=0.25),
        lambda w, lr: torch.optim.Adamax(w, lr, (0.5, 0.999), weight_decay=0.25),
    ),
    "adadelta, weight decay": (
        lambda lr: Adadelta(lr=lr, weight_decay=0.25),
        lambda w, lr: torch.optim.Adadelta(w, lr, 0.95, 1e-6, weight_decay=0.25),
    ),
    "sgd, momentum, weight decay": (
        lambda lr: SGD(lr=lr, momentum=0.75, weight_decay=0.25),
        lambda w, lr: torch.optim.SGD(w, lr, 0.75, weight_decay=0.25),
    ),
}


class Net(nn.Module):
    """A small net with weights of one and of two axes, whose loss is one a model."""

    def __init__(self, models: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.layers = nn.Sequential(Dense(4, 5, models), nn.Tanh(), BatchNorm(5, models), Dense(5, 2, models))

    def loss(self, x: Tensor) -> Tensor:
        return self.layers(x).square().sum(-1).mean(-1) + self.layers(x).sum(-1).mean(-1)


@pytest.fixture(params=["at once", "one by one"])
def moved(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How Adam moves the models of a stack: so few of them go one by one unless kept from it."""
    if request.param == "at once":
        monkeypatch.setattr(Adam, "_one_by_one", lambda self, weights, finite: False)


def nets(count: int, dtype: torch.dtype = torch.float64) -> tuple[Net, list[Net]]:
    """A stack, and its models alone."""
    stack, alone = Net((count,)), [Net() for _ in range(count)]
    compute_in(stack, dtype)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    for model, net in enumerate(alone):
        compute_in(net, dtype)
        take(net, stack, model)
    return stack, alone


def take(net: Net, stack: Net, model: int) -> None:
    net.load_state_dict({name: value[model] for name, value in stack.state_dict().items()})


def inputs(step: int, *models: int) -> Tensor:
    return torch.randn(*models, 6, 4, generator=torch.Generator().manual_seed(step), dtype=torch.float64)


def assert_same(stack: Net, alone: list[Net]) -> None:
    for name, value in stack.named_parameters():
        expected = torch.stack([dict(net.named_parameters())[name] for net in alone])
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("ours", "torchs"), RULES.values(), ids=RULES)
@pytest.mark.usefixtures("moved")
def test_each_model_of_a_stack_moves_as_torchs_optimiser_moves_it_alone(ours: Any, torchs: Any) -> None:
    stack, alone = nets(3)
    optimiser = Optimiser(stacked([ours(rate) for rate in RATES]), stack, (3,))
    theirs = [torchs(net.parameters(), rate) for net, rate in zip(alone, RATES, strict=True)]
    for step in range(12):
        x = inputs(step, 3)
        assert optimiser.descend(stack.loss(x), CLOCK).tolist() == [True] * 3
        for model, (net, rule) in enumerate(zip(alone, theirs, strict=True)):
            rule.zero_grad()
            net.loss(x[model]).backward()
            rule.step()
        assert_same(stack, alone)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("ours", "torchs"), RULES.values(), ids=RULES)
def test_a_model_alone_moves_as_torchs_optimiser_moves_it(ours: Any, torchs: Any, dtype: torch.dtype) -> None:
    _, (mine, other) = nets(2, dtype)
    other.load_state_dict(mine.state_dict())
    optimiser, theirs = Optimiser(ours(RATES[0]), mine), torchs(other.parameters(), RATES[0])
    for step in range(12):
        x = inputs(step).to(dtype)
        assert optimiser.descend(mine.loss(x), CLOCK)
        theirs.zero_grad()
        other.loss(x).backward()
        theirs.step()
    for name, value in mine.named_parameters():
        tolerance = {"rtol": 1e-10, "atol": 1e-12} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(value, dict(other.named_parameters())[name], **tolerance)


@pytest.mark.parametrize(
    "specs",
    [
        [Adam(lr=0.125, beta1=0.25), Adam(lr=0.25, beta1=0.5), Adam(lr=0.5, beta1=0.75)],
        [Adam(lr=0.125, beta2=0.25), Adam(lr=0.125, beta2=0.5), Adam(lr=0.125, beta2=0.75)],
        [Adam(lr=0.125, epsilon=0.25), Adam(lr=0.125, epsilon=0.5), Adam(lr=0.125, epsilon=1.0)],
        [Adamax(lr=0.125, beta1=0.25), Adamax(lr=0.25, beta1=0.5), Adamax(lr=0.5, beta1=0.75)],
        [Adamax(lr=0.125, beta2=0.25), Adamax(lr=0.125, beta2=0.5), Adamax(lr=0.125, beta2=0.75)],
        [Adadelta(lr=0.125, rho=0.25), Adadelta(lr=0.25, rho=0.5), Adadelta(lr=0.5, rho=0.75)],
        [Adadelta(epsilon=0.25), Adadelta(epsilon=0.5), Adadelta(epsilon=1.0)],
        [SGD(lr=0.125, momentum=0.0), SGD(lr=0.125, momentum=0.5), SGD(lr=0.125, momentum=0.75)],
        [SGD(lr=0.125, weight_decay=0.0), SGD(lr=0.125, weight_decay=0.5), SGD(lr=0.125, weight_decay=2.0)],
        [Adam(lr=0.125, weight_decay=0.0), Adam(lr=0.125, weight_decay=0.5), Adam(lr=0.125, weight_decay=2.0)],
        [SGD(lr=0.125, clip=0.25), SGD(lr=0.125, clip=0.5), SGD(lr=0.125, clip=2.0)],
        [
            SGD(lr=0.125, decay=Linear(start=1.0, end=0.5, finish=8)),
            SGD(lr=0.125, decay=Linear(start=0.5, end=0.5, finish=8)),
            SGD(lr=0.125, decay=Linear(start=0.25, end=0.5, finish=8)),
        ],
    ],
    ids=[
        "beta1",
        "beta2",
        "epsilon",
        "adamax, beta1",
        "adamax, beta2",
        "adadelta, rho",
        "adadelta, epsilon",
        "momentum",
        "weight decay",
        "adam, weight decay",
        "clip",
        "decay",
    ],
)
@pytest.mark.usefixtures("moved")
def test_any_float_of_an_optimiser_may_differ_in_a_stack(specs: list[OptimiserSpec]) -> None:
    stack, alone = nets(3)
    optimiser = Optimiser(stacked(specs), stack, (3,))
    own = [Optimiser(spec, net) for spec, net in zip(specs, alone, strict=True)]
    for step in range(4):
        x, clock = inputs(step, 3), torch.tensor(2 * step)
        optimiser.descend(stack.loss(x), clock)
        for model, (net, each) in enumerate(zip(alone, own, strict=True)):
            each.descend(net.loss(x[model]), clock)
    assert_same(stack, alone)


def test_the_learning_rate_follows_its_decay() -> None:
    spec = SGD(lr=0.5, decay=Linear(start=1.0, end=0.0, begin=100, finish=200))
    optimiser = Optimiser(spec, Net())
    assert [optimiser.learning_rate(torch.tensor(images)).item() for images in (0, 100, 150, 200)] == [
        0.5,
        0.5,
        0.25,
        0,
    ]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=["adam", "adamax", "adadelta", "sgd"])
@pytest.mark.usefixtures("moved")
def test_a_model_that_is_not_finite_stays_where_it_is_and_harms_none(spec: OptimiserSpec, bad: float) -> None:
    stack, alone = nets(3)
    optimiser = Optimiser(spec, stack, (3,))
    own = [Optimiser(spec, net) for net in alone]
    for step in range(4):
        x = inputs(step, 3)
        if step == 2:
            x[1, 0, 0] = bad
        before = {name: [value.clone() for value in values] for name, values in optimiser.slots.items()}
        finite = optimiser.descend(stack.loss(x), CLOCK)
        assert finite.tolist() == [True, step != 2, True]
        if step == 2:
            for name, values in before.items():
                assert all(torch.equal(x[1], y[1]) for x, y in zip(values, optimiser.slots[name], strict=True))
        for model, (net, each) in enumerate(zip(alone, own, strict=True)):
            assert each.descend(net.loss(x[model]), CLOCK) == (step != 2 or model != 1)
    assert_same(stack, alone)


@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=["adam", "adamax", "adadelta", "sgd"])
def test_a_model_alone_that_is_not_finite_stays_where_it_is(spec: OptimiserSpec) -> None:
    _, (net,) = nets(1)
    optimiser = Optimiser(spec, net)
    optimiser.descend(net.loss(inputs(0)), CLOCK)
    kept = [x.clone() for x in everything(optimiser)]
    assert not optimiser.descend(net.loss(inputs(1) * float("nan")), CLOCK)
    assert all(torch.equal(x, y) for x, y in zip(kept, everything(optimiser), strict=True))


def everything(optimiser: Optimiser) -> list[Tensor]:
    return [*optimiser.weights, *(tensor for slot in optimiser.slots.values() for tensor in slot)]


def test_a_net_in_bfloat16_follows_weights_in_float32_that_lose_no_small_step() -> None:
    _, (net,) = nets(1, torch.bfloat16)
    optimiser = Optimiser(SGD(lr=2.0**-16), net)
    start = [weight.clone() for weight in optimiser.weights]
    for step in range(8):
        optimiser.descend(net.loss(inputs(step).bfloat16()).float(), CLOCK)
    for parameter, weight, first in zip(optimiser.parameters, optimiser.weights, start, strict=True):
        assert weight.dtype == torch.float32
        assert torch.equal(parameter, weight.to(parameter.dtype))
        assert not torch.equal(weight, first)
    assert {parameter.dtype for parameter in optimiser.parameters} == {torch.bfloat16, torch.float32}
    frozen = [torch.equal(x.bfloat16(), y.bfloat16()) for x, y in zip(optimiser.weights, start, strict=True)]
    assert any(frozen)  # weights that would never have moved in bfloat16


@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=lambda spec: type(spec).__name__)
def test_a_gradient_that_lies_otherwise_in_memory_moves_the_same_weights(spec: OptimiserSpec) -> None:
    def moved(layout: torch.memory_format) -> Tensor:
        torch.manual_seed(0)
        net, x = nn.Conv2d(8, 4, 3), torch.rand(2, 8, 6, 6).contiguous(memory_format=layout)
        optimiser = Optimiser(spec, net)
        for _ in range(3):
            loss = net(x).square().sum()
            assert torch.autograd.grad(loss, net.weight, retain_graph=True)[0].is_contiguous(memory_format=layout)
            optimiser.descend(loss, CLOCK)
        return net.weight.detach()

    torch.testing.assert_close(moved(torch.channels_last), moved(torch.contiguous_format))


@pytest.mark.parametrize("spec", [Adam, Adamax, Adadelta, SGD])
def test_clipped_weights_are_the_nearest_within_the_bounds_after_each_move(spec: type) -> None:
    _, (mine, other) = nets(2)
    other.load_state_dict(mine.state_dict())
    clipped, free = Optimiser(spec(lr=0.5, clip=0.25), mine), Optimiser(spec(lr=0.5), other)
    for optimiser, net in ((clipped, mine), (free, other)):
        optimiser.descend(net.loss(inputs(0)), CLOCK)
    assert any((weight.abs() > 0.25).any() for weight in free.weights)
    for weight, unbound in zip(clipped.weights, free.weights, strict=True):
        assert torch.equal(weight, unbound.clamp(-0.25, 0.25))


def test_a_net_in_bfloat16_follows_weights_that_were_clipped_in_float32() -> None:
    _, (net,) = nets(1, torch.bfloat16)
    optimiser = Optimiser(SGD(lr=2.0**-6, clip=0.08), net)
    optimiser.descend(net.loss(inputs(0).bfloat16()).float(), CLOCK)
    bound = torch.tensor(0.08)
    assert max(weight.abs().max() for weight in optimiser.weights) == bound
    assert {parameter.dtype for parameter in optimiser.parameters} == {torch.bfloat16, torch.float32}
    for parameter, weight in zip(optimiser.parameters, optimiser.weights, strict=True):
        assert torch.equal(parameter, weight.to(parameter.dtype))
        assert parameter.abs().max() <= bound.to(parameter.dtype)


def test_a_model_that_is_not_finite_is_not_clipped_either() -> None:
    stack, _ = nets(3)
    before = [weight.clone() for weight in Optimiser(SGD(lr=1.0, decay=Constant(value=0.0)), stack, (3,)).weights]
    x = inputs(0, 3)
    x[1] = float("nan")
    optimiser = Optimiser(SGD(lr=1.0, decay=Constant(value=0.0), clip=0.125, weight_decay=0.5), stack, (3,))
    assert optimiser.descend(stack.loss(x), CLOCK).tolist() == [True, False, True]
    for weight, first in zip(optimiser.weights, before, strict=True):
        assert torch.equal(weight[1], first[1])
        assert torch.equal(weight[::2], first[::2].clamp(-0.125, 0.125))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lr": -1.0}, "lr=-1.0: expected a number above 0"),
        ({"lr": float("nan")}, "lr=nan: expected a number above 0"),
        ({"lr": 1.0, "weight_decay": -0.5}, "weight_decay=-0.5: expected a number of 0 or more"),
        ({"lr": 1.0, "weight_decay": float("inf")}, "weight_decay=inf: expected a number of 0 or more"),
        ({"lr": 1.0, "clip": 0.0}, "clip=0.0: expected a number above 0"),
        ({"lr": 1.0, "clip": float("nan")}, "clip=nan: expected a number above 0"),
    ],
)
@pytest.mark.parametrize("spec", [Adam, Adamax, Adadelta, SGD])
def test_settings_that_make_no_sense_are_refused_by_name(spec: type, settings: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        spec(**settings)


@pytest.mark.parametrize(
    ("models", "width", "each"), [(3, 5, True), (4, 5, False), (4, 6_000, True)], ids=["few", "narrow", "wide"]
)
def test_few_models_and_wide_ones_move_one_by_one(models: int, width: int, each: bool) -> None:
    weights = [torch.zeros(models, width) for _ in range(6)]
    assert Adam(lr=0.1)._one_by_one(weights, torch.ones(models, dtype=torch.bool)) == each
    differing = stacked([Adam(lr=0.1, beta1=0.1 * model) for model in range(models)])
    assert not differing._one_by_one(weights, torch.ones(models, dtype=torch.bool))
