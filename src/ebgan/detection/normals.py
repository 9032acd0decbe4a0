"""A threshold that belongs to a detector: energies of normal samples, and what they say of another's energy.

    threshold    the energy that a share of `contamination` of the normal samples lies above
    p-value      (1 + normal samples of at least this energy) / (1 + normal samples)

The p-value is that of conformal prediction (Vovk, Gammerman & Shafer, 2005): of a new normal sample it is at most p
with chance p, if the normal samples were kept out of the training and are drawn as the new one is.
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
MOST = 0.5  # of the normal samples that may be said to be anomalous
_KEYS = {"source", "model", "energies", "peaks"}


@dataclass(frozen=True, eq=False)
class Normals:
    """The energies of normal samples under one model."""

    energies: NDArray[np.float64]  # [n], in any order
    source: str = ""  # where the samples came from
    held_out: bool = True  # whether the model was trained without them
    model: str = ""  # the fingerprint of the weights that read them
    peaks: NDArray[np.float64] | None = None  # [n] the highest error of any pixel (`maps.peaks`), if it is known

    def __post_init__(self) -> None:
        if not self.energies.size or not np.isfinite(self.energies).all():
            raise DataError(f"{self.source or 'normal samples'}: expected one finite energy or more")

    @cached_property
    def ordered(self) -> NDArray[np.float64]:
        """The energies from the lowest to the highest."""
        return np.sort(self.energies)

    def threshold(self, contamination: float) -> float:
        """The energy above which a sample is anomalous: a share of `contamination` of the normal ones is.

        Raises UsageError for a share that is not above 0 and at most 0.5, and for one so small that no normal sample
        would be above: the threshold would then be the highest energy, whatever the share.
        """
        check_contamination(contamination)
        if contamination * len(self.energies) < 1:
            raise UsageError(
                f"contamination {contamination:g} of {len(self.energies):,} normal samples is less than one: give "
                f"{1 / contamination:,.0f} normal samples or more, or a share of {1 / len(self.energies):.2g} or more"
            )
        return float(np.quantile(self.energies, 1 - contamination, method="lower"))

    def pixel_threshold(self, contamination: float) -> float | None:
        """The error above which a pixel is marked: a share of `contamination` of normal images has such pixels."""
        return None if self.peaks is None else float(np.quantile(self.peaks, 1 - contamination, method="lower"))

    def p_values(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ranks among the normal energies, in (0, 1]: low for anomalies."""
        count = len(self.ordered)
        above = count - np.searchsorted(self.ordered, energies, side="left")
        return np.asarray((1 + above) / (1 + count))


def check_contamination(contamination: float) -> None:
    """Raise UsageError unless it is a share above 0 and at most 0.5."""
    if isinstance(contamination, bool | str) or not 0 < contamination <= MOST:
        raise UsageError(f"contamination={contamination!r}: expected a share above 0 and at most {MOST:g}")


def write_normals(folder: Path, normals: Normals) -> None:
    """Keep the energies of normal samples that were not trained on in a run folder, in the place of earlier ones."""
    record = {
        "source": normals.source,
        "model": normals.model,
        "energies": normals.energies.tolist(),
        "peaks": None if normals.peaks is None else normals.peaks.tolist(),
    }
    write_atomically(folder / FILE, json.dumps(record).encode())


def read_normals(folder: Path) -> Normals | None:
    """The normal energies that a run folder keeps, or None. Raises DataError for a file that does not hold them."""
    path = folder / FILE
    content = read_file(path)
    if content is None:
        return None
    try:
        record: Any = json.loads(content)
        if set(record) != _KEYS:
            raise ValueError(f"expected {', '.join(sorted(_KEYS))}")
        energies = np.asarray(record["energies"], np.float64)
        peaks = None if record["peaks"] is None else np.asarray(record["peaks"], np.float64)
        return Normals(energies, str(record["source"]), model=str(record["model"]), peaks=peaks)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: holds no normal energies ({error}): delete it, and score --normals again") from error
