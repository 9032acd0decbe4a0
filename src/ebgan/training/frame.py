"""The frame of a checkpoint file: tensors under a header, sealed by a sum over every byte.

    magic          8 bytes
    lengths        of the header and of the body, 2 x uint64, little endian
    header         JSON: format version, what the caller said, and the shape and dtype of each tensor by name
    body           the tensors in the safetensors format
    sum            SHA-256 of all the bytes before it

Neither JSON nor safetensors can name code to run, and neither checks its own bytes: the sum does.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ebgan.errors import CheckpointError

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

_FORMAT = 1
_MAGIC = b"\x89EBGAN\r\n"  # as PNG's: no text begins so, and a transfer that mends line ends breaks it
_LENGTHS = struct.Struct("<QQ")
_START = len(_MAGIC) + _LENGTHS.size
_SUM = hashlib.sha256().digest_size


def encode(header: Mapping[str, JSON], tensors: Mapping[str, Tensor]) -> bytes:
    """One file's content. The tensors may lie on any device, share memory, or have any strides and dtype."""
    # A copy each, because safetensors refuses tensors that share memory.
    held = {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
    text = json.dumps({"format": _FORMAT, **header, "tensors": _index(held)}).encode()
    body = save(held)
    parts = (_MAGIC, _LENGTHS.pack(len(text), len(body)), text, body)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b"".join((*parts, digest.digest()))


def decode(content: bytes, path: Path) -> tuple[dict[str, JSON], dict[str, Tensor]]:
    """The header and the tensors (on the CPU, in the order they were given) of the file that was read from `path`.

    Raises CheckpointError with the path and the reason, if a single byte is not as it was written.
    """
    view = memoryview(content)
    if view[: len(_MAGIC)] != _MAGIC:
        raise invalid(path, "it does not begin as a checkpoint does")
    if len(content) < _START + _SUM:
        raise invalid(path, f"it is cut off after {len(content):,} bytes")
    header_length, body_length = _LENGTHS.unpack_from(content, len(_MAGIC))
    length = _START + header_length + body_length + _SUM
    if len(content) != length:
        raise invalid(path, f"it holds {len(content):,} bytes where {length:,} were written")
    if hashlib.sha256(view[:-_SUM]).digest() != view[-_SUM:]:
        raise invalid(path, "bytes in it were changed: its SHA-256 does not agree")
    body = _START + header_length
    return _parsed(bytes(view[_START:body]), bytes(view[body:-_SUM]), path)


def invalid(path: Path, reason: str) -> CheckpointError:
    """The error for a file that cannot be used."""
    return CheckpointError(f"{path}: not a valid checkpoint: {reason}. Put back a copy of it or delete it.")


def _parsed(text: bytes, body: bytes, path: Path) -> tuple[dict[str, JSON], dict[str, Tensor]]:
    try:
        header, tensors = json.loads(text), load(body)
    except (ValueError, KeyError, RecursionError, OverflowError, SafetensorError) as error:
        raise invalid(path, f"it cannot be read ({error})") from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise invalid(path, f"this version of ebgan reads format {_FORMAT} alone")
    index = header.get("tensors")
    if index != _index(tensors):
        raise invalid(path, "its header lists other tensors than it holds")
    return cast(dict[str, JSON], header), {name: tensors[name] for name in index}


def _index(tensors: Mapping[str, Tensor]) -> dict[str, JSON]:
    return {
        name: {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in tensors.items()
    }
