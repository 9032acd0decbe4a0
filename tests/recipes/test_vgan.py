"""The paper's settings and those of the authors' code, where they differ."""

import pytest

from ebgan.objectives import VCD
from ebgan.recipes import find
from ebgan.recipes.vgan import SETS


@pytest.mark.parametrize("source", SETS)
def test_the_papers_values_are_the_default_and_the_authors_code_is_a_preset(source: str) -> None:
    paper, code = find(f"vcd.{source}").make(), find(f"vcd.{source}.authors_code").make()
    assert (paper.nets.discriminator.experts, code.nets.discriminator.experts) == (100, 128)
    assert paper.objective == VCD(rho=0.01, reconstruction="squared", entropy=False)
    assert code.objective == VCD(rho=0.01, reconstruction="cross_entropy", entropy=True)
    assert paper.nets.generator == code.nets.generator
    assert (paper.data, paper.optimisers, paper.batch) == (code.data, code.optimisers, code.batch)


def test_the_gan_has_vgans_nets_and_protocol_but_for_the_logit() -> None:
    vgan, gan = find("vgan.cifar10").make(), find("gan.cifar10").make()
    assert vgan.nets.generator == gan.nets.generator
    assert vgan.nets.discriminator.width == gan.nets.discriminator.width
    assert vgan.nets.discriminator.hidden == gan.nets.discriminator.hidden == 1024
    same = ("data", "sampler", "optimisers", "turns", "images", "batch", "precision")
    assert all(getattr(vgan, name) == getattr(gan, name) for name in same)


def test_images_are_in_the_range_of_the_authors_sigmoid() -> None:
    """In [-1, 1] samples of vgan.cifar10 come to be of two colours, which all experts tell apart alike."""
    names = ("vgan.cifar10", "gan.cifar10", *(f"vcd.{source}" for source in SETS))
    assert {find(name).make().data.limits for name in names} == {(0.0, 1.0)}
