"""Thresholds and p-values for anomaly detection, computed from the energies of normal samples.

    threshold    the energy that is exceeded by a share `contamination` of the normal samples
    p-value      (1 + number of normal samples with at least this energy) / (1 + number of normal samples)

This is the p-value of conformal prediction (Vovk, Gammerman & Shafer, 2005). If the normal samples were not trained on
and the new sample comes from the same distribution, its p-value is at most p with probability p or less.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import DataError, UsageError
from ebgan.storage.files import read_file, write_atomically

FILE = "normal_energies.json"  # in a run folder
MOST = 0.5  # highest contamination
_KEYS = {"source", "model", "energies"}


@dataclass(frozen=True, eq=False)
class Normals:
    """The energies of normal samples under one model. Raises DataError if there are none, or any is not finite."""

    energies: NDArray[np.float64]  # [n], in any order
    source: str = ""  # where the samples came from
    held_out: bool = True  # whether the model was trained without them
    model: str = ""  # the fingerprint of the model's weights

    def __post_init__(self) -> None:
        if not self.energies.size or not np.isfinite(self.energies).all():
            raise DataError(f"{self.source or 'normal samples'}: expected one finite energy or more")

    @cached_property
    def ordered(self) -> NDArray[np.float64]:
        """The energies in ascending order."""
        return np.sort(self.energies)

    def threshold(self, contamination: float) -> float:
        """The energy above which a sample counts as anomalous; a share `contamination` of the normal samples is above.

        Raises UsageError for a share outside (0, 0.5], and for one below 1 / n: no normal sample would be above.
        """
        check_contamination(contamination)
        if contamination * len(self.energies) < 1:
            raise UsageError(
                f"contamination {contamination:g} of {len(self.energies):,} normal samples is less than one: give "
                f"{1 / contamination:,.0f} normal samples or more, or a share of {1 / len(self.energies):.2g} or more"
            )
        return float(np.quantile(self.energies, 1 - contamination, method="lower"))

    def p_values(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """The p-values [...] of energies [...], in (0, 1]: low for anomalies."""
        count = len(self.ordered)
        above = count - np.searchsorted(self.ordered, energies, side="left")
        return np.asarray((1 + above) / (1 + count))


def check_contamination(contamination: float) -> None:
    """Raise UsageError unless it is a share above 0 and at most 0.5."""
    if isinstance(contamination, bool | str) or not 0 < contamination <= MOST:
        raise UsageError(f"contamination={contamination!r}: expected a share above 0 and at most {MOST:g}")


def write_normals(folder: Path, normals: Normals) -> None:
    """Write normal energies to a run folder, replacing earlier ones. The samples must not have been trained on."""
    record = {
        "source": normals.source,
        "model": normals.model,
        "energies": normals.energies.tolist(),
    }
    write_atomically(folder / FILE, json.dumps(record).encode())


def read_normals(folder: Path) -> Normals | None:
    """The normal energies in a run folder, or None. Raises DataError for an invalid file."""
    path = folder / FILE
    content = read_file(path)
    if content is None:
        return None
    try:
        record: Any = json.loads(content)
        if set(record) != _KEYS:
            raise ValueError(f"expected {', '.join(sorted(_KEYS))}")
        energies = np.asarray(record["energies"], np.float64)
        return Normals(energies, str(record["source"]), model=str(record["model"]))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path}: not a file of normal energies ({error}): delete it, and run `ebgan score --normals` again"
        ) from error
