"""VGAN: the energy of experts, its bounds and its slope, and the entropy of a batch."""

import math

import pytest
import torch
from torch import Tensor

from ebgan.data import open_data, scaled
from ebgan.energies import ExpertsEnergy
from ebgan.energies.experts import indecision
from ebgan.nets.base import BuildContext, Experts
from ebgan.nets.mlp import MLPExperts
from ebgan.objectives import VGAN
from ebgan.objectives.terms import batch_entropy, expert_similarity
from ebgan.randomness import Randomness
from ebgan.records import Batch, Means, Reading, Sample

NO_IMAGES = torch.zeros(3, 1, 1, 1, dtype=torch.float64)
ROWS = [[0.9, 0.1], [0.2, 0.6], [0.5, 0.5]]  # the probabilities of two experts for each of three images


class Given(Experts):
    """Experts whose logits are the pixels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(-3)

    def features(self, images: Tensor) -> Tensor:
        return images.flatten(-3)


def energies(logits: Tensor, clip: float = 1e-4) -> Tensor:
    return ExpertsEnergy(clip=clip).read(Given(), logits[..., None, None]).energy


def reading(rows: list[list[float]]) -> Reading:
    images = torch.tensor(rows, dtype=torch.float64).logit()[..., None, None].requires_grad_()
    return ExpertsEnergy().read(Given(), images)


@pytest.mark.parametrize(("experts", "nats"), [(100, 69.3147), (128, 88.7228)])
def test_undecided_experts_have_the_largest_energy_which_is_their_number_in_bits(experts: int, nats: float) -> None:
    (energy,) = energies(torch.zeros(1, experts, dtype=torch.float64)).tolist()
    assert energy == pytest.approx(nats, abs=1e-4)
    assert energy / math.log(2) == pytest.approx(experts)


@pytest.mark.parametrize(("experts", "least"), [(100, 0.1021), (128, 0.1307)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sure_experts_have_none_but_what_the_clip_leaves(experts: int, least: float, dtype: torch.dtype) -> None:
    sure = torch.tensor([1e4, -1e4] * (experts // 2), dtype=dtype)[None]
    assert energies(sure).item() == pytest.approx(least, abs=1e-4)
    assert indecision(sure).item() == 0
    assert batch_entropy(sure).item() == 0


def test_a_clip_of_logits_is_one_of_probabilities() -> None:
    logits = torch.linspace(-20, 20, 401, dtype=torch.float64)
    clips = (1e-4, 0.2)
    stack = ExpertsEnergy(clip=torch.tensor(clips, dtype=torch.float64)).clipped(logits[:, None].expand(2, -1, -1))
    for model, clip in enumerate(clips):
        expected = logits.sigmoid().clamp(clip, 1 - clip)[:, None]
        torch.testing.assert_close(ExpertsEnergy(clip=clip).clipped(logits[:, None]).sigmoid(), expected)
        torch.testing.assert_close(stack[model].sigmoid(), expected)


def test_the_worked_example() -> None:
    fake = reading(ROWS)
    assert fake.energy.tolist() == pytest.approx([0.650166, 1.173414, 1.386294], abs=1e-6)
    losses = VGAN().generator(VGAN().init(), fake, Sample(NO_IMAGES))
    assert losses.terms["fake"].item() == pytest.approx(1.069958, abs=1e-6)
    assert losses.terms["entropy"].item() == pytest.approx(-1.363935, abs=1e-6)
    assert losses.total.item() == pytest.approx(-0.293977, abs=1e-6)


def test_the_discriminator_descends_the_same_on_the_data_and_raises_the_energy_of_the_samples() -> None:
    real, fake = reading(ROWS), reading([[0.5, 0.5], [0.9, 0.1], [0.9, 0.1]])
    losses = VGAN().discriminator(VGAN().init(), real, fake, Batch(NO_IMAGES))
    assert losses.terms["fake"].item() == pytest.approx(-(1.386294 + 2 * 0.650166) / 3, abs=1e-6)
    assert losses.total.item() == pytest.approx(-0.293977 + losses.terms["fake"].item(), abs=1e-6)
    assert VGAN().data_loss(VGAN().init(), real, Batch(NO_IMAGES)).total.item() == pytest.approx(-0.293977, abs=1e-6)


@pytest.mark.parametrize("row", [[0.5, 0.5], [0.9, 0.2], [1e-9, 1.0]], ids=str)
def test_a_collapsed_batch_gives_the_generator_nothing(row: list[float]) -> None:
    assert VGAN().generator(VGAN().init(), reading([row] * 3), Sample(NO_IMAGES)).total.item() == pytest.approx(0)


def test_energy_less_entropy_lies_between_minus_k_ln_2_and_0() -> None:
    generator = torch.Generator().manual_seed(0)
    for spread in (0.1, 1.0, 10.0, 1000.0):
        logits = spread * torch.randn(20, 64, 7, generator=generator, dtype=torch.float64)
        difference = indecision(logits).mean(-1) - batch_entropy(logits)
        assert (difference < 0).all()
        assert (difference > -7 * math.log(2)).all()
    split = torch.tensor([[1e3], [-1e3]], dtype=torch.float64)  # sure of each image, undecided over both
    assert (indecision(split).mean() - batch_entropy(split)).item() == pytest.approx(-math.log(2))


def test_the_slope_is_minus_the_logit_times_the_variance_and_leads_away_from_one_half() -> None:
    logits = torch.linspace(-9, 9, 37, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(energies(logits[:, None]).sum(), logits)
    chance = logits.detach().sigmoid()
    torch.testing.assert_close(slope, -logits.detach() * chance * (1 - chance))
    assert slope[18] == 0
    assert torch.equal(-slope[logits != 0].sign(), logits.detach()[logits != 0].sign())  # descent


def test_a_clipped_expert_has_no_slope() -> None:
    logits = torch.tensor([[-10.0, 10.0, 9.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(energies(logits).sum(), logits)
    assert slope[0, :2].tolist() == [0, 0]
    assert slope[0, 2] < 0


def test_what_is_watched_are_shares_of_the_largest_entropy() -> None:
    fake = reading(ROWS)
    means = Means(fake.energy.mean(), fake.energy.mean(), torch.tensor(0))
    watched = VGAN().metrics(VGAN().init(), fake, means)
    assert watched["expert_entropy"].item() == pytest.approx(1.069958 / (2 * math.log(2)), abs=1e-6)
    assert watched["batch_entropy"].item() == pytest.approx(1.363935 / (2 * math.log(2)), abs=1e-6)


def test_experts_are_as_alike_as_their_probabilities_correlate_whatever_their_sign() -> None:
    bit = torch.tensor([3.0, -3.0, 3.0, -3.0])
    other = torch.tensor([3.0, 3.0, -3.0, -3.0])
    for experts, similarity in (((bit, -bit, 0.1 * bit + 2), 1.0), ((bit, other), 0.0), ((bit, bit, other), 1 / 3)):
        assert expert_similarity(torch.stack(experts, 1)).item() == pytest.approx(similarity, abs=1e-5)
    one, two = torch.stack((bit, other), 1), torch.stack((bit, bit), 1)
    assert expert_similarity(torch.stack((one, two))).tolist() == pytest.approx([0.0, 1.0], abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nothing_keeps_experts_apart_so_that_they_come_to_tell_one_bit(seed: int) -> None:
    """Each has the same loss: the 2^K minima of the energy (section 5) are not all used."""
    digits = scaled(torch.from_numpy(open_data("digits").images.copy()), (0.0, 1.0))
    context = BuildContext((1, 8, 8), (0.0, 1.0), Randomness.of(seed))
    net, energy = MLPExperts(depth=2, width=64, experts=20).build(context), ExpertsEnergy()
    optimiser, drawn = torch.optim.Adam(net.parameters(), lr=1e-3), torch.Generator().manual_seed(seed)
    before = expert_similarity(net(digits)).item()
    for _ in range(300):
        batch = Batch(digits[torch.randint(len(digits), (200,), generator=drawn)])
        optimiser.zero_grad()
        VGAN().data_loss(VGAN().init(), energy.read(net, batch.images), batch).total.backward()
        optimiser.step()
    assert before < 0.2
    assert expert_similarity(net(digits)).item() > 0.95


def test_the_net_has_a_row_of_weights_and_a_bias_for_each_expert_and_no_batch_norm() -> None:
    net = MLPExperts().build(BuildContext((1, 28, 28), (0.0, 1.0), Randomness.of(0)))
    assert sum(parameter.numel() for parameter in net.parameters()) == 784 * 1024 + 1024 + 1024 * 100 + 100
    assert net(torch.rand(3, 1, 28, 28)).shape == (3, 100)
    assert list(net.buffers()) == []


@pytest.mark.parametrize("clip", [0.0, 0.5, -1.0, float("nan")])
def test_a_clip_that_leaves_nothing_or_no_slope_is_refused(clip: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 0.5"):
        ExpertsEnergy(clip=clip)
