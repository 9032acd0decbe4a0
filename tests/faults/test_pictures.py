"""A hundred files as people have them, good, odd, broken and hostile: each becomes the right pixels or a named refusal.

All pictures show the same: four quarters in red, green, blue and white.
"""

import csv
import io
import os
import socket
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Framing, Packed, PackResult, open_data, open_packed, pack

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
GREYS = tuple((level,) * 3 for level in (76, 150, 29, 255))
BLACK_AND_WHITE = tuple((level,) * 3 for level in (0, 255, 0, 255))
HOLE = ((0, 0, 0), *COLOURS[1:])  # the first quarter is transparent

Quarters = tuple[tuple[int, ...], ...]
OTHERS = {
    "paper.pdf": b"%PDF-1.7\n%%EOF\n",
    "video.mp4": b"\0\0\0\x18ftypmp42" + bytes(500),
    "notes.txt": b"BM is a maker",
}
Case = tuple[str | bytes, bytes | Callable[[Path], object], Quarters | str]  # name, content, what is expected

PIXELS = np.zeros((32, 32, 3), np.uint8)
for place, colour in enumerate(COLOURS):
    top, left = divmod(place, 2)
    PIXELS[16 * top : 16 * top + 16, 16 * left : 16 * left + 16] = colour
BASE = Image.fromarray(PIXELS)
GREY = BASE.convert("L")
OTHER = BASE.transpose(Image.Transpose.ROTATE_180)
ALPHA = Image.fromarray(np.pad(np.zeros((16, 16), np.uint8), ((0, 16), (0, 16)), constant_values=255))
NOISE = Image.fromarray(np.random.default_rng(6).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(ALPHA)
    return image


def palette(**options) -> bytes:
    image = BASE.quantize(8, dither=Image.Dither.NONE)
    return saved(image, options.pop("kind", "PNG"), **{key: image.getpixel((0, 0)) for key in options})


def oriented(orientation: int, kind: str = "JPEG", **options) -> bytes:
    """A file whose pixels are turned, and whose EXIF says how to turn them back."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> the transposition that leads there
    image = BASE.transpose(Image.Transpose(undo[orientation])) if orientation in undo else BASE
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, kind, exif=exif, **options)


def animated(kind: str, **options) -> bytes:
    return saved(BASE, kind, save_all=True, append_images=[OTHER], **options)


def png_of(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file that claims a size and holds the given chunks."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    written = [
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in (header, *chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def a_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inner.png", saved(BASE, "PNG"))
    return file.getvalue()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's address is short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def modes() -> list[Case]:
    """Every way in which pixels are kept."""
    deep = np.asarray(GREY).astype(np.uint16) * 257
    floating = Image.fromarray(np.asarray(GREY).astype(np.float32))
    return [
        ("rgb.png", saved(BASE, "PNG"), COLOURS),
        ("rgb.jpg", saved(BASE, "JPEG", quality=95), COLOURS),
        ("progressive.jpg", saved(BASE, "JPEG", quality=95, progressive=True), COLOURS),
        ("grey.jpg", saved(GREY, "JPEG", quality=95), GREYS),
        ("cmyk.jpg", saved(BASE.convert("CMYK"), "JPEG", quality=95), COLOURS),
        ("cmyk.tiff", saved(BASE.convert("CMYK"), "TIFF"), COLOURS),
        ("ycbcr.tiff", saved(BASE.convert("YCbCr"), "TIFF"), COLOURS),
        ("lzw.tiff", saved(BASE, "TIFF", compression="tiff_lzw"), COLOURS),
        ("deflated.tiff", saved(BASE, "TIFF", compression="tiff_adobe_deflate"), COLOURS),
        ("grey.png", saved(GREY, "PNG"), GREYS),
        ("one_bit.png", saved(GREY.point(lambda level: 255 * (level > 127)).convert("1"), "PNG"), BLACK_AND_WHITE),
        ("one_bit.tiff", saved(GREY.point(lambda level: 255 * (level > 127)).convert("1"), "TIFF"), BLACK_AND_WHITE),
        ("grey_alpha.png", saved(with_alpha(GREY), "PNG"), ((0, 0, 0), *GREYS[1:])),
        ("alpha.png", saved(with_alpha(BASE), "PNG"), HOLE),
        ("alpha.webp", saved(with_alpha(BASE), "WEBP", lossless=True), HOLE),
        ("alpha.tiff", saved(with_alpha(BASE), "TIFF"), HOLE),
        ("palette.png", palette(), COLOURS),
        ("palette_alpha.png", palette(transparency=0), HOLE),
        ("palette_alpha.gif", palette(kind="GIF", transparency=0), HOLE),
        ("palette.bmp", palette(kind="BMP"), COLOURS),
        ("sixteen.png", saved(Image.fromarray(deep), "PNG"), GREYS),
        ("sixteen.tiff", saved(Image.fromarray(deep), "TIFF"), GREYS),
        ("sixteen_big_endian.tiff", saved(Image.fromarray(deep.astype(">u2")), "TIFF"), GREYS),
        ("thirty_two.tiff", saved(Image.fromarray(deep.astype(np.int32)), "TIFF"), GREYS),
        ("sixteen.pgm", saved(Image.fromarray(deep.astype(np.int32)), "PPM"), GREYS),
        ("floating.tiff", saved(floating, "TIFF"), "floating-point"),
        ("lossless.webp", saved(BASE, "WEBP", lossless=True), COLOURS),
        ("lossy.webp", saved(BASE, "WEBP", quality=95), COLOURS),
        ("plain.bmp", saved(BASE, "BMP"), COLOURS),
        ("plain.ppm", saved(BASE, "PPM"), COLOURS),
        ("plain.pgm", saved(GREY, "PPM"), GREYS),
        ("profile.png", saved(BASE, "PNG", icc_profile=b"no profile"), COLOURS),
    ]


def shapes() -> list[Case]:
    """Orientations, animations and proportions."""
    turned: list[Case] = [(f"turned{number}.jpg", oriented(number, quality=95), COLOURS) for number in range(1, 9)]
    wide = Image.new("RGB", (64, 32), "black")
    wide.paste(BASE, (16, 0))
    return [
        *turned,
        ("turned.png", oriented(6, "PNG"), COLOURS),
        ("turned.webp", oriented(6, "WEBP", lossless=True), COLOURS),
        ("turned_nonsense.jpg", oriented(99, quality=95), COLOURS),
        ("animated.gif", animated("GIF"), COLOURS),
        ("animated.webp", animated("WEBP", lossless=True), COLOURS),
        ("animated.png", animated("PNG"), COLOURS),
        ("pages.tiff", animated("TIFF"), COLOURS),
        ("wide.png", saved(wide, "PNG"), COLOURS),
        ("tall.png", saved(wide.transpose(Image.Transpose.TRANSPOSE), "PNG"), tuple(COLOURS[n] for n in (0, 2, 1, 3))),
        ("large.jpg", saved(BASE.resize((1024, 1024), Image.Resampling.NEAREST), "JPEG", quality=95), COLOURS),
        ("sliver.png", saved(Image.new("RGB", (30_000, 1), "white"), "PNG"), (COLOURS[3],) * 4),
        ("dot.png", saved(Image.new("RGB", (1, 1), "white"), "PNG"), (COLOURS[3],) * 4),
    ]


def names() -> list[Case]:
    """Names that are no names of pictures, or hardly names at all."""
    good = saved(BASE, "PNG")
    odd: list[str | bytes] = [
        *("png.jpg", "jpeg.txt", "nothing", "TWO.PNG.png", "two\nlines.png", "tab\t.png", "space .png", " lead.png"),
        *("-rf.png", "quote'\".png", "comma,semi;.png", "100%s{0}.png", "日本語.png", "é\u0301.png", "😀.png"),
        *("\u202egnp.exe", "x" * 240 + ".png", "$(touch x).png", "back\\slash.png", b"no text\xff.png"),
    ]
    content = dict.fromkeys(odd, good) | {"jpeg.txt": saved(BASE, "JPEG", quality=95)}
    return [(name, content[name], COLOURS) for name in odd]


def broken() -> list[Case]:
    """Files that stop too early, or are none."""
    kinds = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF", "ppm": "PPM"}
    halves: list[Case] = []
    for ending, kind in kinds.items():
        whole = saved(NOISE, kind)
        halves += [(f"half.{ending}", whole[: len(whole) // 2], ""), (f"head.{ending}", whole[:20], "")]
    unknown = "cannot identify image file"
    return [
        *halves,
        ("empty.png", b"", unknown),
        ("zeros.jpg", bytes(5000), unknown),
        ("noise.jpg", np.random.default_rng(7).bytes(5000), unknown),
        ("text.png", b"not a picture\n", unknown),
        ("page.jpg", b"<!doctype html><title>404 Not Found</title>", unknown),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", unknown),
        ("figure.eps", saved(BASE, "EPS"), unknown),
        ("archive.zip.png", a_zip(), unknown),
        ("crossed.png", saved(BASE, "PNG")[:8] + saved(BASE, "JPEG"), unknown),
        ("no_pixels.png", png_of(32, 32), ""),
        ("no_size.png", png_of(0, 0), ""),
    ]


def hostile() -> list[Case]:
    """Files that claim much, and what is no file."""
    claim = png_of(100_000, 100_000, (b"IDAT", zlib.compress(bytes(100))))
    text = png_of(32, 32, (b"zTXt", b"key\0\0" + zlib.compress(bytes(1 << 26))))
    return [
        ("bomb_claimed.png", claim, "exceeds limit"),
        ("bomb_real.png", saved(Image.new("1", (10_000, 10_000)), "PNG"), "10000 x 10000 pixels are more than"),
        ("bomb_text.png", text, ""),
        ("fifo.png", os.mkfifo, "not a regular file"),
        ("socket.png", a_socket, "not a regular file"),
        ("device.png", lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
        ("lost.png", lambda path: path.symlink_to("nowhere"), "a link that leads to no file"),
        ("circle.png", lambda path: path.symlink_to(path.name), "a link that leads to no file"),
        ("linked.png", lambda path: path.symlink_to("rgb.png"), COLOURS),
    ]


CASES = [*modes(), *shapes(), *names(), *broken(), *hostile()]


def printed(name: str | bytes) -> str:
    """A name as it is shown: what would break a line or a terminal escaped."""
    text = os.fsdecode(name)
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name, content, _ in CASES:
        path = folder / os.fsdecode(name)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
    (folder / "a folder.png").mkdir()
    for name, content in OTHERS.items():
        (folder / name).write_bytes(content)
    return folder


def check(packed: Packed) -> None:
    """Every picture has its four colours, each in its place."""
    assert packed.names is not None
    found = dict(zip(packed.names, packed.images, strict=True))
    good = {printed(name): expected for name, _, expected in CASES if not isinstance(expected, str)}
    assert set(found) == set(good)
    for name, quarters in good.items():
        centres = found[name][:, 1::5, 1::5][:, :2, :2].reshape(3, 4).T.astype(int)
        assert np.abs(centres - np.array(quarters)).max() <= 24, name


def test_there_are_a_hundred_cases_and_more() -> None:
    assert len({name for name, *_ in CASES}) == len(CASES) >= 100


def test_packing_turns_each_into_pixels_or_lists_it_with_a_reason(corpus: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    outcome = pack(corpus, tmp_path / "packed", Framing(size=8), workers=2)
    assert time.monotonic() - begun < 60
    check(open_packed(tmp_path / "packed" / "images.packed"))
    with (tmp_path / "packed" / "rejected.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "reason"]
    assert [tuple(row) for row in rows] == outcome.refused
    assert "ignored 3 files that are not pictures (.mp4, .pdf, .txt)" in outcome.notes
    reasons = dict(outcome.refused)
    assert set(reasons) == {printed(name) for name, _, expected in CASES if isinstance(expected, str)}
    for name, _, expected in CASES:
        if isinstance(expected, str):
            reason = reasons[printed(name)]
            assert expected in reason
            assert reason.isprintable()
            assert str(corpus) not in reason
            assert 0 < len(reason) < 200


@pytest.mark.filterwarnings("ignore:::PIL")
def test_reading_them_into_memory_does_the_same(corpus: Path) -> None:
    check(open_data(corpus, size=8))


@pytest.mark.filterwarnings("ignore:::PIL")
def test_in_a_zip_they_are_the_same(corpus: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, expected in CASES:
            if isinstance(content, bytes) and isinstance(name, str) and not isinstance(expected, str):
                archive.writestr(name.replace("\\", "_"), content)
    in_folder, in_zip = open_data(corpus, size=8), open_data(tmp_path / "corpus.zip", size=8)
    images = dict(zip(in_folder.names or (), in_folder.images, strict=True))
    assert len(in_zip) > 60
    for name, image in zip(in_zip.names or (), in_zip.images, strict=True):
        if name in images:
            np.testing.assert_array_equal(image, images[name])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with two classes, and all that can lie around in it."""
    root, content = tmp_path / "root", saved(BASE, "PNG")
    files = ("cat/1.png", "cat/2.png", "dog/1.png", "dog/deep/er/2.png", "dog/folder.png/3.png")
    hidden = (".git/a.png", "__MACOSX/cat/._1.png", "cat/.hidden.png", "cat/.thumbnails/1.png")
    for name in (*files, *hidden, "../outside/4.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "empty").mkdir()
    (root / "cat" / "Thumbs.db").write_bytes(b"x")
    (root / "notes.txt").write_text("stray")
    (root / "cat" / "loop").symlink_to(root)
    (root / "dog" / "self").symlink_to("self")
    (root / "up").symlink_to(tmp_path)
    (root / "dog" / "sister").symlink_to(root / "cat")
    (root / "fox").symlink_to(tmp_path / "outside")
    return root


def test_of_a_tree_with_traps_the_pictures_are_counted_once_and_the_rest_is_named(tree: Path, tmp_path: Path) -> None:
    outcome = pack(tree, tmp_path / "packed", Framing(size=8), workers=1)
    assert outcome == PackResult(
        images=6,
        classes={"cat": 2, "dog": 3, "fox": 1},
        refused=[("dog/self", "a link that leads to no file")],
        grey=False,
        notes=(
            "classes by their folders (cat, dog, fox); --data.classes none if these are not classes",
            "ignored 2 files that are not pictures (.db, .txt)",
        ),
    )


def test_a_folder_that_may_not_be_read_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def closed(path: str | Path):
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("ebgan.data.folder._log.warning", lambda form, *values: said.append(form % values))
        open_data(tree, size=8)
    assert "dog/deep: no permission to read this folder" in said[0]
