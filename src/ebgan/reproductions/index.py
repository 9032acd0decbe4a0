"""The index of `ebgan reproduce`: name -> a function from a request to claims, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ebgan.errors import UsageError
from ebgan.recipes.index import Scale
from ebgan.reproductions import comparison
from ebgan.reproductions.anomalies import study as anomalies
from ebgan.reproductions.claims import Findings, Request
from ebgan.reproductions.grid import best as grid_best
from ebgan.reproductions.grid import figures as grid_figures
from ebgan.reproductions.grid import margins, table1
from ebgan.reproductions.labels import ablations, figure10, table2
from ebgan.reproductions.pictures import figures as pictures
from ebgan.reproductions.theory import claims as theory
from ebgan.reproductions.theory import gradients, manifold, variational
from ebgan.reproductions.vgan import features as vgan_features
from ebgan.reproductions.vgan import transitions as vgan_transitions

ALL: tuple[Scale, ...] = ("tiny", "cpu", "paper")
TRIED: tuple[Scale, ...] = ("tiny", "cpu")  # the scales if the paper states no sizes


@dataclass(frozen=True)
class Reproduction:
    """A function that reproduces a part of a paper."""

    source: str  # paper, and section, figure or table
    measure: Callable[[Request], Findings]
    scales: tuple[Scale, ...] = TRIED  # available scales
    takes_data: bool = False  # whether `--data` may give other pictures

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.measure.__doc__ or "").strip().splitlines()[0]


REPRODUCTIONS = {
    "theory": Reproduction("EBGAN, section 2.2", theory.reproduce),
    "gradients": Reproduction("EBGAN, section 2.3", gradients.reproduce),
    "manifold": Reproduction("EBGAN, section 2.3.1", manifold.reproduce),
    "variational": Reproduction("VGAN, eq. 4 and 5", variational.reproduce),
    "objectives": Reproduction("all papers; PacGAN's protocol on points", comparison.reproduce),
    "anomalies": Reproduction("ADBench's tables", anomalies.reproduce, ALL, takes_data=True),
    "table1": Reproduction("EBGAN, table 1", table1.reproduce, ALL),
    "figure2": Reproduction("EBGAN, figure 2", grid_figures.figure2, ALL),
    "figure3": Reproduction("EBGAN, figure 3", grid_figures.figure3, ALL),
    "figure4": Reproduction("EBGAN, figure 4", grid_best.figure4, ALL),
    "figure5": Reproduction("EBGAN, figure 5", pictures.figure5, ALL, takes_data=True),
    "figure6": Reproduction("EBGAN, figure 6", pictures.figure6, ALL, takes_data=True),
    "figure7": Reproduction("EBGAN, figure 7", pictures.figure7, ALL, takes_data=True),
    "figure8": Reproduction("EBGAN, figure 8", pictures.figure8, ALL, takes_data=True),
    "figure9": Reproduction("EBGAN, figure 9", margins.figure9, ALL),
    "figure10": Reproduction("EBGAN, figure 10", figure10.reproduce, ALL),
    "figure11": Reproduction("EBGAN, figure 11", pictures.figure11, ALL, takes_data=True),
    "figure12": Reproduction("EBGAN, figure 12", pictures.figure12, ALL, takes_data=True),
    "figure13": Reproduction("EBGAN, figure 13", pictures.figure13, ALL, takes_data=True),
    "figure14": Reproduction("EBGAN, figure 14", pictures.figure14, ALL, takes_data=True),
    "table2": Reproduction("EBGAN, table 2", table2.reproduce, ALL),
    "ladder_ablations": Reproduction("EBGAN, section 4.2 and appendix D", ablations.reproduce, ALL),
    "faces": Reproduction("EBGAN, figures 6 and 14; BEGAN; MAGAN", pictures.faces, ALL, takes_data=True),
    "table1_vgan": Reproduction("VGAN, table 1", vgan_features.table1, ALL),
    "table2_vgan": Reproduction("VGAN, table 2", vgan_transitions.table2, ALL),
    "figure2_vgan": Reproduction("VGAN, figure 2", vgan_features.figure2, ALL),
    "figure3_vgan": Reproduction("VGAN, figure 3", vgan_transitions.figure3, ALL),
    "figure4_vgan": Reproduction("VGAN, figure 4", vgan_transitions.figure4, ALL),
    "figure5_vgan": Reproduction("VGAN, figure 5", vgan_transitions.figure5, ALL),
}


def find(name: str, scale: Scale) -> Reproduction:
    """The reproduction of a name in the catalogue. Raises UsageError, with its scales, if `scale` is not one."""
    found = REPRODUCTIONS[name]
    if scale not in found.scales:
        raise UsageError(f"--scale {scale}: {name} has only the scales {', '.join(found.scales)}")
    return found
