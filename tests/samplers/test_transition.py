"""Samples from images: what is kept of them, what is drawn anew, and how both follow from the moment."""

import pytest
import torch
from torch import Tensor

from ebgan.nets.base import BuildContext, TransitionGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.samplers import DrawKey, Transition, no_source

SEED = Randomness.of(3)


class Halved(TransitionGenerator):
    """A code of half the pixels, which shows itself."""

    code = 4

    def encode(self, images: Tensor) -> Tensor:
        return images.flatten(-3) / 2

    def decode(self, code: Tensor) -> Tensor:
        return code.unflatten(-1, (1, 2, 2))


def images(*lead: int) -> Tensor:
    return torch.rand(*lead, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def drawn(keep: float | Tensor, key: DrawKey, x: Tensor) -> Tensor:
    return Transition(keep=keep).sample(Halved(), key, lambda: Batch(x)).images


def test_a_sample_holds_its_source_and_the_reconstruction_without_noise() -> None:
    x = images(6)
    sample = Transition().sample(Halved(), DrawKey(SEED, 0, 0, 6), lambda: Batch(x))
    assert sample.source is x
    assert sample.reconstruction is not None
    assert torch.equal(sample.reconstruction, x / 2)
    kept = sample.images == x / 2
    assert 0 < kept.sum() < kept.numel()
    with torch.no_grad():  # the discriminator's turn
        assert Transition().sample(Halved(), DrawKey(SEED, 0, 0, 6), lambda: Batch(x)).reconstruction is None


def test_everything_is_kept_or_nothing_at_the_ends() -> None:
    x, key = images(50), DrawKey(SEED, 0, 0, 50)
    assert torch.equal(drawn(1.0, key, x), x / 2)
    assert not (drawn(0.0, key, x) == x / 2).any()


def test_another_moment_draws_another_mask_and_other_noise_and_the_same_one_the_same() -> None:
    moments = [
        DrawKey(SEED, 0, 0, 6),
        DrawKey(SEED, 6, 0, 6),
        DrawKey(SEED, 0, 1, 6),
        DrawKey(Randomness.of(4), 0, 0, 6),
    ]
    x = images(6)
    found = [drawn(0.5, key, x) for key in moments]
    assert len({tuple((samples == x / 2).flatten().tolist()) for samples in found}) == 4
    assert len({tuple(samples.flatten().tolist()) for samples in found}) == 4
    assert torch.equal(drawn(0.5, moments[0], x), found[0])


def test_samples_do_not_depend_on_how_many_are_drawn_at_a_time() -> None:
    x = images(6)
    whole = drawn(0.5, DrawKey(SEED, torch.tensor(10), 1, 6), x)
    parts = [drawn(0.5, DrawKey(SEED, 10 + at, 1, count), x[at : at + count]) for at, count in ((0, 2), (2, 1), (3, 3))]
    assert torch.equal(torch.cat(parts), whole)


def test_each_model_of_a_stack_draws_its_own_samples_with_its_own_chance() -> None:
    spec, seeds, keep = MLPTransition(width=4, code=3, std=0.5), [3, 4], [0.25, 0.75]
    x = images(2, 6)

    def sample(randomness: Randomness, chance: float | Tensor, given: Tensor) -> Tensor:
        generator = spec.build(BuildContext((1, 2, 2), (0.0, 1.0), randomness)).eval()
        return Transition(keep=chance).sample(generator, DrawKey(randomness, 5, 0, 6), lambda: Batch(given)).images

    together = sample(Randomness.of(torch.tensor(seeds)), torch.tensor(keep), x)
    for model, (seed, chance) in enumerate(zip(seeds, keep, strict=True)):
        torch.testing.assert_close(together[model], sample(Randomness.of(seed), chance, x[model]))


def test_without_images_to_start_from_none_is_made() -> None:
    with pytest.raises(ValueError, match="start from images of the data"):
        Transition().sample(Halved(), DrawKey(SEED, 0, 0, 6), no_source)


def test_a_chance_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sampler.keep=1.5: expected a number from 0 to 1"):
        Transition(keep=1.5)
