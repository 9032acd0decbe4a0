import pytest
import torch

from ebgan.errors import StorageError
from ebgan.metrics.weights import load_weights, save_weights

WEIGHTS = {"bias": torch.arange(3.0), "kernel": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)}


def test_weights_come_back_as_they_were(tmp_path) -> None:
    save_weights(tmp_path / "new" / "a", WEIGHTS)
    loaded = load_weights(tmp_path / "new" / "a")
    assert loaded is not None
    assert loaded.keys() == WEIGHTS.keys()
    assert all(torch.equal(loaded[name], WEIGHTS[name]) for name in WEIGHTS)


def test_no_file_is_no_weights(tmp_path) -> None:
    assert load_weights(tmp_path / "none") is None


def test_every_flipped_byte_and_every_truncation_is_noticed(tmp_path) -> None:
    path = tmp_path / "a"
    save_weights(path, WEIGHTS)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        assert load_weights(path) is None
        path.write_bytes(content[:place])
        assert load_weights(path) is None


def test_a_disk_that_refuses_is_reported(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder"):
        save_weights(tmp_path / "folder", WEIGHTS)
