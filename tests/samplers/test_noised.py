"""Noised data among the negatives: how much of it, how noisy, and that the generator never sees it."""

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.randomness import Randomness
from ebgan.records import Batch, Sample
from ebgan.samplers import CurrentEnergy, DrawKey, Noised, Prior, Replay, no_source

COUNT = 4000
SEED = Randomness.of(3)
NO_ENERGY = CurrentEnergy(torch.nn.Identity(), torch.zeros_like, None)


def shown(sampler: Noised, randomness: Randomness = SEED) -> Tensor:
    """What the discriminator sees of samples of 100 where the data is -7: [*models, COUNT]."""
    models = randomness.seeds.shape
    sample, data = torch.full((*models, COUNT, 1, 1, 1), 100.0), torch.full((*models, COUNT, 1, 1, 1), -7.0)
    memory = sampler.init(BuildContext((1, 1, 1), None, randomness), torch.float32, torch.nn.Identity())
    after, _ = sampler.replay(memory, Sample(sample), DrawKey(randomness, 0, 0, COUNT), lambda: Batch(data), NO_ENERGY)
    assert torch.equal(after.images, sample)
    assert after.negatives is not None
    return after.negatives[..., 0, 0, 0]


def test_the_share_is_noised_data_and_the_rest_are_samples() -> None:
    seen = shown(Noised(share=0.25, noise=2.0))
    noised = seen[seen != 100]
    assert len(noised) / COUNT == pytest.approx(0.25, abs=0.03)
    assert noised.mean().item() == pytest.approx(-7, abs=0.25)
    assert noised.std().item() == pytest.approx(2, rel=0.08)


def test_a_share_of_one_leaves_no_sample_and_none_leaves_all() -> None:
    assert (shown(Noised(share=1.0)) != 100).all()
    assert (shown(Noised(share=0.0)) == 100).all()


def test_each_model_of_a_stack_has_a_share_and_a_noise_of_its_own() -> None:
    randomness = Randomness.of(torch.tensor([3, 8]))
    seen = shown(Noised(share=torch.tensor([0.25, 1.0]), noise=torch.tensor([2.0, 0.5])), randomness)
    assert torch.equal(seen[0], shown(Noised(share=0.25, noise=2.0)))
    assert torch.equal(seen[1], shown(Noised(share=1.0, noise=0.5), Randomness.of(8)))


def test_replayed_samples_are_replaced_as_well() -> None:
    assert (shown(Noised(sampler=Replay(share=1.0), share=0.5)) != 100).float().mean().item() == pytest.approx(
        0.5, abs=0.03
    )


def test_noised_data_needs_data() -> None:
    key = DrawKey(SEED, 0, 0, 2)
    with pytest.raises(UsageError, match="start from images"):
        Noised().replay(
            Prior().init(BuildContext((1, 1, 1), None, SEED), torch.float32, torch.nn.Identity()),
            Sample(torch.zeros(2, 1, 1, 1)),
            key,
            no_source,
            NO_ENERGY,
        )


@pytest.mark.parametrize("field", [{"share": -0.1}, {"share": 1.5}, {"noise": 0.0}, {"noise": float("nan")}])
def test_shares_and_noises_that_make_no_sense_are_refused(field: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"sampler.{next(iter(field))}"):
        Noised(**field)
