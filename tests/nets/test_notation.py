"""The paper's notation: what it says is what is read, and what it cannot say is refused with the mend."""

import pytest

from ebgan.errors import UsageError
from ebgan.nets.notation import Layer, check_sizes, doublings, growth, parse, pyramid, show

PAPER = [
    "(64)4c2s-(128)4c2s-(256)4c2s",
    "(128)4c2s-(64)4c2s-(3)4c2s",
    "(1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c",
    "(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s",
]


@pytest.mark.parametrize("text", PAPER)
def test_the_papers_nets_are_read_and_written_as_they_stand_there(text: str) -> None:
    assert show(parse(text, "nets.generator.layers")) == text


def test_a_layer_is_its_feature_maps_its_kernel_and_its_stride() -> None:
    assert parse("(64)4c2s - (3)3c", "here") == (Layer(64, 4, 2), Layer(3, 3, 1))
    assert growth(parse("(64)4c2s-(3)3c-(8)6c4s", "here")) == 8
    assert parse("(3)4c1s", "here") == parse("(3)4c", "here")


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "''"), ("64", "'64'"), ("(64)4c2s-", "''"), ("(0)4c", "'(0)4c'"), ("(8)4c2s-(8)4k", "'(8)4k'")],
)
def test_what_is_no_layer_is_named_with_what_was_expected(text: str, word: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(text, "nets.generator.layers")
    assert str(raised.value).startswith(
        f"nets.generator.layers: {word} is not a layer; expected layers as (64)4c2s-(128)"
    )


@pytest.mark.parametrize("text", ["(8)4c", "(8)3c2s", "(8)1c2s"])
def test_a_kernel_that_cannot_be_padded_alike_on_both_sides_is_refused_with_one_that_can(text: str) -> None:
    layers = parse(f"(4)4c2s-{text}", "here")
    with pytest.raises(
        UsageError, match=r"choose a kernel larger than the stride by 0, 2, 4\.\.\., such as \(8\)\dc"
    ) as e:
        check_sizes(layers, "here")
    assert f"here: {text} cannot" in str(e.value)


def test_the_rule_by_width_is_dcgans_at_64_and_follows_at_other_sizes() -> None:
    assert show(pyramid((3, 64, 64), 64, "here")) == "(512)4c-(256)4c2s-(128)4c2s-(64)4c2s-(3)4c2s"
    assert show(pyramid((1, 8, 8), 16, "here")) == "(16)4c-(1)4c2s"
    for size in (8, 16, 32, 64, 128, 256):
        assert 4 * growth(pyramid((3, size, size), 8, "here")) == size == 4 << doublings((3, size, size), "here")


@pytest.mark.parametrize("shape", [(3, 48, 48), (3, 4, 4), (1, 28, 28), (3, 64, 32), (3, 6, 6)])
def test_a_size_that_doubling_does_not_meet_is_refused_with_the_mend(shape: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match=f"nets.generator: images are {shape[1]} x {shape[2]}; expected squares"):
        pyramid(shape, 64, "nets.generator")
