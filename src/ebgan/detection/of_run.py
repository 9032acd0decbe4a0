"""The threshold of a run: energies of normal images that it was not trained on, kept in its folder.

keep(run, normal_images, "good/")
kept(run).threshold(0.01)                     # the energy that 1 % of them lie above
kept(run).p_values(run.energy(images).numpy())
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ebgan.data.given import Given, Limits
from ebgan.detection.normals import FILE, Normals, read_normals, write_normals
from ebgan.errors import UsageError
from ebgan.runs.fingerprint import fingerprint
from ebgan.runs.run import Run


def keep(run: Run, images: Given, source: str = "", *, limits: Limits = (-1.0, 1.0)) -> Normals:
    """The energies of normal images under a run, which its folder keeps from now on.

    The images should be as those that the run will judge, and none of those that it was trained on.
    """
    energies = run.energy(images, limits=limits).double().numpy()
    return keep_energies(run, np.asarray(energies), source)


def keep_energies(run: Run, energies: np.ndarray, source: str = "") -> Normals:
    """The same of energies that were read already."""
    normals = Normals(energies, source, model=fingerprint(run.discriminator))
    write_normals(run.folder.path, normals)
    return normals


def kept(run: Run) -> Normals:
    """The normal energies in a run's folder. Raises UsageError where it has none, or those of other weights."""
    normals = read_normals(run.folder.path)
    mend = "give normal images that it was not trained on by --normals (in Python, ebgan.detection.of_run.keep)"
    if normals is None:
        raise UsageError(f"{run.folder.path}: keeps no energies of normal images, so there is no threshold: {mend}")
    if normals.model != fingerprint(run.discriminator):
        raise UsageError(
            f"{Path(run.folder.path, FILE)}: was made with other weights (another checkpoint or precision): {mend}"
        )
    return normals
