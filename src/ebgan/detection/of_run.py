"""The threshold of a run, from the energies of normal images that it was not trained on, stored in its folder.

keep(run, normal_images, "good/")
kept(run).threshold(0.01)                     # the energy exceeded by 1 % of them
kept(run).p_values(run.energy(images).numpy())
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ebgan.data.given import Given, Limits
from ebgan.detection.normals import FILE, Normals, read_normals, write_normals
from ebgan.errors import UsageError
from ebgan.runs.run import Run


def keep(run: Run, images: Given, source: str = "", *, limits: Limits = (-1.0, 1.0)) -> Normals:
    """Compute the energies of normal images under a run, and store them in its folder.

    The images should come from the same distribution as the normal images to be scored, and must not have been trained
    on. `source` is a description of them; see `ImageReader` for `images` and `limits`.
    """
    energies = run.energy(images, limits=limits).double().numpy()
    return keep_energies(run, np.asarray(energies), source)


def keep_energies(run: Run, energies: np.ndarray, source: str = "") -> Normals:
    """Store energies [n] that were already computed."""
    normals = Normals(energies, source, model=fingerprint(run))
    write_normals(run.folder.path, normals)
    return normals


def kept(run: Run) -> Normals:
    """The normal energies in a run's folder. Raises UsageError if there are none, or those of other weights."""
    normals = read_normals(run.folder.path)
    mend = "give normal images that it was not trained on by --normals (in Python, ebgan.detection.of_run.keep)"
    if normals is None:
        raise UsageError(f"{run.folder.path}: has no energies of normal images, so there is no threshold: {mend}")
    if normals.model != fingerprint(run):
        raise UsageError(
            f"{Path(run.folder.path, FILE)}: was made with other weights (another checkpoint or precision): {mend}"
        )
    return normals


def fingerprint(run: Run) -> str:
    """A digest, 16 hexadecimal digits, of the discriminator's weights and their precision."""
    digest = hashlib.sha256()
    for name, value in sorted(run.discriminator.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.detach().cpu().double().numpy().tobytes())
    return digest.hexdigest()[:16]
