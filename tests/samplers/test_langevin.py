"""Chains on the energy: their formulas recomputed, their density, where they start, and what is kept of them."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext, Spherical
from ebgan.nets.mlp import MLPAutoencoder
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.randomness import Randomness
from ebgan.records import Sample
from ebgan.samplers import CurrentEnergy, DrawKey, Langevin, Noised, Replay, no_source
from ebgan.samplers.langevin import Chains, slopes

SEED = Randomness.of(3, dtype=torch.float64)
CENTRE = 0.25


def bowl(images: Tensor) -> Tensor:
    """A quadratic energy around CENTRE."""
    return (images - CENTRE).flatten(-3).square().sum(-1) / 2


def energy_of(
    read: Callable[[Tensor], Tensor] = bowl, net: nn.Module | None = None, limits: tuple[float, float] | None = None
) -> CurrentEnergy:
    return CurrentEnergy(net or nn.Identity(), read, limits)


def key_of(first: int = 0, count: int = 4, randomness: Randomness = SEED) -> DrawKey:
    return DrawKey(randomness, first, 0, count)


def spherical(limits: tuple[float, float] | None = (0.0, 1.0)) -> Spherical:
    net = SphericalAutoencoder(width=6, code=3).build(BuildContext((1, 2, 2), limits, SEED)).double()
    assert isinstance(net, Spherical)
    return net


def error(net: Spherical, images: Tensor) -> Tensor:
    return (net(images)[1] - images).flatten(-3).square().mean(-1)


def test_steps_in_the_image_are_the_formula() -> None:
    sampler = Langevin(start="samples", steps=3, step=0.5, noise=0.1, clip=0.4, temperature=2.0)
    images = start = torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(4, 1, 2, 2)
    for number in (1, 2, 3):
        slope = images - CENTRE
        length = slope.flatten(1).norm(dim=1)[:, None, None, None]
        slope = torch.where(length > 0.4, 0.4 * slope / length, slope)
        noise = SEED.noise("chain", 4, 12, first=8).reshape(4, 3, 1, 2, 2)[:, number - 1]
        images = (images - 0.5 * slope / 2.0 + 0.1 / number * noise).clamp(-0.5, 0.5)
    found = sampler.in_image(start, key_of(8), energy_of(limits=(-0.5, 0.5)))
    torch.testing.assert_close(found, images)


def test_steps_in_the_code_are_the_formula_and_stay_on_the_sphere() -> None:
    net = spherical()
    sampler = Langevin(code_steps=2, code_step=0.3, code_noise=0.1, temperature=0.5)
    code = start = normalize(torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), dim=-1)
    for number in (1, 2):
        places = code.detach().requires_grad_()
        (slope,) = torch.autograd.grad(error(net, net.decode(places)).sum(), places)
        code = code - 0.3 * slope / 0.5 + 0.1 * SEED.noise("chain code", 4, 6).reshape(4, 2, 3)[:, number - 1]
        code = code / code.norm(dim=-1, keepdim=True)
    found = sampler.in_code(start, key_of(), energy_of(partial(error, net), net))
    torch.testing.assert_close(found, code)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(4, dtype=torch.float64))


def test_chains_with_half_the_square_of_the_noise_as_step_sample_the_density() -> None:
    """exp(-(x - c)^2 / (2 T)) is a normal distribution of variance T; the noise is not lowered over batches."""
    sampler = Langevin(start="noise", chains=4000, restart=0.0, steps=1, step=0.02, noise=0.2, clip=None)
    sampler = Langevin(**{**vars(sampler), "temperature": 0.5, "noise": 0.2})
    memory = sampler.init(BuildContext((1, 1, 1), None, SEED), torch.float64, nn.Identity())
    sample = Sample(torch.zeros(4000, 1, 1, 1, dtype=torch.float64))
    for turn in range(400):
        _, memory = sampler.replay(memory, sample, key_of(4000 * turn, 4000), no_source, energy_of())
    found = memory.states.flatten()
    assert found.mean().item() == pytest.approx(CENTRE, abs=0.04)
    assert found.var().item() == pytest.approx(0.5, rel=0.08)


def test_the_weights_get_no_gradient_from_a_chain() -> None:
    net = spherical()
    slopes(partial(error, net), torch.rand(4, 1, 2, 2, dtype=torch.float64))
    assert all(weight.grad is None for weight in net.parameters())


def test_chains_take_turns_and_go_on_where_they_stopped() -> None:
    sampler = Langevin(start="noise", chains=6, restart=0.0, steps=1, noise=0.0, step=0.5, clip=None)
    memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), SEED), torch.float64, nn.Identity())
    before = memory.states.flatten()
    sample = Sample(torch.zeros(4, 1, 1, 1, dtype=torch.float64))
    shown, memory = sampler.replay(memory, sample, key_of(4), no_source, energy_of())
    halfway = before + 0.5 * (CENTRE - before)
    assert shown.negatives is not None
    torch.testing.assert_close(shown.negatives.flatten(), halfway[[4, 5, 0, 1]])
    torch.testing.assert_close(memory.states.flatten(), torch.cat((halfway[:2], before[2:4], halfway[4:])))


def test_of_a_batch_larger_than_the_chains_the_last_are_kept() -> None:
    sampler = Langevin(start="noise", chains=3, steps=0)
    memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), SEED), torch.float64, nn.Identity())
    sample = Sample(torch.zeros(7, 1, 1, 1, dtype=torch.float64))
    shown, after = sampler.replay(memory, sample, key_of(0, 7), no_source, energy_of())
    assert shown.negatives is not None
    assert torch.equal(after.states.flatten(), shown.negatives.flatten()[[6, 4, 5]])


def test_a_share_of_the_chains_begins_anew() -> None:
    sampler = Langevin(start="noise", chains=4000, restart=0.25, steps=0)
    memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), SEED), torch.float64, nn.Identity())
    _, after = sampler.replay(
        memory, Sample(torch.zeros(4000, 1, 1, 1)), key_of(0, 4000), no_source, energy_of(limits=(0.0, 1.0))
    )
    assert (after.states != memory.states).double().mean().item() == pytest.approx(0.25, abs=0.03)


def test_a_share_of_the_samples_is_replaced_and_the_samples_themselves_stay() -> None:
    sampler = Langevin(start="noise", chains=4000, share=0.25, steps=0)
    assert not sampler.independent
    memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), SEED), torch.float64, nn.Identity())
    sample = Sample(torch.full((4000, 1, 1, 1), 9.0, dtype=torch.float64))
    shown, _ = sampler.replay(memory, sample, key_of(0, 4000), no_source, energy_of())
    assert shown.images is sample.images
    assert shown.negatives is not None
    assert (shown.negatives != 9).double().mean().item() == pytest.approx(0.25, abs=0.03)


def test_chains_that_start_at_samples_keep_nothing() -> None:
    sampler = Langevin(start="samples", steps=1, step=1.0, noise=0.0, clip=None)
    assert not sampler.independent
    memory = sampler.init(BuildContext((1, 1, 1), None, SEED), torch.float64, nn.Identity())
    shown, after = sampler.replay(memory, Sample(torch.full((4, 1, 1, 1), 9.0)), key_of(), no_source, energy_of())
    assert after == memory == ()
    assert shown.negatives is not None
    assert (shown.negatives == CENTRE).all()


def test_each_model_of_a_stack_has_chains_and_steps_of_its_own() -> None:
    sample, seeds = torch.zeros(4, 1, 1, 1, dtype=torch.float64), (3, 8)

    def ends(step: float | Tensor, seed: int | Tensor) -> tuple[Tensor, Tensor]:
        randomness = Randomness.of(seed, dtype=torch.float64)
        sampler = Langevin(start="noise", chains=6, restart=0.5, steps=2, step=step, clip=None)  # type: ignore[arg-type]
        memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), randomness), torch.float64, nn.Identity())
        whole = sample.expand(*randomness.seeds.shape, 4, 1, 1, 1)
        shown, memory = sampler.replay(memory, Sample(whole), key_of(4, 4, randomness), no_source, energy_of())
        assert shown.negatives is not None
        return shown.negatives, memory.states

    both, kept = ends(torch.tensor([0.25, 0.5]), torch.tensor(seeds))
    for model, (step, seed) in enumerate(zip((0.25, 0.5), seeds, strict=True)):
        alone, own = ends(step, seed)
        torch.testing.assert_close(both[model], alone)
        torch.testing.assert_close(kept[model], own)


def test_users_are_given_ends_of_chains_only_where_negatives_need_no_generator() -> None:
    net, sample = spherical(), Sample(torch.full((4, 1, 2, 2), 9.0, dtype=torch.float64))
    energy = energy_of(partial(error, net), net, (0.0, 1.0))
    chains = Langevin().finished(sample, key_of(), energy)
    assert ((chains >= 0) & (chains <= 1)).all()
    assert torch.equal(chains, Noised(sampler=Langevin()).finished(sample, key_of(), energy))
    for other in (Langevin(share=0.5), Langevin(start="samples"), Replay(sampler=Langevin())):
        assert torch.equal(other.finished(sample, key_of(), energy), sample.images)


def test_the_memory_holds_the_other_samplers_too() -> None:
    sampler = Langevin(sampler=Replay(size=5, share=1.0), start="noise", chains=6, share=0.0, steps=0)
    memory = sampler.init(BuildContext((1, 1, 1), (0.0, 1.0), SEED), torch.float64, nn.Identity())
    assert isinstance(memory, Chains)
    sample = Sample(torch.full((4, 1, 1, 1), 9.0, dtype=torch.float64))
    _, memory = sampler.replay(memory, sample, key_of(), no_source, energy_of())
    assert memory.inner.given == 4


@pytest.mark.parametrize("start", ["code", "noise", "samples"])
def test_nets_whose_energy_depends_on_the_batch_are_refused(start: str) -> None:
    context = BuildContext((1, 2, 2), (0.0, 1.0), SEED)
    net = MLPAutoencoder(depth=3, width=4).build(context)
    with pytest.raises(UsageError, match="batch norm"):
        Langevin(start=start).init(context, torch.float32, net)  # type: ignore[arg-type]


def test_the_code_as_a_start_needs_one_on_the_sphere() -> None:
    context = BuildContext((1, 2, 2), (0.0, 1.0), SEED)
    net = MLPAutoencoder(width=4, batch_norm=False).build(context)
    with pytest.raises(UsageError, match="SphericalAutoencoder"):
        Langevin().init(context, torch.float32, net)
