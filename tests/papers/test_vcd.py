"""VCD: the generator's loss and its units, the transition, and what becomes of both at the ends of rho."""

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD, VGAN
from ebgan.objectives.vcd import reconstruction_error
from ebgan.randomness import Randomness
from ebgan.records import Batch, Reading, Sample
from ebgan.samplers import DrawKey, Transition

ROWS = torch.tensor([[0.9, 0.1], [0.2, 0.6], [0.5, 0.5]], dtype=torch.float64)  # of two experts, for three samples
FAKE = Reading(torch.zeros(3, 1, 1, 2), torch.tensor([0.650166, 1.173414, 1.386294]).double(), ROWS.logit())
SOURCE = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], dtype=torch.float64)[:, None, None]
RECONSTRUCTION = torch.tensor([[0.0, 1.0], [0.5, 0.0], [0.9, 0.2]], dtype=torch.float64)[:, None, None]
SAMPLE = Sample(FAKE.images, SOURCE, RECONSTRUCTION)


def generator_terms(objective: VCD, sample: Sample = SAMPLE) -> dict[str, float]:
    losses = objective.generator(objective.init(), FAKE, sample)
    return {name: term.item() for name, term in losses.terms.items()} | {"total": losses.total.item()}


def test_equation_10_by_hand() -> None:
    squares = (0 + 0.5**2 + 0.4**2 + 0.3**2) / 3  # over all pixels of an image, and the mean of images
    assert generator_terms(VCD(rho=0.25)) == pytest.approx(
        {"fake": 0.25 * 1.069958, "reconstruction": 0.75 * squares, "total": 0.25 * 1.069958 + 0.75 * squares}, abs=1e-6
    )


def test_the_authors_code_adds_the_entropy_with_the_same_weight_and_takes_the_cross_entropy_of_a_pixel() -> None:
    given, found = SOURCE.flatten(1), RECONSTRUCTION.flatten(1).clamp(1e-4, 1 - 1e-4)
    crossed = -(given * found.log() + (1 - given) * (1 - found).log()).mean().item()
    terms = generator_terms(VCD.authors_code(rho=0.25))
    assert terms["fake"] + terms["entropy"] == pytest.approx(0.25 * -0.293977, abs=1e-6)
    assert terms["reconstruction"] == pytest.approx(0.75 * crossed)
    assert terms["total"] == pytest.approx(0.25 * -0.293977 + 0.75 * crossed, abs=1e-6)


def test_a_certain_and_wrong_pixel_costs_what_the_clip_allows() -> None:
    wrong = reconstruction_error("cross_entropy", SOURCE[:1], 1 - SOURCE[:1])
    assert wrong.item() == pytest.approx(9.21034, abs=1e-5)  # -ln 0.0001
    assert reconstruction_error("cross_entropy", SOURCE[:1], SOURCE[:1]).item() == pytest.approx(1.00005e-4, rel=1e-4)


def test_the_ends_of_rho_are_an_autoencoder_and_a_vgan() -> None:
    assert generator_terms(VCD(rho=0.0))["total"] == generator_terms(VCD(rho=0.0))["reconstruction"] > 0
    vgan = VGAN().generator(VGAN().init(), FAKE, Sample(FAKE.images))
    assert generator_terms(VCD(rho=1.0, entropy=True))["total"] == pytest.approx(vgan.total.item())


def test_the_discriminators_losses_are_vgans() -> None:
    real = replace_energy(FAKE, 0.5)
    for mine, theirs in (
        (
            VCD().discriminator(VCD().init(), real, FAKE, Batch(SOURCE)),
            VGAN().discriminator(VGAN().init(), real, FAKE, Batch(SOURCE)),
        ),
        (VCD().data_loss(VCD().init(), real, Batch(SOURCE)), VGAN().data_loss(VGAN().init(), real, Batch(SOURCE))),
    ):
        assert {name: term.item() for name, term in mine.terms.items()} == {
            name: term.item() for name, term in theirs.terms.items()
        }


def replace_energy(reading: Reading, factor: float) -> Reading:
    return reading._replace(energy=factor * reading.energy)


def test_the_papers_unit_is_four_times_as_large_on_minus_1_to_1() -> None:
    wide = reconstruction_error("squared", SOURCE * 2 - 1, RECONSTRUCTION * 2 - 1)
    torch.testing.assert_close(wide, 4 * reconstruction_error("squared", SOURCE, RECONSTRUCTION))


@pytest.mark.parametrize("rho", [-0.1, 1.1, float("nan")])
def test_a_weight_that_is_none_is_refused(rho: float) -> None:
    with pytest.raises(ValueError, match=r"objective.rho=.*: expected a number from 0 to 1"):
        VCD(rho=rho)


def test_samples_without_a_source_are_refused_with_the_mend() -> None:
    with pytest.raises(UsageError, match=r"use the transition sampler \(Transition\)"):
        VCD().generator(VCD().init(), FAKE, Sample(FAKE.images))


def test_half_of_the_code_is_replaced_and_the_code_and_what_replaces_it_lie_in_minus_1_to_1() -> None:
    net = MLPTransition(width=8, code=256, std=1.0).build(BuildContext((1, 4, 4), (0.0, 1.0), Randomness.of(0)))
    code = net.encode(images(200))
    assert code.shape == (200, 256)
    assert code.abs().max() <= 1
    mixed = Transition().replaced(code, DrawKey(Randomness.of(0), 0, 0, 200))
    new = mixed != code
    assert new.double().mean().item() == pytest.approx(0.5, abs=0.01)
    assert mixed[new].min().item() == pytest.approx(-1, abs=0.01)
    assert mixed[new].max().item() == pytest.approx(1, abs=0.01)
    assert mixed[new].mean().item() == pytest.approx(0, abs=0.02)


def images(count: int) -> Tensor:
    return torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(0))
