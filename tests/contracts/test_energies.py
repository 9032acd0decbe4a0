"""What holds for every energy, read through nets of two sizes of stack."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.energies import AutoencoderEnergy, Energy, ExpertsEnergy, LadderEnergy
from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.nets.ladder import Ladder
from ebgan.nets.layers import compute_in
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts
from ebgan.randomness import Randomness

SHAPE = (2, 3, 4)
SEEDS = [5, 6, 7]
CLASSES = 5


def ladder(depth: int, width: int, std: float) -> Ladder:
    return Ladder(widths=(width,) * (depth - 1), noise=std)


SPECS = {LadderEnergy: ladder, AutoencoderEnergy: MLPAutoencoder, ExpertsEnergy: partial(MLPExperts, experts=6)}


def net_for(energy: Energy, seed: int | list[int], dtype: torch.dtype = torch.float64) -> nn.Module:
    spec = SPECS.get(type(energy), MLPDiscriminator)
    seeds = torch.tensor(seed) if isinstance(seed, list) else seed
    net = spec(depth=3, width=6, std=0.5).build(BuildContext(SHAPE, (-1.0, 1.0), Randomness.of(seeds), CLASSES))
    for name, weight in net.named_parameters():
        if name.startswith("combinators"):  # which begin where nothing from above is heard
            weight.data += 0.25
    compute_in(net, dtype)
    return net


def images(*lead: int) -> Tensor:
    return torch.rand(*lead, *SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1


def test_a_reading_holds_what_the_energy_says_it_gives(energy: Any) -> None:
    for lead, seed in (((4,), 5), ((3, 4), SEEDS)):
        x = images(*lead)
        reading = energy.read(net_for(energy, seed), x)
        given = {name for name in ("code", "logits") if getattr(reading, name) is not None}
        assert given == energy.gives - {"experts", "floor"}
        assert "floor" not in energy.gives or (reading.energy >= 0).all()
        assert reading.images is x
        assert reading.energy.shape == lead
        assert reading.code is None or reading.code.shape == (*lead, 6)
        assert reading.logits is None or reading.logits.shape == lead


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_energies_leave_in_float32_whatever_the_net_computes_in(energy: Any, dtype: torch.dtype) -> None:
    reading = energy.read(net_for(energy, 5, dtype), images(4).float())
    assert {value.dtype for value in (reading.energy, reading.code, reading.logits) if value is not None} == {
        torch.float32
    }


def test_each_model_of_a_stack_reads_as_it_does_alone(energy: Any) -> None:
    x = images(3, 4)
    together, net = energy.read(net_for(energy, SEEDS), x), net_for(energy, SEEDS)
    for model, seed in enumerate(SEEDS):
        alone = energy.read(net_for(energy, seed), x[model])
        for name in ("energy", "code", "logits"):
            if getattr(alone, name) is not None:
                torch.testing.assert_close(getattr(together, name)[model], getattr(alone, name), rtol=1e-12, atol=1e-15)
        features = energy.features(net_for(energy, seed), x[model])
        torch.testing.assert_close(energy.features(net, x)[model], features, rtol=1e-12, atol=1e-15)


def test_the_energy_of_an_image_does_not_depend_on_its_batch(energy: Any) -> None:
    net, x = net_for(energy, 5).eval(), images(6)
    whole = energy.read(net, x).energy
    torch.testing.assert_close(torch.cat([energy.read(net, part).energy for part in x.split([1, 2, 3])]), whole)
    torch.testing.assert_close(energy.read(net, x.flip(0)).energy.flip(0), whole)


def test_every_weight_and_the_image_itself_are_reached_by_the_gradient(energy: Any) -> None:
    net, x = net_for(energy, 5), images(8).requires_grad_(True)
    weights = dict(net.named_parameters())
    gradients = torch.autograd.grad(energy.read(net, x).energy.square().sum(), [x, *weights.values()])
    for name, gradient in zip(["images", *weights], gradients, strict=True):
        cancelled = name == "trunk.3.bias"  # batch norm takes it away again
        assert gradient.isfinite().all()
        assert bool(gradient.abs().max() > 1e-12) or cancelled, name


def test_a_net_of_the_other_kind_is_refused_with_the_mend(energy: Any) -> None:
    other = MLPDiscriminator if isinstance(energy, AutoencoderEnergy) else MLPAutoencoder
    net = other(width=4).build(BuildContext(SHAPE, (-1.0, 1.0), Randomness.of(0)))
    with pytest.raises(ValueError, match=r"nets\.discriminator .* or take the .* energy"):
        energy.check(net)
    energy.check(net_for(energy, 0))


def test_more_weights_than_layers_are_refused() -> None:
    net = Ladder(widths=(8,)).build(BuildContext(SHAPE, (0.0, 1.0), Randomness.of(0), CLASSES))
    LadderEnergy(weights=(1.0, 1.0, 1.0)).check(net)
    with pytest.raises(UsageError, match="4 weights, and the net has 3 layers"):
        LadderEnergy(weights=(1.0, 1.0, 1.0, 1.0)).check(net)
