"""The settings of the EBGAN paper's images: margins, weights and nets of each set (section 4.3, appendices C, F, G)."""

import pytest

from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.objectives import EBGAN
from ebgan.recipes import find

MARGINS = {
    "faces64": 20.0,
    "bedrooms64": 80.0,
    "bedrooms64_patches": 80.0,
    "imagenet128": 40.0,
    "imagenet256_dogs": 80.0,
}


@pytest.mark.parametrize("family", MARGINS)
def test_the_margin_is_the_papers_and_pulling_away_weighs_a_tenth(family: str) -> None:
    assert find(f"{family}.ebgan_pt").make().objective == EBGAN(margin=MARGINS[family], pulling_away=0.1)


@pytest.mark.parametrize("family", ["faces64", "bedrooms64", "bedrooms64_patches"])
def test_with_and_without_the_term_all_else_is_the_same(family: str) -> None:
    """Pairs that are compared differ in nothing else (appendix F)."""
    plain, pulled = find(f"{family}.ebgan").make(), find(f"{family}.ebgan_pt").make()
    assert plain.objective == EBGAN(margin=MARGINS[family])
    assert all(getattr(plain, name) == getattr(pulled, name) for name in vars(plain) if name != "objective")
    assert (plain.nets.generator, plain.nets.discriminator) == (ConvGenerator(), ConvAutoencoder())


@pytest.mark.parametrize("family", [*MARGINS, "folder"])
def test_pictures_are_those_of_an_average_which_the_papers_do_not_have(family: str) -> None:
    assert find(f"{family}.ebgan_pt").make().ema == 10_000


def test_patches_are_64_wide_cut_out_of_96_and_otherwise_as_whole_bedrooms() -> None:
    whole, pieces = find("bedrooms64.ebgan_pt").make(), find("bedrooms64_patches.ebgan_pt").make()
    assert (pieces.data.size, pieces.data.crop) == (96, 64)
    assert all(getattr(whole, name) == getattr(pieces, name) for name in vars(whole) if name != "data")


def test_your_own_pictures_have_no_margin_until_it_is_calibrated() -> None:
    assert find("folder.ebgan_pt").make().from_data == ("objective.margin",)
    assert find("folder.magan").make().from_data == ("objective.epoch", "pretraining")
    assert find("folder.began").make().from_data == ()
