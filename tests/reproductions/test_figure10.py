"""Figure 10 of the EBGAN paper: what counts as samples of good quality."""

import pytest

from ebgan.reproductions.labels import figure10


@pytest.mark.parametrize(
    ("shares", "holds"), [((1.0, 1.0), True), ((1.0, 0.9), False), ((0.1,), False), ((1.0,), None)]
)
def test_all_classes_are_to_be_among_the_samples_of_every_seed(shares: tuple[float, ...], holds: bool | None) -> None:
    claim = figure10._varied([{"classes_covered": share} for share in shares])
    assert (claim.measured, claim.holds) == (f"{min(shares):.0%}", holds)
