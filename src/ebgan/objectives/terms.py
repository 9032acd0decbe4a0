"""The terms that objectives are made of: each reduces the batch and keeps the model axis."""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn.functional import normalize, softplus
from torch.special import entr

from ebgan.numbers import Number, per_model
from ebgan.records import Reading


def hinge(margin: Number, energy: Float[Tensor, "*models batch"]) -> Float[Tensor, "*models"]:
    """Mean over the batch of [m - E]_+, taken per sample (EBGAN eq. 1): 0 once every energy is above the margin."""
    return (per_model(margin, 1) - energy).relu().mean(-1)


def below(margin: Number, energy: Float[Tensor, "*models batch"]) -> Float[Tensor, "*models"]:
    """Share of the batch with an energy below the margin, where the hinge has a gradient."""
    return (energy < per_model(margin, 1)).float().mean(-1)


def pulling_away(code: Float[Tensor, "*models batch code"]) -> Float[Tensor, "*models"]:
    """Mean squared cosine between the codes of different samples (EBGAN eq. 14): 0 orthogonal, 1 collapsed.

    A batch of one sample gives 0; so do codes of zeros.
    """
    batch = code.shape[-2]
    length = torch.linalg.vector_norm(code, dim=-1, keepdim=True)
    unit: Tensor = code / length.clamp_min(1e-12)
    cosine = unit @ unit.mT
    off_diagonal = cosine.square().sum((-2, -1)) - cosine.diagonal(dim1=-2, dim2=-1).square().sum(-1)
    return off_diagonal / max(batch * (batch - 1), 1)


def code_similarity(fake: Reading) -> dict[str, Tensor]:
    """The metric `code_similarity`, the pulling-away term of the samples' codes; empty if they have no code."""
    return {} if fake.code is None else {"code_similarity": pulling_away(fake.code)}


def summed_cosine(code: Float[Tensor, "*models batch code"]) -> Float[Tensor, "*models"]:
    """Sum of the cosines between the codes of all ordered pairs, as Lee's slides print the pulling-away term.

    Only for comparison. Opposite codes give -1 a pair and so are rewarded, while the paper's square treats them like
    equal ones; and the sum grows with the square of the batch.
    """
    unit = normalize(code, dim=-1)
    cosine = unit @ unit.mT
    return cosine.sum((-2, -1)) - cosine.diagonal(dim1=-2, dim2=-1).sum(-1)


def convergence(
    gamma: Number, real: Float[Tensor, "*models"], fake: Float[Tensor, "*models"]
) -> Float[Tensor, "*models"]:
    """M_global = E(x) + |gamma E(x) - E(G(z))| from mean energies (BEGAN); it equals E(x) at equilibrium."""
    return real + (gamma * real - fake).abs()


def batch_entropy(experts: Float[Tensor, "*models batch experts"]) -> Float[Tensor, "*models"]:
    """Sum over experts of the binary entropy, in nats, of their mean probability in the batch, from logits (VGAN)."""
    entropy: Tensor = entr(experts.sigmoid().mean(-2)) + entr((-experts).sigmoid().mean(-2))
    return entropy.sum(-1)


def expert_similarity(experts: Float[Tensor, "*models batch experts"]) -> Float[Tensor, "*models"]:
    """Mean squared correlation of two experts' probabilities over the batch, from logits: 1 if all are alike."""
    chance = experts.sigmoid()
    return pulling_away((chance - chance.mean(-2, keepdim=True)).mT)


def class_loss(
    logits: Float[Tensor, "*models batch classes"], labels: Integer[Tensor, "*models batch"]
) -> Float[Tensor, "*models"]:
    """Mean over the batch of -log p(y|x), from logits of the classes."""
    chosen: Tensor = logits.log_softmax(-1).gather(-1, labels[..., None])
    return -chosen[..., 0].mean(-1)


def cross_entropy(logits: Float[Tensor, "*models batch"], *, real: bool) -> Float[Tensor, "*models"]:
    """Mean over the batch of -log D (real) or -log(1 - D), from logits and so finite at any logit."""
    return softplus(-logits if real else logits).mean(-1)
