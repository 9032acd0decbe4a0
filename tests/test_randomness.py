"""The numbers are Philox's, and a function of what they are for."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ebgan.randomness import Randomness, philox, philox_on_device

# Known answers of the Random123 distribution (Salmon et al., 2011) for Philox4x32-10: counter, key, result.
ANSWERS = {
    "zeros": ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    "pi": ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
}


def words(text: str) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(int(word, 16)) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "result"), ANSWERS.values(), ids=ANSWERS)
def test_the_cipher_gives_the_known_answers(counter: str, key: str, result: str) -> None:
    assert " ".join(f"{word.item():08x}" for word in philox(words(counter), words(key))) == result  # type: ignore[arg-type]


@pytest.mark.parametrize(("models", "count", "groups"), [(0, 1, 300_000), (0, 300_001, 1), (3, 2, 50_000)])
def test_a_large_draw_has_the_numbers_of_small_ones(models: int, count: int, groups: int) -> None:
    seeds = torch.arange(models)[:, None, None] + 5 if models else torch.tensor(5)[None, None]
    counter = (torch.arange(groups), torch.arange(count)[:, None], torch.zeros(1, 1).long(), torch.ones(1).long())
    whole = philox(counter, (seeds, seeds + 7))
    for word, expected in zip(whole, philox_on_device(counter, (seeds, seeds + 7)), strict=True):
        assert torch.equal(word, expected)


def test_normal_numbers_have_the_moments_of_the_normal_distribution() -> None:
    x = Randomness.of(torch.arange(5)).normal("test", 400, 1000).double()
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert (x**power).mean().item() == pytest.approx(moment, abs=4 * math.sqrt(variance / x.numel()))
    assert (x.abs() < 1).double().mean().item() == pytest.approx(math.erf(1 / math.sqrt(2)), abs=2e-3)


@pytest.mark.parametrize("draw", ["normal", "noise"])
def test_numbers_of_float64_are_those_of_float32_with_more_digits(draw: str) -> None:
    narrow, wide = (
        getattr(Randomness.of(3, dtype=dtype), draw)("test", 50, 40) for dtype in (torch.float32, torch.float64)
    )
    assert wide.dtype == torch.float64
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(wide.float(), narrow, rtol=1e-5, atol=1e-6)
    assert (wide != wide.float()).double().mean() > 0.99
    assert Randomness.of(3, dtype=torch.float64).uniform("test", 2, 3).dtype == torch.float32


def test_uniform_numbers_fill_the_unit_interval_evenly_and_are_never_0() -> None:
    x = Randomness.of(0).uniform("test", 1000, 1000)
    assert 0 < x.min().item() < 1e-4
    assert 1 - 1e-4 < x.max().item() <= 1
    shares = torch.histc(x, 20, 0, 1) / x.numel()
    assert (shares - 0.05).abs().max() < 1e-3


def test_neighbouring_numbers_samples_turns_seeds_and_purposes_are_not_correlated() -> None:
    draw = Randomness.of(0).normal("a", 200, 500)
    others = {
        "elements": (draw[:, 1:], draw[:, :-1]),
        "pairs of elements": (draw[:, 2:], draw[:, :-2]),
        "samples": (draw[1:], draw[:-1]),
        "turns": (draw, Randomness.of(0).normal("a", 200, 500, turn=1)),
        "seeds": (draw, Randomness.of(1).normal("a", 200, 500)),
        "seeds far apart": (draw, Randomness.of(1 << 32).normal("a", 200, 500)),
        "purposes": (draw, Randomness.of(0).normal("b", 200, 500)),
        "later samples": (draw, Randomness.of(0).normal("a", 200, 500, first=1 << 32)),
    }
    for name, (x, y) in others.items():
        for power in (1, 2):  # numbers that share a radius are correlated in their squares alone
            both = torch.stack((x.flatten(), y.flatten())) ** power
            assert abs(torch.corrcoef(both)[0, 1].item()) < 0.015, (name, power)


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_the_same_question_has_the_same_answer(draw: str) -> None:
    def answer() -> Tensor:
        return getattr(Randomness.of(7), draw)("test", 5, 2, 3, first=11, turn=2)

    assert answer().shape == (5, 2, 3)
    assert answer().dtype == torch.float32
    assert torch.equal(answer(), answer())


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_a_samples_numbers_do_not_depend_on_its_batch(draw: str) -> None:
    numbers = getattr(Randomness.of(7), draw)
    whole = numbers("test", 10, 7, first=100)
    parts = [
        numbers("test", stop - start, 7, first=torch.tensor(100 + start)) for start, stop in pairwise((0, 1, 4, 10))
    ]
    assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize("draw", ["normal", "uniform"])
@pytest.mark.parametrize("seed", [7, torch.tensor([7, 8]), torch.tensor(7).expand(3)], ids=["one", "stack", "shared"])
def test_numbers_that_are_drawn_ahead_are_those_drawn_alone(draw: str, seed: int | Tensor) -> None:
    numbers = getattr(Randomness.of(seed), draw)
    for first in (0, 64, 128, 160, 128, 9984, 10048, 0):  # one after the other, then back and forth
        alone = getattr(Randomness.of(seed), draw)("test", 64, 7, first=first, turn=1)
        assert torch.equal(numbers("test", 64, 7, first=torch.tensor(first), turn=1), alone)


def test_a_batch_that_is_changed_in_place_leaves_the_next_answer_as_it_was() -> None:
    numbers = Randomness.of(7)
    before = numbers.uniform("test", 4, 3).clone()
    numbers.uniform("test", 4, 3).zero_()
    assert torch.equal(numbers.uniform("test", 4, 3), before)


def test_numpy_and_torch_compute_the_same_cipher() -> None:
    counter = (torch.arange(3), torch.arange(5)[:, None] + (1 << 31), torch.tensor([9]), torch.tensor([0xFFFFFFFF]))
    key = (torch.arange(4)[:, None, None] + 0xFFFFFFFE & 0xFFFFFFFF, torch.full((4, 1, 1), 0x9E3779B9))
    by_torch = torch.stack(philox_on_device(counter, key))
    assert torch.equal(torch.stack(philox(counter, key)), by_torch)
    assert by_torch.shape == (4, 4, 5, 3)


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_a_models_numbers_do_not_depend_on_its_stack(draw: str) -> None:
    seeds = [7, 0, -3, 1 << 40]
    stack = getattr(Randomness.of(torch.tensor(seeds)), draw)("test", 3, 5, turn=torch.tensor(4))
    assert stack.shape == (4, 3, 5)
    for model, seed in enumerate(seeds):
        assert torch.equal(stack[model], getattr(Randomness.of(seed), draw)("test", 3, 5, turn=4))


@pytest.mark.parametrize("length", [1, 2, 10, 1797])
def test_a_permutation_holds_every_place_once(length: int) -> None:
    order = Randomness.of(3).permutation("data", length, epoch=2)
    assert sorted(order.tolist()) == list(range(length))


def test_each_epoch_seed_and_purpose_has_an_order_of_its_own() -> None:
    orders = [
        Randomness.of(seed).permutation(purpose, 100, epoch)
        for seed, purpose, epoch in ((0, "data", 0), (0, "data", 1), (1, "data", 0), (0, "other", 0))
    ]
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_each_place_is_as_likely_as_any_other() -> None:
    orders = torch.stack([Randomness.of(0).permutation("data", 5, epoch) for epoch in range(2000)])
    counts = torch.stack([(orders == value).sum(0) for value in range(5)])
    assert (counts - 400).abs().max() < 5 * math.sqrt(2000 * 0.2 * 0.8)


def test_a_stacks_permutations_are_those_of_its_models() -> None:
    stack = Randomness.of(torch.tensor([4, 9])).permutation("data", 50, 1)
    for model, seed in enumerate((4, 9)):
        assert torch.equal(stack[model], Randomness.of(seed).permutation("data", 50, 1))


@pytest.mark.parametrize("draw", ["normal", "uniform", "permutation"])
def test_models_that_share_a_seed_get_the_numbers_of_one_that_has_it_drawn_once(draw: str) -> None:
    shared = Randomness.of(torch.tensor(7).expand(3))
    assert shared.once.seeds.tolist() == [7]
    ask = ("test", 6) if draw == "permutation" else ("test", 6, 5)
    stack, alone = getattr(shared, draw)(*ask), getattr(Randomness.of(7), draw)(*ask)
    assert stack.stride(0) == 0
    assert torch.equal(stack, alone.expand(3, *alone.shape))


def test_torchs_own_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    Randomness.of(0).normal("test", 3, 3)
    Randomness.of(0).permutation("test", 3)
    assert torch.equal(torch.get_rng_state(), before)
