import io
import tarfile
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import open_data
from ebgan.data.archive import Archive
from ebgan.errors import DataError

RANDOM = np.random.default_rng(5)


def png(shape: tuple[int, ...] = (8, 8, 3)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8)).save(file, format="PNG")
    return file.getvalue()


FILES = {"cat/b.png": png(), "cat/a.png": png(), "dog/a b.png": png(), "dog/deep/er.png": png()}


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, io.BytesIO(content)


def tarred(path: Path, members: list[tuple], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            archive.addfile(info, content)
    return path


def folder(path: Path) -> Path:
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def refusals(path: Path, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """What was said of each file of an archive that was refused, where one picture is good."""
    caplog.clear()
    assert open_data(path, size=8).names == ("good.png",)
    message = next(text for text in caplog.messages if "files refused" in text)
    return dict(line.strip().split(": ", 1) for line in message.splitlines()[1:])


def test_a_folder_its_zip_and_its_tar_are_the_same_set(tmp_path: Path) -> None:
    expected = open_data(folder(tmp_path / "set"), size=8)
    archives = [
        zipped(tmp_path / "deflated.zip", FILES),
        zipped(tmp_path / "stored.zip", dict(reversed(FILES.items())), zipfile.ZIP_STORED),
        zipped(tmp_path / "rooted.zip", {f"set/{name}": content for name, content in FILES.items()}),
        tarred(tmp_path / "plain.tar", [member(f"./{name}", content) for name, content in FILES.items()]),
    ]
    for archive in archives:
        packed = open_data(archive, size=8)
        assert (packed.names, packed.classes) == (expected.names, ("cat", "dog"))
        assert packed.checksum == expected.checksum


def test_tars_within_a_tar_are_its_class_folders(tmp_path: Path) -> None:
    inner = []
    for kind in ("n01", "n02"):
        path = tarred(tmp_path / f"{kind}.tar", [member(f"{kind}_{place}.JPEG", png()) for place in range(3)])
        inner.append(member(path.name, path.read_bytes()))
    packed = open_data(tarred(tmp_path / "train.tar", inner), size=8)
    assert packed.names[:2] == ("n01/n01_0.JPEG", "n01/n01_1.JPEG")
    assert (packed.classes, packed.labels.tolist()) == (("n01", "n02"), [0, 0, 0, 1, 1, 1])


def test_a_tar_within_a_tar_may_name_its_files_from_a_dot(tmp_path: Path) -> None:
    inner = []
    for kind, dot in (("n01", ""), ("n02", "./")):
        path = tarred(tmp_path / f"{kind}.tar", [member(f"{dot}{place}.JPEG", png()) for place in range(3)])
        inner.append(member(path.name, path.read_bytes()))
    assert open_data(tarred(tmp_path / "train.tar", inner), size=8).names[3:] == tuple(
        f"n02/{i}.JPEG" for i in range(3)
    )


def damaged_tars(content: bytes) -> dict[str, bytes]:
    """A tar of pictures whose seventh header is damaged, and cut before and within it."""
    header = content.index(b"b/6.png")
    flipped = bytearray(content)
    flipped[header] ^= 1
    return {"flipped": bytes(flipped), "cut": content[:header], "cut within": content[: header + 200]}


@pytest.mark.parametrize("how", ["flipped", "cut", "cut within"])
def test_a_tar_that_ends_too_soon_loses_no_picture_in_silence(tmp_path: Path, how: str) -> None:
    names = [f"{'a' if place < 5 else 'b'}/{place}.png" for place in range(12)]
    content = tarred(tmp_path / "whole.tar", [member(name, png()) for name in names]).read_bytes()
    (tmp_path / "damaged.tar").write_bytes(damaged_tars(content)[how])
    with pytest.raises(DataError, match=r"damaged\.tar: the tar is cut short or damaged after b/5\.png"):
        open_data(tmp_path / "damaged.tar", size=8)
    outer = tarred(tmp_path / "outer.tar", [member("n01.tar", content), member("n02.tar", damaged_tars(content)[how])])
    with pytest.raises(DataError, match=r"outer\.tar, n02\.tar: the tar is cut short or damaged after b/5\.png"):
        open_data(outer, size=8)


def test_an_archive_that_has_taken_the_place_of_another_is_read_itself(tmp_path: Path) -> None:
    def grey(shade: int) -> bytes:
        file = io.BytesIO()
        Image.new("L", (8, 8), shade).save(file, format="BMP")
        return file.getvalue()

    path = tmp_path / "set.tar"
    for shade in (10, 200):
        tarred(tmp_path / "new.tar", [member(f"{place}.bmp", grey(shade)) for place in range(3)]).replace(path)
        assert set(open_data(path, size=8).images.flat) == {shade}


def test_zeros_in_the_midst_of_a_tar_are_damage(tmp_path: Path) -> None:
    content = tarred(tmp_path / "a.tar", [member(f"{place}.png", png()) for place in range(12)]).read_bytes()
    at = content.index(b"6.png")
    (tmp_path / "a.tar").write_bytes(content[:at] + bytes(1024) + content[at + 1024 :])
    with pytest.raises(DataError, match=r"a\.tar: the tar is cut short or damaged after 5\.png"):
        open_data(tmp_path / "a.tar", size=8)


def test_an_archive_that_is_replaced_while_it_is_read_is_not_mixed_with_the_other(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", [member("1.png", png()), member("2.png", png())])
    archive = Archive(path)
    first, second = archive.entries()
    assert archive.attempt(first, 8).pixels is not None
    tarred(tmp_path / "b.tar", [member("1.png", png()), member("2.png", png()), member("3.png", png())]).replace(path)
    assert archive.attempt(second, 8).reason == "the archive was replaced after it was listed"


def test_two_archives_are_read_by_several_threads_at_once(tmp_path: Path) -> None:
    archives = [Archive(tarred(tmp_path / f"{name}.tar", [member("1.png", png())])) for name in "xy"]
    pairs = [(archive, *archive.entries()) for archive in archives]
    expected = [archive.attempt(entry, 8).pixels for archive, entry in pairs]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda place: pairs[place % 2][0].attempt(pairs[place % 2][1], 8).pixels, range(400)))
    assert all(np.array_equal(pixels, expected[place % 2]) for place, pixels in enumerate(found))


def test_a_picture_in_an_archive_is_read_exactly(tmp_path: Path) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(FILES["cat/a.png"]))).transpose(2, 0, 1)
    np.testing.assert_array_equal(open_data(zipped(tmp_path / "a.zip", FILES), size=8).images[0], pixels)


def test_splits_and_hidden_files_are_found_in_archives_too(tmp_path: Path) -> None:
    files = {f"set/{split}/{name}.png": png() for split, name in (("train", "a"), ("train", "b"), ("val", "c"))}
    hidden = {"__MACOSX/._a.png": png(), "set/.DS_Store": b"x"}
    path = zipped(tmp_path / "a.zip", files | hidden)
    assert open_data(path, size=8).names == ("a.png", "b.png")
    assert open_data(path, size=8, split="test").names == ("c.png",)


def test_names_that_lead_out_links_and_what_is_not_read_are_refused_by_name(tmp_path: Path, caplog) -> None:
    path = zipped(tmp_path / "traps.zip", {"good.png": png(), "../up.png": png(), "/abs.png": png(), "a/../../b": b"x"})
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("odd.png", png(), zipfile.ZIP_BZIP2)
    out = "a name that leads out of the archive"
    assert refusals(path, caplog) == {
        "../up.png": out,
        "/abs.png": out,
        "a/../../b": out,
        "link.png": "a link",
        "odd.png": "compressed by method 12, which is not read",
    }


def test_what_is_no_file_in_a_tar_is_refused_by_name(tmp_path: Path, caplog) -> None:
    members = [
        member("good.png", png()),
        member("../up.png", png()),
        member("soft.png", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("hard.png", kind=tarfile.LNKTYPE, link="good.png"),
        member("pipe.png", kind=tarfile.FIFOTYPE),
        member("folder.png", kind=tarfile.DIRTYPE),
    ]
    assert refusals(tarred(tmp_path / "traps.tar", members), caplog) == {
        "../up.png": "a name that leads out of the archive",
        "hard.png": "a link",
        "pipe.png": "not a file",
        "soft.png": "a link",
    }


def test_files_that_would_inflate_beyond_reason_are_refused_before_they_do(tmp_path: Path, caplog) -> None:
    path = zipped(tmp_path / "bombs.zip", {"good.png": png(), "zeros.png": bytes(1 << 23)})
    content = path.read_bytes()
    at = content.rindex(b"zeros.png") - 46  # the size in the directory, which anyone can write there
    huge = content[: at + 24] + (1 << 31).to_bytes(4, "little") + content[at + 28 :]
    (tmp_path / "huge.zip").write_bytes(huge)
    assert " bytes that inflate to 8,388,608" in refusals(path, caplog)["zeros.png"]
    assert "2,147,483,648 bytes are more than" in refusals(tmp_path / "huge.zip", caplog)["zeros.png"]


def test_a_file_that_says_it_is_empty_and_is_not_is_refused_before_it_inflates(tmp_path: Path, caplog) -> None:
    path = zipped(tmp_path / "empty.zip", {"good.png": png(), "zeros.png": bytes(1 << 25)})
    content = path.read_bytes()
    at = content.rindex(b"zeros.png") - 46
    path.write_bytes(content[: at + 24] + bytes(4) + content[at + 28 :])
    tracemalloc.start()
    try:
        assert "damaged within the archive" in refusals(path, caplog)["zeros.png"]
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_damage_within_an_archive_is_a_refusal_of_the_file_and_not_of_the_archive(tmp_path: Path, caplog) -> None:
    path = zipped(tmp_path / "a.zip", {"bad.png": png((64, 64, 3)), "good.png": png()}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    assert refusals(path, caplog) == {"bad.png": "damaged within the archive: its checksum differs"}
    path = zipped(tmp_path / "b.zip", {"bad.png": bytes(range(256)) * 9, "good.png": png()})
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    assert refusals(path, caplog)["bad.png"].startswith(("damaged within", "cut short within"))


def test_an_encrypted_file_is_refused(tmp_path: Path, caplog) -> None:
    path = zipped(tmp_path / "a.zip", {"good.png": png(), "secret.png": png()})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"secret.png") - 46 + 8] |= 1
    path.write_bytes(content)
    assert refusals(path, caplog) == {"secret.png": "encrypted"}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_tar_is_refused_with_the_way_to_unpack_it(tmp_path: Path, mode: str) -> None:
    path = tarred(tmp_path / "a.tar.packed", [member("a.png", png())], mode)
    with pytest.raises(DataError, match=r"a\.tar\.packed: a compressed tar .* unpack it with `tar -xf`"):
        open_data(path, size=8)


def test_an_archive_that_is_cut_short_is_an_error_or_loses_the_last_files_by_name(tmp_path: Path, caplog) -> None:
    whole = zipped(tmp_path / "a.zip", FILES).read_bytes()
    (tmp_path / "short.zip").write_bytes(whole[:-40])
    with pytest.raises(DataError, match=r"short\.zip"):
        open_data(tmp_path / "short.zip", size=8)
    tar = tarred(tmp_path / "a.tar", [member("good.png", png()), member("zz.png", png((64, 64, 3)))]).read_bytes()
    (tmp_path / "short.tar").write_bytes(tar[:4000])
    with pytest.raises(DataError, match=r"short\.tar: the archive could not be read"):
        open_data(tmp_path / "short.tar", size=8)


def test_an_archive_of_arrays_is_still_one_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 4), np.uint8))
    assert open_data(tmp_path / "a.npz").shape == (1, 4, 4)
    packed = open_data(zipped(tmp_path / "beside.zip", {"a.png": png(), "labels.npy": b"x"}), size=8)
    assert packed.names == ("a.png",)
