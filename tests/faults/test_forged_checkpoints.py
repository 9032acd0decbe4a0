"""Checkpoints whose sum is right and whose content is not: refused by name, or, if from another run, told."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ebgan
from ebgan import sealed
from ebgan.cli.main import run as command
from ebgan.errors import CheckpointError
from ebgan.sealed import decode, framed


def forge(path: Path, header: Callable[[dict], object] = dict, tensors: Callable[[dict], dict] = dict) -> None:
    """Change header and tensors of a checkpoint, and seal it again; a header of bytes is taken as it is."""
    told, held = decode(path.read_bytes(), path)
    told, held = header(told), tensors(held)
    text = told.decode() if isinstance(told, bytes) else json.dumps(told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "_NAMES", sealed._NAMES | {torch.complex64: "C64", torch.float8_e5m2: "F8_E5M2"})
        path.write_bytes(b"".join(framed(text, held)))


def meta(**changes: object) -> Callable[[dict], dict]:
    return lambda header: header | {"meta": header["meta"] | changes}


def without(name: str) -> Callable[[dict], dict]:
    return lambda header: header | {"meta": {key: value for key, value in header["meta"].items() if key != name}}


SAMPLED = "average.hidden.0.weight"  # which training and sampling read alike


def first(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict], dict]:
    return lambda held: held | {SAMPLED: change(held[SAMPLED])}


HEADERS = {
    "deep": lambda header: b"[" * 100_000,
    "a deep field": lambda header: json.dumps(header).encode()[:-1] + b', "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "null": lambda header: b"null",
    "a list": lambda header: b"[1]",
    "empty": lambda header: {},
    "many digits": lambda header: json.dumps(header).encode()[:-1] + b', "x": ' + b"9" * 5000 + b"}",
    "no meta": lambda header: {key: value for key, value in header.items() if key != "meta"},
    "meta a list": lambda header: header | {"meta": []},
    "no step": lambda header: header | {"step": None},
    "step true": lambda header: header | {"step": True},
    "negative step": lambda header: header | {"step": -1},
    "endless step": lambda header: header | {"step": 10**30},
    "config a number": lambda header: header | {"config": 5},
    **{f"no {name}": without(name) for name in ("shape", "classes", "data", "seconds", "best")},
    "a shape of two": meta(shape=[8, 8]),
    "a shape of words": meta(shape=["1", "8", "8"]),
    "a shape of none": meta(shape=[1, 0, 8]),
    "a shape below none": meta(shape=[1, -8, 8]),
    "a shape of parts": meta(shape=[1, 8.0, 8]),
    "a shape null": meta(shape=None),
    "a vast shape": meta(shape=[1, 10**9, 10**9]),
    "another shape": meta(shape=[1, 16, 16]),
    "classes a word": meta(classes="ab"),
    "classes of numbers": meta(classes=[1, 2]),
    "data a number": meta(data=5),
    "seconds in words": meta(seconds="long"),
    "seconds before zero": meta(seconds=-5.0),
    "seconds without end": meta(seconds=float("inf")),
    "best in words": meta(best="high"),
    "best no number": meta(best=float("nan")),
}
TENSORS = {
    "none": lambda held: {},
    "one missing": lambda held: {name: value for name, value in held.items() if name != SAMPLED},
    "not finite": first(lambda x: torch.full_like(x, float("nan"))),
    "whole numbers": first(lambda x: x.to(torch.int64)),
    "complex": first(lambda x: x.to(torch.complex64)),
    "eight bits": first(lambda x: x.to(torch.float8_e5m2)),
    "another shape": first(lambda x: x[None]),
    "a row less": first(lambda x: x[1:]),
}
FORGERIES = [(name, change, dict) for name, change in HEADERS.items()] + [
    (f"tensors: {name}", dict, change) for name, change in TENSORS.items()
]


def test_each_forgery_is_refused_by_name_wherever_it_is_read(ebgan_pt, a_run, capsys) -> None:
    run = a_run(ebgan_pt)
    run.train()
    newest, older = sorted((run.folder / "checkpoints").glob("0*.ckpt"), reverse=True)
    older.unlink()
    (run.folder / "checkpoints" / "best.ckpt").unlink(missing_ok=True)
    whole = newest.read_bytes()
    for name, header, tensors in FORGERIES:
        newest.write_bytes(whole)
        forge(newest, header, tensors)
        with pytest.raises(CheckpointError, match="checkpoint"):
            run.train()
        assert command(["sample", str(run.folder), "--device", "cpu", "--count", "1"]) == 4, name
        assert "checkpoint" in capsys.readouterr().err
    newest.write_bytes(whole)
    forge(newest)  # the forger changes nothing but what it is asked to
    run.train()


def test_a_checkpoint_of_another_seed_is_told_of_and_its_own_is_not(ebgan_pt, a_run, caplog) -> None:
    run, other = a_run(ebgan_pt), a_run(replace(ebgan_pt, seed=7))
    run.train()
    other.train()
    ebgan.load(run.folder)
    assert not caplog.text
    (newest, *_) = sorted((other.folder / "checkpoints").glob("0*.ckpt"), reverse=True)
    (run.folder / "checkpoints" / newest.name).write_bytes(newest.read_bytes())
    ebgan.load(run.folder)
    assert "another config than config.yaml (another seed" in caplog.text
