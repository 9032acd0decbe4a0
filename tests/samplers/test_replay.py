"""Experience replay: what the discriminator is shown, what is kept of it, and that it follows from the moment."""

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets import SphericalAutoencoder
from ebgan.nets.base import BuildContext
from ebgan.randomness import Randomness
from ebgan.records import Sample
from ebgan.samplers import CurrentEnergy, DrawKey, Langevin, Noised, Prior, Replay, Sampler, Transition, no_source
from ebgan.samplers.replay import Buffer

SEED = Randomness.of(3)
NO_ENERGY = CurrentEnergy(torch.nn.Identity(), torch.zeros_like, None)


def numbered(first: int, count: int, *models: int) -> Sample:
    """Samples of one pixel that say their number."""
    numbers = torch.arange(first, first + count, dtype=torch.float64)
    return Sample(numbers[:, None, None, None].expand(*models, -1, -1, -1, -1))


def start(replay: Replay, randomness: Randomness = SEED) -> Buffer:
    return replay.init(BuildContext((1, 1, 1), (0.0, 1.0), randomness), torch.float64, torch.nn.Identity())


def played(replay: Replay, turns: int, count: int = 4, randomness: Randomness = SEED) -> tuple[list[Tensor], Buffer]:
    """What the discriminator was shown in each of so many turns, and the buffer after them."""
    memory, shown = start(replay, randomness), []
    for turn in range(turns):
        sample = numbered(turn * count, count, *randomness.seeds.shape)
        sample, memory = replay.replay(
            memory, sample, DrawKey(randomness, torch.tensor(turn * count), 0, count), no_source, NO_ENERGY
        )
        assert sample.negatives is not None
        shown.append(sample.negatives[..., 0, 0, 0])
    return shown, memory


def test_the_first_turn_shows_what_was_made() -> None:
    assert torch.equal(played(Replay(share=1.0), 1)[0][0], torch.arange(4.0).double())


def test_with_a_share_of_one_all_are_old_ones_and_with_none_all_are_new() -> None:
    shown, _ = played(Replay(share=1.0, size=100), 20)
    for turn, numbers in enumerate(shown[1:], 1):
        assert (numbers < 4 * turn).all()
    assert len(set(torch.cat(shown).tolist())) > 20
    shown, _ = played(Replay(share=0.0), 5)
    assert torch.equal(torch.cat(shown), torch.arange(20.0).double())


def test_the_share_is_that_of_old_ones() -> None:
    shown, _ = played(Replay(share=0.25, size=500), 40, count=50)
    new = torch.arange(2000.0).view(40, 50)
    old = (torch.stack(shown) != new)[1:].double().mean().item()
    assert old == pytest.approx(0.25, abs=0.03)


def test_the_last_ones_are_kept_and_each_of_them_is_shown_as_often() -> None:
    _, memory = played(Replay(size=10), 6)
    assert memory.given == 24
    assert sorted(memory.samples.flatten().tolist()) == list(range(14, 24))
    sample, _ = Replay(size=10, share=1.0).replay(
        memory, numbered(0, 5000), DrawKey(SEED, 24, 0, 5000), no_source, NO_ENERGY
    )
    assert sample.negatives is not None
    assert (
        torch.bincount(sample.negatives.flatten().long(), minlength=24)[14:].float().div(500).sub(1).abs().max() < 0.2
    )


def test_of_a_batch_larger_than_the_buffer_the_last_are_kept() -> None:
    _, memory = played(Replay(size=3), 2, count=7)
    assert sorted(memory.samples.flatten().tolist()) == [11, 12, 13]


def test_the_samples_themselves_and_the_memory_that_went_in_stay_as_they_are() -> None:
    replay, sample = Replay(size=10), numbered(0, 4)
    memory = start(replay)
    after, _ = replay.replay(memory, sample, DrawKey(SEED, 0, 0, 4), no_source, NO_ENERGY)
    assert after.images is sample.images
    assert memory.given == 0
    assert not memory.samples.any()


def test_each_model_of_a_stack_has_a_buffer_of_its_own() -> None:
    together, memory = played(Replay(size=6), 8, randomness=Randomness.of(torch.tensor([3, 8])))
    for model, seed in enumerate((3, 8)):
        alone, own = played(Replay(size=6), 8, randomness=Randomness.of(seed))
        assert torch.equal(torch.stack(together)[:, model], torch.stack(alone))
        assert torch.equal(memory.samples[model], own.samples)
    assert not torch.equal(torch.stack(together)[:, 0], torch.stack(together)[:, 1])


def test_it_makes_the_samples_of_the_other_sampler() -> None:
    assert Replay(sampler=Transition()).conditional
    assert not Replay(sampler=Prior()).conditional
    with pytest.raises(ValueError, match="needs a transition generator"):
        Replay(sampler=Transition()).check(torch.nn.Identity())


@pytest.mark.parametrize(("fields", "said"), [({"size": 0}, "sampler.size=0"), ({"share": 2.0}, "sampler.share=2.0")])
def test_settings_that_make_no_sense_are_refused(fields, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Replay(**fields)


@pytest.mark.parametrize("inner", [Replay(), Noised(sampler=Replay()), Langevin()])
def test_a_sampler_with_a_memory_of_its_own_is_refused_inside(inner: Sampler) -> None:
    context = BuildContext((1, 4, 4), (-1.0, 1.0), Randomness.of(0))
    net = SphericalAutoencoder(width=4, code=2).build(context)
    with pytest.raises(UsageError, match=f"sampler.sampler={type(inner).__name__}: has a memory of its own"):
        Replay(sampler=inner).init(context, torch.float32, net)
