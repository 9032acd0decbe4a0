"""Decide whether scored images are normal or anomalous: `ebgan score --normals IMAGES --contamination SHARE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ebgan.detection.normals import Normals
    from ebgan.runs.run import Run

VERDICTS = ("normal", "anomalous")


@dataclass(frozen=True)
class Judge:
    """A threshold on the energy, and the normal energies from which it was taken."""

    normals: Normals
    contamination: float  # share of the normal energies above the threshold
    threshold: float

    @classmethod
    def of(cls, run: Run, energies: Sequence[float] | None, source: str, contamination: float) -> Judge:
        """The threshold of a run from normal energies, which are stored in its folder; None uses the stored ones.

        Raises UsageError for a contamination out of range, and if none are stored.
        """
        from ebgan.detection.normals import check_contamination
        from ebgan.detection.of_run import keep_energies, kept

        check_contamination(contamination)
        normals = kept(run) if energies is None else keep_energies(run, np.asarray(energies, np.float64), source)
        return cls(normals, contamination, normals.threshold(contamination))

    def verdict(self, energy: float) -> str:
        """`normal`, or `anomalous` above the threshold."""
        return VERDICTS[energy > self.threshold]

    def p_value(self, energy: float) -> float:
        """The p-value of an energy (see `detection.normals`), low for anomalies."""
        return float(self.normals.p_values(np.asarray([energy]))[0])

    def words(self, energies: Sequence[float], expected: Sequence[bool | None]) -> list[str]:
        """Lines that describe the threshold and its results.

        `expected` says of each image whether it is an anomaly, None if unknown.
        """
        found = [energy > self.threshold for energy in energies]
        lines = [
            f"threshold {self.threshold:.6g}: {self.contamination:.3g} of {len(self.normals.energies):,} normal images"
            f"{f' ({self.normals.source})' if self.normals.source else ''} lie above it: expect as many false alarms",
            f"anomalous {sum(found):,} of {len(found):,}",
        ]
        for title, kind in (("false alarms", False), ("found", True)):
            of_kind = [each for each, known in zip(found, expected, strict=True) if known is kind]
            if of_kind:
                share = sum(of_kind) / len(of_kind)
                lines.append(
                    f"{title} {sum(of_kind):,} of {len(of_kind):,} {'anomalies' if kind else 'normal'} ({share:.1%})"
                )
        return lines
