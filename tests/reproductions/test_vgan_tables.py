"""The sizes of the VGAN paper's experiments, and their parts of the data."""

from pathlib import Path

import numpy as np
import pytest

from ebgan.data import Packed
from ebgan.errors import DataError, UsageError
from ebgan.recipes import find
from ebgan.reproductions.claims import Request
from ebgan.reproductions.vgan import sizes as vgan_sizes
from ebgan.reproductions.vgan import transitions as vgan_transitions
from ebgan.reproductions.vgan.features import COLUMNS, claims
from ebgan.reproductions.vgan.sizes import SIZES, ScaledRecipe, joined, parts, size_of


@pytest.mark.parametrize("name", ["vgan.cifar10", "gan.cifar10", "vcd.mnist", "vcd.cifar10", "vcd.svhn"])
def test_at_the_papers_size_a_recipe_is_as_it_stands_and_at_others_its_nets_are_narrower(name: str) -> None:
    made = find(name).make()
    paper, small = SIZES["paper"].of(made, 50_000), SIZES["cpu"].of(made, 50_000)
    assert (paper.nets, paper.data, paper.images) == (made.nets, made.data, 5_000_000)
    assert small.nets.generator.width == made.nets.generator.width // 8
    assert small.nets.discriminator.width == made.nets.discriminator.width // 8
    assert small.nets.discriminator.hidden == 1024
    assert (small.images, small.precision, paper.precision) == (500_000, None, None)
    assert "feature maps divided by 8, 10 epochs" in SIZES["cpu"].words()
    assert "divided" not in SIZES["paper"].words()


def test_another_number_of_seeds_can_be_asked_for() -> None:
    assert size_of("paper", None).seeds == 2
    assert size_of("tiny", 3).seeds == 3
    with pytest.raises(UsageError, match="--seeds 0: expected at least 1"):
        size_of("tiny", 0)


def test_the_last_training_images_are_held_out_and_joined_they_are_all(monkeypatch: pytest.MonkeyPatch) -> None:
    images = {"train": 30, "test": 5}

    def opened(source: str, split: str = "train") -> Packed:
        labels = np.arange(images[split], dtype=np.int64)
        rows = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (images[split], 1, 4, 4)).copy()
        return Packed(rows, labels, tuple(map(str, labels)), source)

    monkeypatch.setattr(vgan_sizes, "open_data", opened)
    monkeypatch.setitem(vgan_sizes.HELD_OUT, "mnist", 10)
    given = parts("mnist")
    assert [len(part) for part in given] == [20, 10, 5]
    assert given.validation.labels.tolist() == list(range(20, 30))
    assert np.array_equal(joined(given).images, opened("mnist").images)
    assert joined(given).labels.tolist() == list(range(30))


def test_the_digits_have_three_parts_without_a_common_image() -> None:
    given = parts("digits")
    assert [len(part) for part in given] == [1197, 200, 400]
    assert len(joined(given)) == 1397


def test_sets_that_are_not_there_are_left_out_and_named_unless_none_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def found(source: str) -> vgan_sizes.Parts:
        if source == "svhn":
            raise DataError("svhn is not here")
        return parts("digits")

    monkeypatch.setattr(vgan_transitions, "parts", found)
    said: list[str] = []
    asked = Request("paper", tmp_path, said.append)
    assert list(vgan_transitions.at_hand(asked, SIZES["paper"], ("svhn", "cifar10"))) == ["cifar10"]
    assert said == ["left out: svhn is not here"]
    with pytest.raises(DataError, match="svhn is not here"):
        vgan_transitions.at_hand(asked, SIZES["paper"], ("svhn",))
    assert list(
        vgan_transitions.at_hand(asked, ScaledRecipe(epochs=1, divide=1, seeds=1, digits=True), ("mnist", "svhn"))
    ) == ["mnist"]


def test_the_claims_of_table_1_are_about_the_means_over_seeds() -> None:
    errors = {rival.title: [rival.paper - 1, rival.paper + 1] for rival in COLUMNS} | {"before training": [49.0, 51.0]}
    assert [claim.holds for claim in claims(errors)] == [True, True, None, True]  # 32.5 and 36.5, each +- 1
    errors["GAN, k = 1"] = [30.0, 42.0]
    assert [claim.holds for claim in claims(errors)] == [None, True, None, True]
    assert claims(errors)[0].measured == "36.5 % and 36.0 %"
