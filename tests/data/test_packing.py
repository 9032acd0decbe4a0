import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Choice, Framing, Packed, from_array, open_data, pack, packing, write_packed
from ebgan.errors import DataError, RunLockedError, StorageError, UsageError
from ebgan.experiment import Data

RANDOM = np.random.default_rng(8)


def picture(path: Path, shape: tuple[int, ...] = (12, 10, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8)).save(path, format="PNG")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Thirty pictures of two classes, and one that is none."""
    for number in range(30):
        picture(tmp_path / "photos" / ("cat" if number % 3 else "dog") / f"{number:02d}.png")
    (tmp_path / "photos" / "cat" / "05b.png").write_text("not a picture")
    return tmp_path / "photos"


def packed_bytes(dest: Path) -> bytes:
    return (dest / "images.packed").read_bytes()


def test_a_pack_is_the_set_that_the_pictures_are_in_memory(photos: Path, tmp_path: Path) -> None:
    outcome = pack(photos, tmp_path / "p", Framing(size=8), workers=1)
    packed, expected = open_data(tmp_path / "p"), open_data(photos, size=8)
    assert isinstance(packed.images, np.memmap)
    assert (packed.checksum, packed.names, packed.name) == (expected.checksum, expected.names, "photos")
    assert outcome.classes == {"cat": 20, "dog": 10}
    assert outcome.refused == [("cat/05b.png", "cannot identify image file")]
    assert (tmp_path / "p" / "rejected.csv").read_text().splitlines()[1] == "cat/05b.png,cannot identify image file"
    assert not (tmp_path / "p" / "images.part").exists()


def test_neither_the_number_of_processes_nor_the_stretches_change_what_comes_out(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(photos, tmp_path / "one", Framing(size=8), workers=1)
    for stretch, workers in ((3, 3), (1, 2)):
        monkeypatch.setattr(packing, "_STRETCH", stretch)
        dest = tmp_path / f"{stretch} {workers}"
        pack(photos, dest, Framing(size=8), workers=workers)
        assert packed_bytes(dest) == packed_bytes(tmp_path / "one")


def test_the_same_call_again_changes_nothing_and_another_one_is_refused(photos: Path, tmp_path: Path) -> None:
    dest = tmp_path / "p"
    first = pack(photos, dest, Framing(size=8), workers=1)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in dest.iterdir()}
    assert pack(photos, dest, Framing(size=8), workers=2) == first
    for path, (_, content) in before.items():
        assert path.read_bytes() == content
    assert (dest / "images.packed").stat().st_mtime_ns == before[dest / "images.packed"][0]
    with pytest.raises(UsageError, match=r"holds a pack of other pictures or options: size 8 -> 4; channels 3 -> 1\."):
        pack(photos, dest, Framing(size=4, channels=1))
    picture(photos / "cat" / "new.png")
    with pytest.raises(UsageError, match="other pictures or options: the files have changed since"):
        pack(photos, dest, Framing(size=8))


def test_a_picture_that_was_replaced_is_noticed(photos: Path, tmp_path: Path) -> None:
    pack(photos, tmp_path / "p", Framing(size=8), workers=1)
    first = min(photos.rglob("*.png"))
    os.utime(first, ns=(0, 0))
    with pytest.raises(UsageError, match="the files have changed since"):
        pack(photos, tmp_path / "p", Framing(size=8), workers=1)


def test_labels_that_are_not_known_are_counted_in_no_class(tmp_path: Path) -> None:
    labels = np.array([-1, 0, 1, 1])
    np.savez(tmp_path / "some.npz", images=RANDOM.integers(0, 256, (4, 8, 8), dtype=np.uint8), labels=labels)
    assert pack(tmp_path / "some.npz", tmp_path / "p", Framing(size=8), workers=1).classes == {"0": 1, "1": 2}


def test_a_crop_is_cut_from_the_centre_before_the_picture_is_resized(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    (tmp_path / "set").mkdir()
    Image.fromarray(pixels).save(tmp_path / "set" / "a.png")
    picture(tmp_path / "set" / "small.png", (7, 40, 3))
    outcome = pack(tmp_path / "set", tmp_path / "p", Framing(size=8, crop=8), workers=1)
    np.testing.assert_array_equal(open_data(tmp_path / "p").images[0], pixels[6:14, 11:19].transpose(2, 0, 1))
    assert outcome.refused == [("small.png", "40 x 7 pixels are fewer than the crop of 8")]


def test_grey_pictures_are_packed_in_colour_unless_one_channel_is_asked_for(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.png", (8, 8))
    for channels in (1, 3):
        assert pack(tmp_path / "set", tmp_path / f"{channels}", Framing(size=8, channels=channels), workers=1).grey
    grey, colour = (open_data(tmp_path / f"{channels}").images for channels in (1, 3))
    assert (grey.shape, colour.shape) == ((1, 1, 8, 8), (1, 3, 8, 8))
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, 1))


def test_a_folder_in_use_or_within_the_pictures_is_refused_and_left_as_it_is(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"taken: holds other files \(thesis\.txt\)"):
        pack(photos, tmp_path / "taken", Framing(size=8))
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match=r"thesis\.txt: a file is there"):
        pack(photos, tmp_path / "taken" / "thesis.txt", Framing(size=8))
    with pytest.raises(UsageError, match="lies within the folder of the pictures"):
        pack(photos, photos / "packed", Framing(size=8))
    assert not (photos / "packed").exists()


def test_where_nothing_can_be_decoded_that_is_an_error_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="no picture was found"):
        pack(tmp_path / "set", tmp_path / "p", Framing(size=8))
    assert not (tmp_path / "p").exists()
    (tmp_path / "set" / "x.png").touch()
    with pytest.raises(DataError, match=r"none of 1 files could be decoded: x\.png: cannot .*rejected\.csv"):
        pack(tmp_path / "set", tmp_path / "p", Framing(size=8), workers=1)
    with (tmp_path / "p" / "rejected.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["file", "reason"], ["x.png", "cannot identify image file"]]


def test_a_pack_that_was_not_finished_is_not_taken_for_a_set(photos: Path, tmp_path: Path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(photos, tmp_path / "p", Framing(size=8), workers=1, progress=stop)
    with pytest.raises(DataError, match="packing was not finished: repeat the same `ebgan pack` command"):
        open_data(tmp_path / "p", size=8)


def test_two_processes_do_not_pack_into_one_folder(photos: Path, tmp_path: Path) -> None:
    def another(*_: object) -> None:
        with pytest.raises(RunLockedError, match="another process packs here"):
            pack(photos, tmp_path / "p", Framing(size=8))

    pack(photos, tmp_path / "p", Framing(size=8), workers=1, progress=another)


def test_too_little_space_is_told_before_the_work(photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000))
    with pytest.raises(StorageError, match="5,952 bytes needed, 5,000 bytes free"):
        pack(photos, tmp_path / "p", Framing(size=8))


def test_memory_does_not_grow_with_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_STRETCH", 16)
    picture(tmp_path / "a.png", (4, 4, 3))
    content = (tmp_path / "a.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(1200):
            archive.writestr(f"{number:06d}.png", content)
    pixels = 1200 * 3 * 128 * 128  # 59 MB
    tracemalloc.start()
    try:
        assert pack(tmp_path / "many.zip", tmp_path / "p", Framing(size=128), workers=1).images == 1200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "p" / "images.packed").stat().st_size > pixels
    assert peak < pixels / 5


@pytest.mark.parametrize("labels", [None, np.array([1, 0, 1])])
def test_arrays_are_resized_and_keep_their_labels(tmp_path: Path, labels) -> None:
    pixels = RANDOM.integers(0, 256, (3, 16, 12), dtype=np.uint8)
    write_packed(tmp_path / "a", from_array(pixels, labels, () if labels is None else ("no", "yes")))
    outcome = pack(tmp_path / "a", tmp_path / "p", Framing(size=12))
    packed = open_data(tmp_path / "p")
    np.testing.assert_array_equal(packed.images, np.repeat(pixels[:, None, 2:14], 3, 1))
    assert (packed.labels is None) == (labels is None)
    assert outcome.classes == ({} if labels is None else {"no": 1, "yes": 2})
    pack(tmp_path / "a", tmp_path / "small", Framing(size=6, crop=10, channels=1))
    half = Image.fromarray(pixels[0, 3:13, 1:11]).resize((6, 6), Image.Resampling.LANCZOS)
    assert np.abs(open_data(tmp_path / "small").images[0, 0].astype(int) - np.asarray(half)).max() <= 1
    with pytest.raises(DataError, match="images are 16 x 12, smaller than the crop of 13"):
        pack(tmp_path / "a", tmp_path / "large", Framing(size=6, crop=13))


def test_named_sets_are_packed_too(tmp_path: Path) -> None:
    assert pack("digits", tmp_path / "p", Framing(size=16, channels=1)).images == 1797
    assert open_data(tmp_path / "p").shape == (1, 16, 16)


def test_an_experiment_opens_a_pack_by_its_folder(photos: Path, tmp_path: Path) -> None:
    pack(photos, tmp_path / "p", Framing(size=8), workers=1)
    data = Data(source=str(tmp_path / "p")).open()
    assert isinstance(data, Packed)
    assert data.path == tmp_path / "p" / "images.packed"
    with pytest.raises(DataError, match="has no test split"):
        open_data(tmp_path / "p", split="test")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, "size=0: expected at least 1"),
        ({"size": 8, "crop": -1}, "crop=-1: expected at least 1"),
        ({"size": 8, "channels": 2}, "channels=2: expected 1"),
    ],
)
def test_framings_that_make_no_sense_are_refused_by_name(fields, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Framing(**fields)


def test_no_process_at_all_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="workers=0: expected at least 1"):
        pack(photos, tmp_path / "p", Framing(size=8), choice=Choice(), workers=0)


def test_an_archive_that_was_replaced_is_noticed(photos: Path, tmp_path: Path) -> None:
    def archived(shade: int) -> Path:
        path = tmp_path / "new.tar"
        with tarfile.open(path, "w") as archive:
            for place in range(3):
                file = io.BytesIO()
                Image.new("L", (8, 8), shade).save(file, format="BMP")
                info = tarfile.TarInfo(f"{place}.bmp")
                info.size = len(file.getvalue())
                file.seek(0)
                archive.addfile(info, file)
        return path.replace(tmp_path / "set.tar")

    pack(archived(10), tmp_path / "p", Framing(size=8), workers=1)
    with pytest.raises(UsageError, match="have changed since"):
        pack(archived(200), tmp_path / "p", Framing(size=8), workers=1)


def test_an_archive_that_was_copied_with_its_time_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        picture(tmp_path / "a.png")
        archive.write(tmp_path / "a.png", "a.png")
    pack(path, tmp_path / "p", Framing(size=8), workers=1)
    shutil.copy2(path, tmp_path / "copy.zip").replace(path)
    assert pack(path, tmp_path / "p", Framing(size=8), workers=1).images == 1


UNGUARDED = """
import sys
from pathlib import Path
from ebgan.data import Framing, pack
print(pack(sys.argv[1], Path(sys.argv[2]), Framing(size=8), workers=int(sys.argv[3])).images)
"""
GUARDED = UNGUARDED.replace("print", 'if __name__ == "__main__": print')


def by_script(script: str, photos: Path, dest: Path, workers: int, given: str) -> subprocess.CompletedProcess[str]:
    path = dest.with_suffix(".py")
    path.write_text(script)
    source = {"file": [str(path)], "input": ["-"], "word": ["-c", script]}[given]
    command = [sys.executable, *source, str(photos), str(dest), str(workers)]
    return subprocess.run(command, input=script, text=True, capture_output=True, check=False, timeout=100)


@pytest.mark.parametrize(
    ("script", "workers", "given", "said"),
    [
        (UNGUARDED, 2, "file", r'could begin: .* put the call below `if __name__ == "__main__":`, or give workers=1'),
        (UNGUARDED, 2, "input", "<stdin> is not a file: save the script as a file, or give workers=1"),
        pytest.param(UNGUARDED, 1, "input", "", marks=pytest.mark.slow),
        pytest.param(UNGUARDED, 1, "file", "", marks=pytest.mark.slow),
        pytest.param(UNGUARDED, 1, "word", "", marks=pytest.mark.slow),
        pytest.param(UNGUARDED, 2, "word", "", marks=pytest.mark.slow),
        pytest.param(GUARDED, 1, "file", "", marks=pytest.mark.slow),
        pytest.param(GUARDED, 2, "file", "", marks=pytest.mark.slow),
        pytest.param(GUARDED, 1, "input", "", marks=pytest.mark.slow),
        pytest.param(GUARDED, 2, "input", "<stdin> is no file", marks=pytest.mark.slow),
    ],
)
def test_a_script_packs_or_is_told_what_it_lacks(
    photos: Path, tmp_path: Path, script: str, workers: int, given: str, said: str
) -> None:
    ended = by_script(script, photos, tmp_path / "p", workers, given)
    if said:
        assert re.search(said, ended.stderr.splitlines()[-1])
        ended = by_script(script, photos, tmp_path / "p", 1, given)  # the folder is left as it should be
    assert (ended.returncode, ended.stdout.strip()) == (0, "30")


def test_decoding_in_place_leaves_warnings_to_the_caller(photos: Path, tmp_path: Path) -> None:
    def warn(done: int, total: int, refused: int) -> None:
        warnings.warn("of the caller", stacklevel=1)

    with pytest.warns(UserWarning, match="of the caller"):
        pack(photos, tmp_path / "p", Framing(size=8), workers=1, progress=warn)
