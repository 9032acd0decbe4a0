"""Samples that are chosen, or whose noise is moved, by an energy that is calibrated as a ratio of densities."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import ebgan
from ebgan.energies import Energy, ScalarEnergy
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Data, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import WGANGP
from ebgan.runs.loading import assemble
from ebgan.runs.refinement import EnergyRatio, LatentLangevin, Rejection
from ebgan.runs.refinement.ratio import Calibration, held_out
from ebgan.runs.refinement.rejection import Acceptance
from ebgan.runs.run import DataFacts, Run
from ebgan.samplers import Prior, Transition

BOTH = [Rejection(budget=3), LatentLangevin(budget=3)]


def normal(count: int, mean: float, deviation: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mean + deviation * torch.randn(count, generator=generator, dtype=torch.float64)


def log_ratio_of_normals(energy: Tensor, data: tuple[float, float], samples: tuple[float, float]) -> Tensor:
    real, fake = (torch.distributions.Normal(torch.tensor(mean), torch.tensor(std)) for mean, std in (data, samples))
    return real.log_prob(energy) - fake.log_prob(energy)


@pytest.mark.parametrize("samples", [(5.0, 2.0), (3.0, 1.5)])
def test_the_ratio_of_normal_energies_is_the_quotient_of_their_densities(samples: tuple[float, float]) -> None:
    data = (3.0, 1.0)
    ratio = EnergyRatio.fitted(normal(200_000, *data, seed=0), normal(200_000, *samples, seed=1))
    energy = torch.linspace(1, 5, 9, dtype=torch.float64)
    torch.testing.assert_close(ratio.log(energy), log_ratio_of_normals(energy, data, samples), atol=0.06, rtol=0)


def test_more_samples_than_images_change_nothing_in_the_ratio() -> None:
    data, samples = normal(20_000, 3, 1, seed=0), normal(20_000, 5, 2, seed=1)
    once, twice = EnergyRatio.fitted(data, samples), EnergyRatio.fitted(data, samples.repeat(2))
    energy = torch.linspace(1, 8, 9, dtype=torch.float64)
    torch.testing.assert_close(once.log(energy), twice.log(energy), atol=0.01, rtol=0)


def test_a_ratio_never_grows_on_both_sides() -> None:
    ratio = EnergyRatio.fitted(
        normal(5000, 3, 2, seed=0), normal(5000, 4, 1, seed=1)
    )  # wider data: c would be positive
    assert ratio.square == 0
    assert ratio.slope < 0


def test_energies_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match=r"refine: the energies .* are not finite; the run has diverged"):
        EnergyRatio.fitted(torch.ones(3), torch.tensor([1.0, torch.nan, 2.0]))


def calibration() -> tuple[Calibration, Tensor]:
    data, samples = normal(20_000, 3, 1, seed=0), normal(20_000, 5, 2, seed=1)
    ratio = EnergyRatio.fitted(data, samples)
    return Calibration(ratio, ratio.log(data), ratio.log(samples)), samples


def test_without_a_shift_a_sample_is_accepted_as_often_as_rejection_sampling_does() -> None:
    found, samples = calibration()
    rule = Acceptance.of(found, 1e-6)
    assert rule.shift == pytest.approx(0, abs=1e-9)
    torch.testing.assert_close(rule.probability(samples), (found.samples - found.samples.max()).exp())


def test_what_rejection_accepts_has_the_energies_of_the_data() -> None:
    found, samples = calibration()
    chance = torch.rand(len(samples), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    kept = samples[chance <= Acceptance.of(found, 1e-6).probability(samples)]
    assert kept.mean().item() == pytest.approx(3, abs=0.05)
    assert kept.std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("least", [0.5, 0.9])
def test_a_budget_that_is_too_small_is_met_by_a_shift_and_the_order_of_chances_stays(least: float) -> None:
    found, samples = calibration()
    rule = Acceptance.of(found, least)
    chances = rule.probability(samples)
    assert rule.shift < 0
    assert chances.mean().item() == pytest.approx(least, abs=1e-3)
    assert torch.equal(chances.argsort(), found.samples.argsort())


def of(energy: Energy, discriminator: object, prior: Prior = Prior(), source: str = "toy.ring") -> Run:  # noqa: B008
    points = source.startswith("toy")
    nets = Nets(generator=MLPGenerator(width=16, noise=3, std=0.3), discriminator=discriminator)
    objective = WGANGP() if isinstance(energy, ScalarEnergy) else Experiment().objective
    experiment = Experiment(
        data=Data(source=source, limits=None if points else (0.0, 1.0)),
        nets=nets,
        energy=energy,
        objective=objective,
        sampler=prior,
    )
    data = experiment.data.open()
    return assemble(experiment, DataFacts(data.shape, data.classes, data.checksum), "cpu")


RUNS = {
    "autoencoder": lambda: of(Experiment().energy, MLPAutoencoder(width=16, std=0.3)),
    "critic, uniform noise": lambda: of(
        ScalarEnergy(), MLPDiscriminator(width=16, std=0.3), Prior(distribution="uniform")
    ),
    "images from 0 to 1": lambda: of(Experiment().energy, MLPAutoencoder(width=16, std=0.3), source="digits"),
}


@pytest.fixture(scope="module", params=RUNS.values(), ids=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return request.param()


@pytest.mark.parametrize("refine", BOTH)
def test_refined_samples_follow_from_the_seed_and_are_finite(run: Run, refine: Rejection | LatentLangevin) -> None:
    samples = run.sample(20, seed=3, refine=refine)
    assert samples.shape == (20, *run.data.shape)
    assert samples.isfinite().all()
    assert torch.equal(samples, run.sample(20, seed=3, refine=refine))
    assert not torch.equal(samples, run.sample(20, seed=4, refine=refine))


@pytest.mark.parametrize("refine", BOTH)
@pytest.mark.parametrize("budget", [1, 3])
def test_no_more_images_pass_the_nets_than_the_budget_allows(
    run: Run, refine: Rejection | LatentLangevin, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = {"generator": 0, "discriminator": 0}
    found = replace(refine, budget=budget).refined(run, 20)  # the ratio does not depend on the count
    calibration = 2 * 2000 if run.experiment.data.limits is None else 2 * 1797

    def count(player: str) -> object:
        return getattr(run, player).register_forward_hook(
            lambda _, given, out: passed.__setitem__(player, passed[player] + len(given[0]))
        )

    hooks = [count(player) for player in passed]
    replace(refine, budget=budget).refined(run, 20)
    for hook in hooks:
        hook.remove()
    assert passed["generator"] - calibration / 2 == found.made.passes <= budget * 20
    assert passed["discriminator"] - calibration <= budget * 20


def test_a_budget_of_one_changes_no_sample(run: Run) -> None:
    assert torch.equal(run.sample(20, refine=Rejection(budget=1)), run.sample(20))
    torch.testing.assert_close(run.sample(20, refine=LatentLangevin(budget=1)), run.sample(20), atol=1e-4, rtol=1e-4)


def test_kept_samples_are_plain_samples_of_a_longer_draw(run: Run) -> None:
    plain = run.sample(4 * 20, seed=3).flatten(1)
    kept = run.sample(20, seed=3, refine=Rejection(budget=4)).flatten(1)
    assert torch.cdist(kept.double(), plain.double()).min(1).values.max() < 1e-4


@pytest.mark.parametrize("refine", [Rejection(budget=8), LatentLangevin(budget=30, step=0.02)])
def test_refined_samples_are_nearer_to_the_datas_energy(refine: Rejection | LatentLangevin) -> None:
    run = RUNS["autoencoder"]()
    data, before = run.energy(held_out(run, 500)).mean(), run.energy(run.sample(500)).mean()
    after = run.energy(run.sample(500, refine=refine)).mean()
    assert abs(after - data) < 0.95 * abs(before - data)


def test_points_that_calibrate_are_new_ones(run: Run) -> None:
    data, images = run.experiment.data.open(), held_out(run, 100)
    assert len(images) == 100
    if run.experiment.data.limits is None:
        known = {tuple(point) for point in data.images.reshape(-1, 2).tolist()}
        assert not known & {tuple(point) for point in images.flatten(1).tolist()}
    else:
        assert (images.min(), images.max()) == (-1, 1)


def test_bad_budgets_steps_and_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"refine.budget=0: expected at least 1"):
        Rejection(budget=0)
    with pytest.raises(UsageError, match=r"refine.step=0"):
        LatentLangevin(step=0.0)
    nets = Nets(generator=MLPTransition(width=8, code=4), discriminator=MLPAutoencoder(width=8))
    experiment = Experiment(nets=nets, sampler=Transition())
    data = experiment.data.open()
    run = assemble(experiment, DataFacts(data.shape, data.classes, data.checksum), "cpu")
    for refine in BOTH:
        with pytest.raises(UsageError, match="its samples start from images of the data, not from noise"):
            run.sample(4, refine=refine)


def test_data_that_is_gone_or_has_changed_is_named() -> None:
    run = RUNS["autoencoder"]()
    with pytest.raises(DataError, match=r"refine: images of the data calibrate the energy: .*not the data"):
        replace(run, data=run.data._replace(checksum="0")).sample(4, refine=Rejection())
    assert ebgan.Rejection is Rejection
