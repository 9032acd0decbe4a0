"""The figures of samples in the EBGAN paper, and a comparison of all methods on faces.

    5, 6, 11      DCGAN and EBGAN-PT on bedrooms, on faces and on crops of bedrooms
    12, 14, 13    EBGAN and EBGAN-PT on the same
    7, 8          EBGAN-PT on ImageNet at 128x128, and on its dogs at 256x256

Each run trains a recipe in a folder of its name; a second call resumes it. The paper states no numbers for these
pictures; the measurements are ours.
"""

from __future__ import annotations

from dataclasses import replace

from ebgan.experiment import Experiment
from ebgan.experiment.sources import with_source
from ebgan.recipes.index import find
from ebgan.report import gallery
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.pictures.entry import TITLES, PictureEntry, enter, real
from ebgan.reproductions.pictures.sizes import SIZES, ScaledRecipe, side_of
from ebgan.reproductions.verdicts import below

COLUMNS = 3  # of panels


def figure5(asked: Request) -> Findings:
    """Bedrooms at 64x64 by DCGAN and EBGAN-PT."""
    return drawn(asked, "figure5", "bedrooms64.dcgan", "bedrooms64.ebgan_pt")


def figure6(asked: Request) -> Findings:
    """Faces at 64x64 by DCGAN and EBGAN-PT."""
    return drawn(asked, "figure6", "faces64.dcgan", "faces64.ebgan_pt")


def figure7(asked: Request) -> Findings:
    """ImageNet at 128x128 by EBGAN-PT."""
    return drawn(asked, "figure7", "imagenet128.ebgan_pt")


def figure8(asked: Request) -> Findings:
    """ImageNet's dogs at 256x256 by EBGAN-PT."""
    return drawn(asked, "figure8", "imagenet256_dogs.ebgan_pt")


def figure11(asked: Request) -> Findings:
    """Crops of bedrooms, 64x64 out of 96x96, by DCGAN and EBGAN-PT."""
    return drawn(asked, "figure11", "bedrooms64_patches.dcgan", "bedrooms64_patches.ebgan_pt")


def figure12(asked: Request) -> Findings:
    """Bedrooms at 64x64 by EBGAN and EBGAN-PT."""
    return drawn(asked, "figure12", "bedrooms64.ebgan", "bedrooms64.ebgan_pt")


def figure13(asked: Request) -> Findings:
    """Crops of bedrooms, 64x64 out of 96x96, by EBGAN and EBGAN-PT."""
    return drawn(asked, "figure13", "bedrooms64_patches.ebgan", "bedrooms64_patches.ebgan_pt")


def figure14(asked: Request) -> Findings:
    """Faces at 64x64 by EBGAN and EBGAN-PT."""
    return drawn(asked, "figure14", "faces64.ebgan", "faces64.ebgan_pt")


def faces(asked: Request) -> Findings:
    """Faces at 64x64 by DCGAN, EBGAN, EBGAN-PT, BEGAN and MAGAN, with the same number of images seen."""
    return drawn(asked, "faces", *(f"faces64.{rival}" for rival in TITLES))


def drawn(asked: Request, name: str, *recipes: str) -> Findings:
    """Train and measure recipes on one set, and draw their samples beside the data."""
    size = SIZES[asked.scale]
    made = {recipe: experiment_of(recipe, size, asked.data) for recipe in recipes}
    first = made[recipes[0]]
    data = size.open(first)
    entries = [enter(asked, size, recipe, each, data) for recipe, each in made.items()]
    panels = [(data.name, real(data, size.looks[side_of(first)])), *((each.title, each.panel) for each in entries)]
    return Findings(
        [claim for entry in entries for claim in entry.claims()] + comparisons(entries),
        {name: gallery(panels, COLUMNS)},
        {f"{len(data):,} images of {data.name}": table(entries)},
    )


def table(entries: list[PictureEntry]) -> list[list[str]]:
    """A table with a column for each run and a row for each measurement."""
    words = [entry.words() for entry in entries]
    return [["", *(entry.title for entry in entries)], *([name, *(each[name] for each in words)] for name in words[0])]


def experiment_of(recipe: str, size: ScaledRecipe, data: str | None = None) -> Experiment:
    """A recipe at a size, on other data if a path is given; samples use the last weights (no EMA), as in the papers."""
    made = replace(find(recipe).make(), ema=None)
    return size.of(made if data is None else with_source(made, data))


def comparisons(entries: list[PictureEntry]) -> list[Claim]:
    """Claims that compare two runs."""
    by, found = {entry.title: entry for entry in entries}, []
    if {"DCGAN", "EBGAN-PT"} <= by.keys() and all(by[title].distances for title in ("DCGAN", "EBGAN-PT")):
        ours, theirs = by["EBGAN-PT"].kernel[-1], by["DCGAN"].kernel[-1]
        what = "EBGAN-PT's samples are nearer to the data than DCGAN's (KID)"
        found.append(_less(what, ours, theirs))
    if {"EBGAN", "EBGAN-PT"} <= by.keys():
        ours, theirs = (float(by[title].last["code_similarity"]) for title in ("EBGAN-PT", "EBGAN"))
        found.append(_less("Pulling away makes the codes of samples less alike (mean squared cosine)", ours, theirs))
    return found


def _less(claim: str, less: float, more: float) -> Claim:
    return below([less], [more], "run").claim(claim, "the first the smaller", f"{less:.3f} and {more:.3f}")
