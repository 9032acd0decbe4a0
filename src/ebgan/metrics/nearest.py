"""Nearest neighbours in a set that may be too large for memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from ebgan.errors import DataError


class Nearest(NamedTuple):
    """The nearest row in the set for each of some rows."""

    distance: Tensor  # [rows] float64, the L2 norm of the difference
    place: Tensor  # [rows] int64, index in the set


def nearest(
    rows: Float[Tensor, "rows width"],
    pieces: Iterable[Float[Tensor, "_ width"]],
    own: Integer[Tensor, " rows"] | None = None,
) -> Nearest:
    """The nearest neighbour of each row in a set given in pieces.

    `own` is the index in the set that a row comes from, which does not count as its neighbour; -1 if it is not from the
    set. Raises DataError for rows that are not finite.
    """
    if not rows.isfinite().all():
        raise DataError("nearest neighbours: some samples are NaN or infinite; the run may have diverged")
    distance = rows.new_full((len(rows),), torch.inf, dtype=torch.float64)
    best, first = Nearest(distance, torch.full_like(distance, -1, dtype=torch.int64)), 0
    for piece in pieces:
        distances = torch.cdist(rows.double(), piece.double())
        if own is not None:
            here = ((own >= first) & (own < first + len(piece))).nonzero()[:, 0]
            distances[here, own[here] - first] = torch.inf
        distance, place = distances.min(-1)
        closer = distance < best.distance
        best = Nearest(torch.where(closer, distance, best.distance), torch.where(closer, place + first, best.place))
        first += len(piece)
    return best
