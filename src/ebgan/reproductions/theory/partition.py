"""Equations 4 and 5 of the VGAN paper on a table of places, where every sum is exact (Zhai et al., 2016).

    p(x) = e^-E(x) / Z                                                                      (eq. 2)
    J(E) = mean over data of E + log Z                       negative log-likelihood        (eq. 3)
    J(E) >= mean over data of E - mean over q of E + H(q)    for any distribution q         (eq. 4)

The bound is below J by KL(q || p), and so is tight at q = p. The paper prints "q proportional to E(x)", which must be
e^-E(x). The inner loop of equation 5 ascends the bound in q and finds that q. Its optimum, says the paper, is as good
after E -> a E + b; with the entropy in it, that is so of the shift b alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import entr

from ebgan.randomness import Randomness
from ebgan.reproductions.claims import Claim

PLACES = 64
ASCENTS = 200  # of the bound, in q
TURN = 0.1  # of the way that each goes
TIGHT = 1e-6  # nats


class DiscreteEnergy(NamedTuple):
    """An energy on a few places, and the data's distribution over them."""

    energies: Tensor  # [places]
    data: Tensor  # [places]

    @classmethod
    def of(cls, seed: int) -> DiscreteEnergy:
        """A random one, with energies in [0, 3]."""
        randomness = Randomness.of(seed)
        energies = 3 * randomness.uniform("energies", 1, PLACES)[0].double()
        return cls(energies, randomness.normal("data", 1, PLACES)[0].double().softmax(-1))

    @property
    def model(self) -> Tensor:
        """The distribution p [places] of equation 2."""
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
    """Equation 4 at q = p, and how far it is off at others."""
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
    """Ascent of the bound in q: each turn goes a tenth of the way from log q to -E."""
    q = torch.full_like(table.model, 1 / PLACES)
    for _ in range(ASCENTS):
        q = (q.log() - TURN * (q.log() + table.energies)).softmax(-1)
    short = table.loss - table.bound(q)
    claim = f"eq. 5, inner loop: bound below J after {ASCENTS} turns of ascent from q uniform"
    return Claim(claim, "0", f"{short:.1e}", abs(short) < TIGHT)


def affine(table: DiscreteEnergy) -> Claim:
    """What E -> a E + b does to the best value of eq. 5, from the best energy."""
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
