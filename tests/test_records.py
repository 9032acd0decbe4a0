"""The records that pass between floors."""

import torch

from ebgan.records import Batch, Losses, Reading, Sample


def test_losses_are_the_sum_of_their_terms_which_keep_their_names() -> None:
    losses = Losses.of(real=torch.tensor([1.0, 2.0]), hinge=torch.tensor([3.0, 4.0]), other=torch.tensor([0.5, 0.0]))
    assert losses.total.tolist() == [4.5, 6.0]
    assert list(losses.terms) == ["real", "hinge", "other"]
    assert losses.terms["hinge"].tolist() == [3.0, 4.0]


def test_losses_of_one_term_are_that_term() -> None:
    term = torch.tensor(2.0, requires_grad=True)
    losses = Losses.of(fake=term)
    assert losses.total is term
    assert torch.autograd.grad(losses.total, term)[0] == 1


def test_what_a_record_may_leave_out_is_none() -> None:
    images = torch.zeros(2, 1, 2, 2)
    assert Batch(images)[1:] == (None, None)
    assert Sample(images)[1:] == (None,) * 5
    assert Reading(images, torch.zeros(2))[2:] == (None, None)
