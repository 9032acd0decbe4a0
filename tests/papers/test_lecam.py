"""LeCam regularisation: its anchors, and the divergence that its optimum leaves the generator."""

import pytest
import torch

from ebgan.objectives import EBGAN, LeCam, LossSensitiveGAN
from ebgan.objectives.lecam import LeCamState
from ebgan.records import Batch, Means, Reading

NO_IMAGES = torch.zeros(2, 1, 1, 1)
CRITIC = LossSensitiveGAN(scale=0.0, real_weight=0.0, slope=1.0)  # E(x) - E(G(z)), the critic of WGAN


def means(real: float, fake: float) -> Means:
    return Means(torch.tensor(real), torch.tensor(fake), torch.tensor(8))


def test_the_anchors_begin_at_the_first_means_and_follow_by_the_decay() -> None:
    objective = LeCam(inner=EBGAN(), decay=0.75)
    state = objective.update(objective.init(), means(2.0, 6.0))
    assert (state.real, state.fake) == (2.0, 6.0)
    state = objective.update(state, means(4.0, 2.0))
    assert (state.real, state.fake) == (2.5, 5.0)
    seen = objective.metrics(state, Reading(NO_IMAGES, torch.ones(2)), means(0.0, 0.0))
    assert (seen["state/anchor_real"], seen["state/anchor_fake"]) == (2.5, 5.0)


def test_each_kind_is_drawn_to_the_other_s_anchor_once_there_is_one() -> None:
    objective = LeCam(inner=EBGAN(margin=4.0), weight=0.5)
    real, fake = Reading(NO_IMAGES, torch.tensor([1.0, 3.0])), Reading(NO_IMAGES, torch.tensor([4.0, 6.0]))
    state, batch = objective.init(), Batch(NO_IMAGES)
    assert objective.discriminator(state, real, fake, batch).terms["lecam"] == 0
    state = objective.update(state, means(2.0, 5.0))
    losses = objective.discriminator(state, real, fake, batch)
    assert losses.terms["lecam"] == 0.5 * ((16 + 4) / 2 + (4 + 16) / 2)
    assert losses.total == losses.terms["real"] + losses.terms["hinge"] + losses.terms["lecam"]


@pytest.mark.parametrize(("weight", "anchor"), [(0.3, 0.5), (0.1, 2.0)])
def test_the_optimal_critic_leaves_the_generator_a_lecam_divergence(weight: float, anchor: float) -> None:
    """For scores with anchors a and -a the means differ by (1 / 2w - a) times the sum of (p - q)^2 / (p + q)."""
    data, samples = torch.tensor([0.1, 0.4, 0.5]).double(), torch.tensor([0.3, 0.3, 0.4]).double()
    objective = LeCam(inner=CRITIC, weight=weight)
    state = LeCamState(torch.tensor(-anchor), torch.tensor(anchor), torch.tensor(1.0), CRITIC.init())  # energies
    energies = torch.zeros(3, dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        """The discriminator's loss over all pairs of places, each as often as both densities have it."""
        real, fake = energies[:, None, None].expand(3, 3, 1), energies[None, :, None].expand(3, 3, 1)
        each = objective.discriminator(
            state, Reading(NO_IMAGES, real), Reading(NO_IMAGES, fake), Batch(NO_IMAGES.expand(3, 3, 2, 1, 1, 1))
        )
        return (each.total * data[:, None] * samples[None]).sum()

    optimiser = torch.optim.LBFGS([energies], max_iter=100, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)
    scores = -energies.detach()
    divergence = ((data - samples).square() / (data + samples)).sum()
    left = (data * scores).sum() - (samples * scores).sum()
    torch.testing.assert_close(left, (1 / (2 * weight) - anchor) * divergence, rtol=1e-5, atol=1e-8)
