"""The pulling-away term over codes of all kinds: what leaves it as it is, and between which bounds it lies."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ebgan.objectives.terms import pulling_away

EXACT = {"rtol": 1e-9, "atol": 1e-12}


@st.composite
def codes(draw: st.DrawFn) -> Tensor:
    """[batch, code] in float64, two to six codes of up to five numbers, none of them all but zero."""
    width = draw(st.integers(1, 5))
    row = st.lists(st.floats(-50, 50), min_size=width, max_size=width).filter(lambda row: max(map(abs, row)) > 1e-3)
    return torch.tensor(draw(st.lists(row, min_size=2, max_size=6)), dtype=torch.float64)


@given(codes(), st.data())
def test_the_length_and_the_sign_of_a_code_are_nothing_to_it(code: Tensor, data: st.DataObject) -> None:
    factor = st.one_of(st.floats(0.01, 100), st.floats(-100, -0.01))
    factors = data.draw(st.lists(factor, min_size=len(code), max_size=len(code)))
    scaled = code * torch.tensor(factors, dtype=torch.float64)[:, None]
    torch.testing.assert_close(pulling_away(scaled), pulling_away(code), **EXACT)


@given(codes(), st.integers(0, 1000))
def test_a_rotation_of_the_space_of_codes_and_the_order_of_the_batch_are_nothing_to_it(code: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rotation, _ = torch.linalg.qr(torch.randn(2 * code.shape[1:], generator=generator, dtype=torch.float64))
    shuffled = code[torch.randperm(len(code), generator=generator)] @ rotation
    torch.testing.assert_close(pulling_away(shuffled), pulling_away(code), **EXACT)


@given(codes())
def test_it_lies_between_welchs_bound_and_1(code: Tensor) -> None:
    """So many unit vectors in so few dimensions cannot all be orthogonal (Welch, 1974)."""
    batch, width = code.shape
    least = max(0.0, (batch - width) / (width * (batch - 1)))
    assert least - 1e-12 <= pulling_away(code).item() <= 1 + 1e-12


@given(codes(), st.integers(2, 5))
def test_codes_that_repeat_one_or_its_opposite_give_1_and_a_frame_gives_welchs_bound(code: Tensor, times: int) -> None:
    alike = code[:1] * torch.tensor([1.0, -2.0] * times, dtype=torch.float64)[:, None]
    torch.testing.assert_close(pulling_away(alike), torch.tensor(1.0, dtype=torch.float64), **EXACT)
    width = code.shape[1]
    frame = torch.eye(width, dtype=torch.float64).repeat(times, 1)
    batch = len(frame)
    assert abs(pulling_away(frame).item() - (batch - width) / (width * (batch - 1))) < 1e-12


@given(codes(), codes())
def test_each_model_of_a_stack_has_its_own(first: Tensor, second: Tensor) -> None:
    batch, width = min(len(first), len(second)), min(first.shape[1], second.shape[1])
    stack = torch.stack([first[:batch, :width], second[:batch, :width]])
    torch.testing.assert_close(pulling_away(stack), torch.stack([pulling_away(code) for code in stack]), **EXACT)
