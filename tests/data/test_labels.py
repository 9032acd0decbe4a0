"""Labels from a CSV file, and balanced draws."""

import pickle
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.data import (
    UNKNOWN,
    LabelledLoader,
    Loader,
    Packed,
    draw_labelled,
    open_packed,
    with_labels,
    write_packed,
)
from ebgan.errors import DataError, UsageError
from ebgan.randomness import Randomness

NAMES = ("a.png", "b.png", "sub/c.png", "d.png")


def files() -> Packed:
    return Packed(np.zeros((4, 1, 2, 2), np.uint8), name="pictures", names=NAMES)


def classed(count: int = 60) -> Packed:
    """Images whose first pixel is their place; classes 0, 1, 2 in turn."""
    images = np.zeros((count, 1, 2, 2), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    return Packed(images, np.arange(count) % 3, ("x", "y", "z"))


def table(folder: Path, *lines: str, header: str = "image,label") -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join((header, *lines)), "utf-8")
    return path


def test_a_file_names_the_classes_of_some_images(tmp_path: Path) -> None:
    labelled = with_labels(files(), table(tmp_path, "sub/c.png,dog", "a.png, cat", "b.png,", ""))
    assert labelled.classes == ("cat", "dog")
    assert labelled.labels is not None
    assert labelled.labels.tolist() == [0, UNKNOWN, 1, UNKNOWN]
    assert labelled.names == NAMES


def test_a_name_may_have_the_folder_of_the_split_or_archive_in_front(tmp_path: Path) -> None:
    labelled = with_labels(files(), table(tmp_path, "train/sub/c.png,dog", "pictures/a.png,cat"))
    assert labelled.labels is not None
    assert labelled.labels.tolist() == [0, UNKNOWN, 1, UNKNOWN]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("a.png,cat", "e.png,dog"), "line 3: e.png: no such picture"),
        (("a.png,cat", "b.png,dog", "a.png,dog"), "line 4: a.png is dog here and cat above"),
        (("a.png,cat", "b.png,cat"), r"names 1 classes \(cat\); expected two or more"),
        (("a.png,cat,1",), "line 2: 3 columns"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        with_labels(files(), table(tmp_path, *lines))


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the first line `image,label`"):
        with_labels(files(), table(tmp_path, "a.png,cat", header="first,second"))
    with pytest.raises(DataError, match="could not be read as CSV"):
        with_labels(files(), tmp_path / "missing.csv")
    with pytest.raises(DataError, match="has no file names: give a folder"):
        with_labels(classed(), table(tmp_path, "a.png,cat"))


def test_each_model_of_a_stack_draws_by_its_own_seed() -> None:
    data = classed()
    together = draw_labelled(data, 6, Randomness.of(torch.tensor([4, 9])))
    assert together.shape == (2, 6)
    for model, seed in enumerate((4, 9)):
        assert torch.equal(together[model], draw_labelled(data, 6, Randomness.of(seed)))
        assert (together[model] % 3).tolist() == [0, 0, 1, 1, 2, 2]


def test_all_that_have_a_label_are_drawn_where_no_count_is_given() -> None:
    data = classed(9)
    assert data.labels is not None
    data.labels[[2, 5]] = UNKNOWN
    assert sorted(draw_labelled(data, None, Randomness.of(0)).tolist()) == [0, 1, 3, 4, 6, 7, 8]


def test_counts_that_cannot_be_drawn_are_refused_with_the_mend() -> None:
    with pytest.raises(UsageError, match=r"labelled\.count=7: expected a multiple of 3"):
        draw_labelled(classed(), 7, Randomness.of(0))
    with pytest.raises(UsageError, match="4 images of each class, and x has 3: choose fewer"):
        draw_labelled(classed(9), 12, Randomness.of(0))
    with pytest.raises(DataError, match="has no labels"):
        draw_labelled(files(), 2, Randomness.of(0))


def loaders(ranks: int = 1, seed: int | list[int] = 5) -> list[LabelledLoader]:
    data, randomness = classed(), Randomness.of(torch.tensor(seed))
    places = draw_labelled(data, 6, randomness)
    made = []
    for rank in range(ranks):
        share = {"randomness": randomness, "rank": rank, "ranks": ranks}
        made.append(LabelledLoader(Loader(data, batch=12, limits=(0.0, 1.0), **share), places, batch=4, **share))
    return made


def served(loader: LabelledLoader, first: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The places and the labels of the labelled images of some batches."""
    batches = loader.batches(first)
    labelled = [next(batches).labelled for _ in range(count)]
    return [((each.images[..., 0, 0, 0] * 255).round().long(), each.labels) for each in labelled]


def test_labelled_batches_come_beside_those_of_all_images_and_hold_the_drawn_ones_alone() -> None:
    drawn = set(draw_labelled(classed(), 6, Randomness.of(5)).tolist())
    places = [place for each, _ in served(loaders()[0], 0, 3) for place in each.tolist()]
    assert sorted(places) == sorted([*drawn, *drawn])  # 12 images of 6: each twice
    for each, labels in served(loaders()[0], 0, 3):
        assert torch.equal(each % 3, labels)
    plain = Loader(classed(), batch=12, limits=(0.0, 1.0), randomness=Randomness.of(5))
    assert torch.equal(next(loaders()[0].batches(0)).images, next(plain.batches(0)).images)


def test_labelled_batches_go_on_where_a_run_was_left() -> None:
    whole, later = served(loaders()[0], 0, 5), served(loaders()[0], 24, 3)
    for (place, _), (again, _) in zip(whole[2:], later, strict=True):
        assert torch.equal(place, again)


def test_ranks_share_a_labelled_batch_and_models_have_their_own() -> None:
    (place, labels), *_ = served(loaders()[0], 0, 1)
    parts = [served(loader, 0, 1)[0] for loader in loaders(ranks=2)]
    assert torch.equal(torch.cat([part[0] for part in parts]), place)
    assert torch.equal(torch.cat([part[1] for part in parts]), labels)
    ((stack, names),) = served(loaders(seed=[5, 8])[0], 0, 1)
    assert torch.equal(stack[0], place)
    assert torch.equal(stack % 3, names)
    with pytest.raises(UsageError, match=r"labelled\.batch=4: cannot be divided among 3 ranks"):
        loaders(ranks=3)


def test_models_of_a_stack_may_differ_in_how_many_labelled_images_they_have() -> None:
    data, seeds, counts = classed(), [5, 8, 5, 7], [6, 3, 12, 6]
    places = [draw_labelled(data, count, Randomness.of(seed)) for seed, count in zip(seeds, counts, strict=True)]
    together = Randomness.of(torch.tensor(seeds))
    stack = LabelledLoader(Loader(data, batch=12, randomness=together), places, batch=4, randomness=together)
    for model, (seed, own) in enumerate(zip(seeds, places, strict=True)):
        randomness = Randomness.of(seed)
        alone = LabelledLoader(Loader(data, batch=12, randomness=randomness), own, batch=4, randomness=randomness)
        for one, other in zip(stack.batches(12), islice(alone.batches(12), 5), strict=False):
            assert torch.equal(one.labelled.images[model], other.labelled.images)
            assert torch.equal(one.labelled.labels[model], other.labelled.labels)
            assert torch.equal(one.images[model], other.images)


def test_a_mapped_set_with_labels_of_its_own_still_travels_by_its_path(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 64, 64), dtype=np.uint8)
    write_packed(tmp_path / "set", Packed(images, name="pictures", names=NAMES))
    labelled = with_labels(open_packed(tmp_path / "set"), table(tmp_path, "sub/c.png,dog", "a.png,cat"))
    content = pickle.dumps(labelled)
    assert len(content) < 1000 < images.size
    there = pickle.loads(content)
    assert isinstance(there.images, np.memmap)
    assert (there.classes, there.labels.tolist()) == (("cat", "dog"), [0, UNKNOWN, 1, UNKNOWN])
