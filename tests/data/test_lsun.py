import builtins
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Framing, open_data, pack
from ebgan.errors import DataError

RANDOM = np.random.default_rng(9)


@pytest.fixture
def bedrooms(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """A database as LSUN gives them out, and its pictures by their keys."""
    lmdb = pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    folder, pixels = tmp_path / "bedroom_train_lmdb", {}
    with lmdb.open(str(folder), map_size=1 << 22) as database, database.begin(write=True) as transaction:
        for key in ("f00d", "0a1b", "beef"):
            pixels[key] = RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            file = io.BytesIO()
            Image.fromarray(pixels[key]).save(file, format="WEBP", lossless=True)
            transaction.put(key.encode(), file.getvalue())
        transaction.put(b"dead", b"not a picture")
    return folder, pixels


def test_a_database_is_packed_in_the_order_of_its_keys(bedrooms, tmp_path: Path) -> None:
    folder, pixels = bedrooms
    outcome = pack(folder, tmp_path / "p", Framing(size=8), workers=2)
    packed = open_data(tmp_path / "p")
    assert packed.names == ("0a1b", "beef", "f00d")
    np.testing.assert_array_equal(packed.images, np.stack([pixels[key] for key in packed.names]).transpose(0, 3, 1, 2))
    assert outcome.refused == [("dead", "cannot identify image file")]
    assert packed.name == "bedroom_train_lmdb"


def test_a_database_is_read_into_memory_too(bedrooms) -> None:
    folder, _ = bedrooms
    assert open_data(folder, size=4).shape == (3, 4, 4)


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_database_that_is_cut_short_is_refused_before_it_is_read(bedrooms, share: float) -> None:
    folder, _ = bedrooms
    content = (folder / "data.mdb").read_bytes()
    used = len(content.rstrip(bytes(1)))
    (folder / "data.mdb").write_bytes(content[: int(used * share)])
    with pytest.raises(DataError, match=r"data\.mdb: cut short: .* Get it again"):
        open_data(folder, size=8)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    (tmp_path / "data.mdb").write_bytes(bytes(8192))
    with pytest.raises(DataError, match="not an lmdb database, or a damaged one"):
        open_data(tmp_path, size=8)


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.mdb").touch()
    monkeypatch.delitem(sys.modules, "lmdb", raising=False)
    known = builtins.__import__

    def without(name: str, *rest, **options):
        if name == "lmdb":
            raise ImportError(name)
        return known(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"install lmdb: pip install 'ebgan\[lmdb\]'"):
        open_data(tmp_path, size=8)
