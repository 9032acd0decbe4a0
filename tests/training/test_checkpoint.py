"""Checkpoints come back as they were written, under the right names, and refuse what must not be kept."""

import json
import struct
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from ebgan.errors import CheckpointError, DivergedError
from ebgan.sealed import JSON, decode, encode, framed
from ebgan.training.checkpoint import Checkpoint, environment, newest, publish, publish_best, read

_TIED = torch.arange(6.0)
TENSORS = {
    "float32": torch.randn(2, 3),
    "float64": torch.randn(3, dtype=torch.float64),
    "bfloat16": torch.randn(5).bfloat16(),
    "float16": torch.randn(5).half(),
    "int64": torch.tensor([-(2**62), 2**62]),
    "uint8": torch.arange(7, dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "a number": torch.tensor(0.25),
    "nothing": torch.empty(0, 4),
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "every other": torch.arange(10)[::2],
    "expanded": torch.ones(1).expand(4),
    "channels last": torch.randn(1, 2, 3, 3).to(memory_format=torch.channels_last),
    "tied": _TIED,
    "tied too": _TIED[2:],
    "weight": torch.nn.Parameter(torch.randn(2)),
}


def checkpoint(images: int, **tensors: Tensor) -> Checkpoint:
    return Checkpoint(images=images, step=images // 10, config="c0ffee", tensors=tensors, meta={"images": images})


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor.detach().cpu()), name


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_tensors_of_every_dtype_shape_and_stride_come_back_in_their_order() -> None:
    assert_same(decode(b"".join(encode({}, TENSORS)), Path("file"))[1], TENSORS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_tensors_on_a_cuda_device_come_back_on_the_cpu() -> None:
    tensors = {name: tensor.cuda() for name, tensor in TENSORS.items()}
    assert_same(decode(b"".join(encode({}, tensors)), Path("file"))[1], tensors)


def test_tensors_that_come_back_share_no_memory_and_can_be_written() -> None:
    _, found = decode(b"".join(encode({}, TENSORS)), Path("file"))
    found["tied"].zero_()
    assert torch.equal(found["tied too"], _TIED[2:])


def test_the_same_state_makes_the_same_bytes() -> None:
    assert encode({"images": 1}, TENSORS) == encode({"images": 1}, TENSORS)


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    meta: dict[str, JSON] = {"phase": "pretraining", "best": 0.1 + 0.2, "plateau": [1, None, {"bad": True}], "é": "ß"}
    written = Checkpoint(images=12_345, step=99, config="c0ffee", tensors=TENSORS, meta=meta)
    path = publish(tmp_path / "new" / "checkpoints", written)
    assert path == tmp_path / "new" / "checkpoints" / "000000012345.ckpt"
    found = read(path)
    assert_same(found.tensors, TENSORS)
    assert (found.images, found.step, found.config, found.meta) == (12_345, 99, "c0ffee", meta)
    assert found.environment == environment()


def test_the_environment_says_what_may_change_the_bits() -> None:
    assert environment().keys() == {"torch", "python", "threads", "cpu", "platform"}
    assert environment()["threads"] == torch.get_num_threads()


def test_the_newest_is_the_one_with_the_most_images_whatever_was_written_last(tmp_path: Path) -> None:
    for images in (9, 1_000_000_000_000, 10):
        publish(tmp_path, checkpoint(images), keep=9)
    found = newest(tmp_path)
    assert found is not None
    assert (found[0].images, found[1]) == (1_000_000_000_000, [])


def test_where_nothing_was_published_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    assert newest(tmp_path / "absent") is None


def test_the_newest_two_are_kept_and_the_best_for_ever(tmp_path: Path) -> None:
    publish(tmp_path, checkpoint(10))
    publish_best(tmp_path, checkpoint(10))
    for images in (20, 30, 40):
        publish(tmp_path, checkpoint(images))
    assert names(tmp_path) == ["000000000030.ckpt", "000000000040.ckpt", "best.ckpt"]
    assert read(tmp_path / "best.ckpt").images == 10


def test_only_checkpoints_older_than_the_published_one_are_pruned(tmp_path: Path) -> None:
    publish(tmp_path, checkpoint(30))
    (tmp_path / "000000000005 copy.ckpt").write_bytes(b"mine")
    for images in (10, 20):
        publish(tmp_path, checkpoint(images), keep=1)
    assert names(tmp_path) == ["000000000005 copy.ckpt", "000000000020.ckpt", "000000000030.ckpt"]


def test_the_best_is_gone_on_from_when_no_other_is_left(tmp_path: Path) -> None:
    publish_best(tmp_path, checkpoint(10))
    damaged = publish(tmp_path, checkpoint(20))
    damaged.write_bytes(b"")
    found = newest(tmp_path)
    assert found is not None
    assert found[0].images == 10
    assert [str(damaged) in warning for warning in found[1]] == [True]


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_tensor_that_is_not_finite_is_never_published(tmp_path: Path, poison: float, dtype: torch.dtype) -> None:
    bad = torch.ones(3, 4, dtype=dtype)
    bad[1, 2] = poison
    for write in (publish, publish_best):
        with pytest.raises(DivergedError, match=r"tensor balance\.k is not finite after 20 images"):
            write(tmp_path, checkpoint(20, **{"weight": torch.ones(2), "balance.k": bad}))
    assert names(tmp_path) == []


def test_finite_values_whose_sum_overflows_are_published(tmp_path: Path) -> None:
    large = torch.full((9,), 3e38)
    assert torch.equal(read(publish(tmp_path, checkpoint(1, large=large))).tensors["large"], large)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"absent\.ckpt: there is no such"):
        read(tmp_path / "absent.ckpt")
    with pytest.raises(CheckpointError, match="there is no such"):
        read(tmp_path)


def test_a_renamed_file_is_refused_with_its_right_name(tmp_path: Path) -> None:
    publish(tmp_path, checkpoint(10)).rename(tmp_path / "000000000020.ckpt")
    with pytest.raises(CheckpointError, match=r"000000000020\.ckpt.*its name is 000000000010\.ckpt"):
        read(tmp_path / "000000000020.ckpt")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 1}, "reads format 2 alone"),
        ({"images": "10"}, "no images of type int"),
        ({"meta": None}, "no meta of type dict"),
    ],
)
def test_a_sealed_file_with_a_foreign_header_is_refused(tmp_path: Path, change: dict[str, JSON], reason: str) -> None:
    path = publish(tmp_path, checkpoint(10, weight=torch.ones(2)))
    header, _ = decode(path.read_bytes(), path)
    path.write_bytes(b"".join(framed(json.dumps({**header, **change}), {"weight": torch.ones(2)})))
    with pytest.raises(CheckpointError, match=reason):
        read(path)


@pytest.mark.parametrize("text", ["{", "[]", "null", ""])
def test_a_sealed_file_of_other_things_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="not a valid checkpoint"):
        decode(b"".join(framed(text, {})), Path("file"))


def test_any_reader_of_safetensors_opens_a_checkpoint(tmp_path: Path) -> None:
    path = publish(tmp_path, Checkpoint(images=10, step=1, config="c0ffee", tensors=TENSORS, meta={"k": 0.5}))
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == set(TENSORS)
        for name, tensor in TENSORS.items():
            assert torch.equal(file.get_tensor(name), tensor.detach()), name
        metadata = file.metadata()
    assert json.loads(metadata["ebgan"])["images"] == 10
    assert metadata["format"] == "pt"


def test_tensors_are_written_where_they_lie() -> None:
    weight = torch.zeros(1_000_000)
    tracemalloc.start()
    pieces = encode({}, {"weight": weight})
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    weight[0] = 1.0
    assert bytes(pieces[-1][:4]) == struct.pack("<f", 1.0)
