"""EBGAN, section 2.3.1: the energy of what is not data, of an auto-encoder alone and inside EBGAN."""

import pytest
import torch

from ebgan.data import open_data, scaled
from ebgan.reproductions.theory.manifold import (
    HELD_OUT,
    NEARLY,
    Judged,
    claims_of_digits,
    claims_of_moons,
    held_out,
    not_digits,
    on_digits,
    on_moons,
    shown,
)

ALONE, INSIDE = (1, 0), (1, 1)


def test_the_images_that_are_no_digits_are_made_of_digits_that_no_training_saw() -> None:
    digits = held_out()
    everything = scaled(torch.tensor(open_data("digits").images), (-1.0, 1.0))
    assert torch.equal(digits, everything[1500:])
    kinds = not_digits(digits)
    assert {tuple(images.shape) for images in kinds.values()} == {(HELD_OUT, 1, 8, 8)}
    sorted_pixels = (images.flatten(1).sort(-1).values for images in (digits, kinds["shuffled pixels"]))
    assert torch.equal(*sorted_pixels)
    assert torch.equal(kinds["halves of two"][5, :, :4], digits[5, :, :4])
    assert torch.equal(kinds["halves of two"][5, :, 4:], digits[4, :, 4:])
    assert kinds["noise"].abs().max() <= 1
    assert kinds["noise"].std() == pytest.approx(3**-0.5, abs=0.01)
    assert all((images != digits).flatten(1).any(-1).all() for kind, images in kinds.items() if kind != "digits")


def test_ranks_are_compared_with_those_of_held_out_digits() -> None:
    energies = {"digits": torch.arange(HELD_OUT).float(), "noise": torch.arange(HELD_OUT) + 0.5}
    judged = Judged(energies, {})
    assert judged.auroc("noise") == pytest.approx(0.5 + 0.5 / HELD_OUT)
    energies["blends of two"] = torch.full((HELD_OUT,), -1.0)
    assert judged.auroc("blends of two") == 0


def test_on_two_moons_an_auto_encoder_alone_is_nearer_to_the_identity_than_inside_ebgan() -> None:
    alone, inside = on_moons(200, ALONE), on_moons(200, INSIDE)
    assert alone.ratio < 0.5 * inside.ratio
    assert alone.on < inside.on
    assert 0.05 < alone.occupied == inside.occupied < 0.15
    assert (len(alone.map.samples), len(inside.map.samples)) == (0, 2_000)
    (_, one, less) = claims_of_moons({"alone": [alone], "inside EBGAN": [inside]})
    assert (one.holds, less.holds) == (None, None)
    assert one.evidence.startswith("n = 1 seed, ")
    three = {"alone": [alone] * 3, "inside EBGAN": [inside] * 3}
    assert [claim.holds for claim in claims_of_moons(three)] == [
        alone.ratio < NEARLY,
        inside.ratio > NEARLY,
        inside.low < alone.low,
    ]


def test_on_digits_a_game_leaves_noise_and_shuffled_pixels_above_digits() -> None:
    kinds = not_digits(held_out())
    judged = {"alone": on_digits(100, ALONE, kinds), "inside EBGAN": on_digits(100, INSIDE, kinds)}
    for kind in ("noise", "shuffled pixels", "inverted"):
        assert judged["inside EBGAN"].auroc(kind) > 0.9
    titles = [title for title, _ in shown(kinds, judged)]
    assert titles[3:6] == ["noise", "reconstructed alone", "reconstructed inside EBGAN"]
    assert len(titles) == 6 * 3
    assert len(claims_of_digits(judged)) == 6


def test_two_auroc_over_the_same_images_are_apart_only_beyond_their_error() -> None:
    digits = torch.arange(HELD_OUT).float()

    def judged(shift: float) -> Judged:
        energies = dict.fromkeys(not_digits(held_out()), digits + shift) | {"digits": digits}
        return Judged(energies, {})

    for shift, holds in ((50.0, True), (0.0, None), (-50.0, False)):
        _, *ranked = claims_of_digits({"alone": judged(0.0), "inside EBGAN": judged(shift)})
        assert {claim.holds for claim in ranked} == {holds}
        assert all("297 and 297 images" in claim.evidence for claim in ranked)
