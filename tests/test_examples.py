"""The programs that a page of the documentation shows."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import one_hot

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.fixture(scope="module")
def perceptron() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / "structured_perceptron.py")))


def phi(x: torch.Tensor, y: int) -> torch.Tensor:
    """The joint feature [classes, features] of an image and an answer."""
    return one_hot(torch.tensor(y), 10)[:, None] * x


def test_with_no_margin_the_loss_of_ls_gan_moves_the_weights_as_the_structured_perceptron_does(perceptron) -> None:
    """w <- w + phi(x, y^) - phi(x, y~) where y~ beats y^, and w where it does not."""
    x, right = perceptron.digits()
    objective, energy, step = perceptron.LEARNERS["structured perceptron"]
    w = torch.randn(10, 65, generator=torch.Generator().manual_seed(0))
    moved = 0
    for place in range(40):
        best = int(perceptron.evaluation(w, x[place]).argmax())
        expected = w if best == right[place] else w + phi(x[place], int(right[place])) - phi(x[place], best)
        w = perceptron.turn(w, (objective, energy, step), x[place, None], right[place, None])
        torch.testing.assert_close(w, expected)
        moved += best != int(right[place])
    assert 10 < moved < 40


def test_with_a_margin_it_moves_them_until_the_right_answer_is_ahead_by_it(perceptron) -> None:
    x, right = perceptron.digits()
    learner = perceptron.LEARNERS["structured SVM, which is LS-GAN"]
    w = torch.zeros(10, 65)
    w[right[0]] = 0.5 * x[0] / x[0].square().sum()  # right, and ahead by 0.5
    assert int(perceptron.evaluation(w, x[0]).argmax()) == right[0]
    moved = perceptron.turn(w, learner, x[:1], right[:1])
    assert not torch.equal(moved, w)
    w[right[0]] *= 4  # ahead by 2
    assert torch.equal(perceptron.turn(w, learner, x[:1], right[:1]), w)


@pytest.mark.parametrize("name", ["structured perceptron", "structured SVM, which is LS-GAN", "EBGAN's loss"])
def test_each_learns_to_name_digits_that_it_has_not_seen(perceptron, name: str) -> None:
    x, right = perceptron.digits()
    *_, w = perceptron.learn(perceptron.LEARNERS[name], x[:600], right[:600], epochs=2)
    assert perceptron.accuracy(w, x[-297:], right[-297:]) > 0.7
