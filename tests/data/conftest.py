import os
from pathlib import Path

import numpy as np
import pytest

from ebgan.data import Packed


@pytest.fixture
def real_mnist() -> Path:
    home = Path(os.environ.get("EBGAN_DATA") or Path(__file__).parents[3] / "shared" / "data")
    folder = home / "mnist"
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        pytest.skip(f"the real MNIST is not in {folder}: set EBGAN_DATA")
    return folder


@pytest.fixture
def no_home(tmp_path, monkeypatch):
    """No named set is at hand: EBGAN_DATA is not set and the cache folder is empty."""
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def small() -> Packed:
    """Twelve labelled images of 3x4x5 whose first byte is their place."""
    images = np.random.default_rng(0).integers(0, 256, (12, 3, 4, 5), dtype=np.uint8)
    images[:, 0, 0, 0] = range(12)
    names = tuple(f"{place}.png" for place in range(12))
    return Packed(images, np.arange(12) % 3, ("a", "b", "c"), "small", names)
