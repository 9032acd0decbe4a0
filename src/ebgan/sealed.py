"""Files of tensors that any reader of safetensors opens, sealed so that no damage goes unseen.

    length         of the header, uint64, little endian
    header         JSON: {"__metadata__": {"sha256": seal, "ebgan": JSON of the caller}, name: dtype, shape, place}
    body           the tensors

The seal is the SHA-256 of the whole file with 64 zeros in its own place, which is the same in every file. Neither JSON
nor safetensors can name code to run, and neither checks its own bytes: the seal does.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from ebgan.errors import CheckpointError

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
Piece: TypeAlias = bytes | memoryview

_FORMAT = 2
_LENGTH = struct.Struct("<Q")
_BEGIN = b'{"__metadata__":{"sha256":"'
_SEAL = slice(_LENGTH.size + len(_BEGIN), _LENGTH.size + len(_BEGIN) + 64)
_UNSEALED = b"0" * 64
_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def encode(header: Mapping[str, JSON], tensors: Mapping[str, Tensor]) -> list[Piece]:
    """The content of a file in pieces, to be written one after the other; tensors on the CPU are not copied.

    The tensors may lie on any device, share memory, or have any strides.
    """
    return framed(json.dumps({"format": _FORMAT, **header}), tensors)


def framed(text: str, tensors: Mapping[str, Tensor]) -> list[Piece]:
    """The pieces of a file with any text in place of the JSON of the caller's header."""
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    by_width = sorted(held, key=lambda name: -held[name].itemsize)  # so that each tensor begins at a multiple of it
    places, end = {}, 0
    for name in by_width:
        places[name] = [end, end + held[name].nbytes]
        end += held[name].nbytes
    index = {
        name: {"dtype": _NAMES[value.dtype], "shape": list(value.shape), "data_offsets": places[name]}
        for name, value in held.items()
    }
    metadata = {"sha256": _UNSEALED.decode(), "ebgan": text, "format": "pt"}
    head = json.dumps({"__metadata__": metadata, **index}, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    head = _LENGTH.pack(len(head)) + head
    body = [held[name].reshape(-1).view(torch.uint8).numpy().data for name in by_width if held[name].nbytes]
    return [head[: _SEAL.start], _sum([head, *body]).encode(), head[_SEAL.stop :], *body]


def decode(content: bytes, path: Path) -> tuple[dict[str, JSON], dict[str, Tensor]]:
    """The header and the tensors (on the CPU, in the order they were given) of the file that was read from `path`.

    Raises CheckpointError with the path and the reason, if a single byte is not as it was written.
    """
    view = memoryview(content)
    if view[_LENGTH.size : _SEAL.start] != _BEGIN or len(view) < _SEAL.stop:
        raise invalid(path, "it does not begin as a checkpoint does")
    if _sum([view[: _SEAL.start], _UNSEALED, view[_SEAL.stop :]]).encode() != view[_SEAL]:
        raise invalid(
            path, f"its SHA-256 does not agree: of its {len(content):,} bytes some were changed, or others are missing"
        )
    try:
        index = json.loads(content[_LENGTH.size : _LENGTH.size + _LENGTH.unpack_from(content)[0]])
        header, tensors = json.loads(index.pop("__metadata__")["ebgan"]), load(content)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, SafetensorError) as error:
        raise invalid(path, f"it cannot be read ({error})") from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise invalid(path, f"this version of ebgan reads format {_FORMAT} alone")
    return cast(dict[str, JSON], header), {name: tensors[name] for name in index}


def invalid(path: Path, reason: str) -> CheckpointError:
    """The error for a file that cannot be used."""
    return CheckpointError(f"{path}: not a valid checkpoint: {reason}. Put back a copy of it or delete it.")


def _sum(pieces: Iterable[Piece]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
