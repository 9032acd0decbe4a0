"""The modified inception score I' of EBGAN (section 4.1), in nats and without the exponential.

    usual     E_x KL(p(y|x) || p(y))    in [0, ln classes]: the order of Salimans et al. (2016)
    swapped   E_x KL(p(y) || p(y|x))    in [0, inf]: the order that the paper's text states

The paper's histograms end at 1.92, below ln 10 = 2.30, in the range of the usual order for good digits; with a
confident classifier the swapped order gives 6 to 12. Both are 0 if all samples are alike, and higher is better.
"""

from __future__ import annotations

from statistics import mean, pstdev

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.errors import DataError


def modified_inception_score(
    probabilities: Float[Tensor, "samples classes"], *, swapped: bool = False, floor: float = 0.0
) -> Float[Tensor, ""]:
    """I' in nats, in float64, of a classifier's p(y|x).

    Probabilities under `floor` are raised to it and each row is then divided by its sum, so that both orders stay
    divergences of true distributions. Without a floor the swapped order is infinite where a class that occurs has
    probability 0 in some row.
    """
    raised = probabilities.double().clamp(min=floor)
    conditional = raised / raised.sum(-1, keepdim=True)
    marginal = conditional.mean(0)
    divergence = _divergence(marginal, conditional) if swapped else _divergence(conditional, marginal)
    return divergence.mean().clamp(min=0)  # it is negative only by rounding


def inception_score(probabilities: Float[Tensor, "samples classes"], *, splits: int = 10) -> tuple[float, float]:
    """The inception score of Salimans et al. (2016): the exponential of I' in its usual order, in [1, classes].

    The mean over equal parts of the samples, in their order, and its standard deviation. Raises DataError for fewer
    samples than parts, and for rows that are not probabilities.
    """
    if splits < 1:
        raise DataError(f"splits={splits}: expected at least 1")
    if probabilities.dim() != 2 or not ((probabilities >= 0).all() and (probabilities.sum(-1) > 0).all()):
        raise DataError(
            f"probabilities {list(probabilities.shape)}: expected [samples, classes], numbers of 0 or more, in "
            "no row all 0, and none NaN: give softmax(logits)"
        )
    if not probabilities.isfinite().all():
        raise DataError("probabilities: some are infinite: give softmax(logits)")
    if len(probabilities) < splits:
        raise DataError(f"{len(probabilities)} samples: an inception score needs at least {splits}, one for each part")
    parts = torch.tensor_split(probabilities, splits)
    scores = [float(modified_inception_score(part).exp()) for part in parts]
    return mean(scores), pstdev(scores)


def _divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) over the last axis, with 0 ln 0 = 0."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)
