"""The pulling-away term (EBGAN, equation 14): its values, its invariances, and the mistakes that its copies make."""

import math

import pytest
import torch
from torch import Tensor

from ebgan.objectives.terms import pulling_away, summed_cosine

ROWS = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]], dtype=torch.float64)
WORKED = {
    "orthonormal": ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 0.0),
    "identical": ([[3, 4]] * 5, 1.0),
    "opposite, -1 if not squared": ([[3, 4], [-3, -4]], 1.0),
    "60 degrees, 0.5 if not squared": ([[1, 0], [0.5, math.sqrt(0.75)]], 0.25),
    "two alike and one apart": ([[1, 0], [1, 0], [0, 1]], 1 / 3),
    "0.4714 if not squared, 0.4167 over the square of one norm": (ROWS.tolist(), 1 / 3),
}


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("rows", "value"), WORKED.values(), ids=WORKED)
def test_a_worked_example_has_its_value(rows: list[list[float]], value: float) -> None:
    assert pulling_away(torch.tensor(rows, dtype=torch.float64)).item() == pytest.approx(value, abs=1e-12)


def test_the_slides_sum_of_cosines_prefers_opposite_codes_and_grows_with_the_batch() -> None:
    sixty = torch.tensor([[1, 0], [0.5, math.sqrt(0.75)]], dtype=torch.float64)
    assert summed_cosine(sixty).item() == pytest.approx(1.0)  # 0.25 by the paper
    opposite = torch.tensor([[3.0, 4.0], [-3.0, -4.0]])
    assert summed_cosine(opposite).item() == pytest.approx(-2.0)
    assert pulling_away(opposite).item() == pytest.approx(1.0)
    assert summed_cosine(torch.ones(10, 3)).item() == pytest.approx(90.0)
    assert summed_cosine(torch.stack([ROWS, -ROWS, ROWS.flip(0)])).tolist() == pytest.approx([2 * math.sqrt(2)] * 3)


def test_it_is_the_double_sum_of_the_paper() -> None:
    codes = normal(7, 5)
    count = len(codes)
    total = sum(
        (float(codes[i] @ codes[j]) / float(codes[i].norm() * codes[j].norm())) ** 2
        for i in range(count)
        for j in range(count)
        if i != j
    )
    assert pulling_away(codes).item() == pytest.approx(total / (count * (count - 1)), rel=1e-12)


def test_it_is_normalised_along_the_features_and_not_along_the_batch() -> None:
    codes = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    assert pulling_away(codes).item() == pytest.approx(1.0)  # the same direction; 0.64 along the batch


def test_the_length_the_sign_and_the_order_of_the_codes_do_not_matter() -> None:
    codes, value = normal(6, 4), pulling_away(normal(6, 4))
    scales = torch.tensor([0.1, -2.0, 3.0, -40.0, 5.0, 1e3], dtype=torch.float64)
    torch.testing.assert_close(pulling_away(codes * scales[:, None]), value)
    torch.testing.assert_close(pulling_away(codes[[4, 0, 5, 2, 1, 3]]), value)


@pytest.mark.parametrize("seed", range(5))
def test_it_lies_between_0_and_1(seed: int) -> None:
    codes = torch.randn(20, 3, generator=torch.Generator().manual_seed(seed)) * 10.0 ** (seed - 2)
    assert 0 <= pulling_away(codes).item() <= 1


def test_its_gradient_is_orthogonal_to_each_code() -> None:
    codes = normal(6, 4).requires_grad_(True)
    (gradient,) = torch.autograd.grad(pulling_away(codes), codes)
    assert gradient.norm(dim=1).min() > 1e-3
    assert (gradient * codes).sum(1).abs().max() < 1e-12


def test_independent_normal_codes_of_1024_features_give_about_1_in_1024() -> None:
    assert pulling_away(normal(64, 1024)).item() == pytest.approx(1 / 1024, rel=0.1)


def test_their_rectified_codes_give_about_1_over_pi_squared() -> None:
    assert pulling_away(normal(64, 1024).relu()).item() == pytest.approx(1 / math.pi**2, rel=0.02)


@pytest.mark.parametrize(
    "codes", [torch.ones(1, 8), torch.zeros(4, 8), torch.eye(3, 8) * torch.tensor([[1], [0], [2]])]
)
def test_one_sample_and_codes_of_zeros_give_0_and_a_finite_gradient(codes: Tensor) -> None:
    codes = codes.clone().requires_grad_(True)
    value = pulling_away(codes)
    (gradient,) = torch.autograd.grad(value, codes)
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert gradient.isfinite().all()


def test_each_model_of_a_stack_has_its_own_value() -> None:
    stack = torch.stack([ROWS, torch.ones(3, 2, dtype=torch.float64)])
    torch.testing.assert_close(pulling_away(stack), torch.tensor([1 / 3, 1.0], dtype=torch.float64))
