"""Equations 4 and 5 of the VGAN paper on a discrete space, where every sum is exact (Zhai et al., 2016).

    p(x) = e^-E(x) / Z                                                                      (eq. 2)
    J(E) = mean over data of E + log Z                       negative log-likelihood        (eq. 3)
    J(E) >= mean over data of E - mean over q of E + H(q)    for any distribution q         (eq. 4)

The bound is below J by KL(q || p), so it is tight at q = p. The paper prints "q proportional to E(x)", which must be
e^-E(x). The inner loop of equation 5 maximises the bound over q and finds that q. The paper says that its optimum is
invariant under E -> a E + b; with the entropy term, this holds only for the shift b.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import entr

from ebgan.randomness import Randomness
from ebgan.reproductions.claims import Claim

PLACES = 64
ASCENTS = 200  # steps of maximising the bound over q
TURN = 0.1  # step size: the share of the way to the optimum
TIGHT = 1e-6  # nats


class DiscreteEnergy(NamedTuple):
    """An energy on a few points, and the data's distribution over them."""

    energies: Tensor  # [points]
    data: Tensor  # [points]

    @classmethod
    def of(cls, seed: int) -> DiscreteEnergy:
        """A random energy and data distribution, with energies in [0, 3]."""
        randomness = Randomness.of(seed)
        energies = 3 * randomness.uniform("energies", 1, PLACES)[0].double()
        return cls(energies, randomness.normal("data", 1, PLACES)[0].double().softmax(-1))

    @property
    def model(self) -> Tensor:
        """The distribution p [points] of equation 2."""
        return (-self.energies).softmax(-1)

    @property
    def loss(self) -> float:
        """J(E), in nats."""
        return float(self.data @ self.energies + (-self.energies).logsumexp(-1))

    def bound(self, q: Tensor) -> float:
        """The right side of equation 4."""
        return float(self.data @ self.energies - q @ self.energies + entr(q).sum())

    def divergence(self, q: Tensor) -> float:
        """KL(q || p)."""
        return float((torch.xlogy(q, q) - q * (-self.energies).log_softmax(-1)).sum())


def tight(table: DiscreteEnergy) -> list[Claim]:
    """Claims about equation 4: it is tight at q = p, and lower by KL(q || p) at others."""
    place = torch.zeros_like(table.model)
    place[0] = 1
    others = {
        "q uniform": torch.full_like(place, 1 / PLACES),
        "q the data's distribution": table.data,
        "q one place, a collapsed generator": place,
        "q proportional to E, as printed": table.energies / table.energies.sum(),
    }
    error = abs(table.loss - table.bound(table.model))
    return [
        Claim(f"eq. 4 on {PLACES} places, q = p: bound below J", "0", f"{error:.1e}", error < TIGHT),
        *(_short(table, title, q) for title, q in others.items()),
    ]


def inner_loop(table: DiscreteEnergy) -> Claim:
    """Maximise the bound over q: each step moves log q a tenth of the way to -E."""
    q = torch.full_like(table.model, 1 / PLACES)
    for _ in range(ASCENTS):
        q = (q.log() - TURN * (q.log() + table.energies)).softmax(-1)
    short = table.loss - table.bound(q)
    claim = f"eq. 5, inner loop: bound below J after {ASCENTS} turns of ascent from q uniform"
    return Claim(claim, "0", f"{short:.1e}", abs(short) < TIGHT)


def affine(table: DiscreteEnergy) -> Claim:
    """The effect of E -> a E + b on the value of eq. 5 at its optimum."""
    best = -table.data.log()
    values = {
        name: DiscreteEnergy(energies, table.data).loss
        for name, energies in (("0", best), ("b", best + 7), ("a", 2 * best))
    }
    shifted, scaled = abs(values["b"] - values["0"]), values["a"] - values["0"]
    return Claim(
        "eq. 5 at its optimum: loss under E + 7, and under 2 E",
        "both as before",
        f"{shifted:.0e} and {scaled:.3f} above",
        shifted < TIGHT and scaled < TIGHT,
    )


def _short(table: DiscreteEnergy, title: str, q: Tensor) -> Claim:
    off, divergence = table.loss - table.bound(q), table.divergence(q)
    claim = f"eq. 4, {title}: bound below J"
    return Claim(claim, f"KL(q || p) = {divergence:.6f}", f"{off:.6f}", abs(off - divergence) < TIGHT < off)
