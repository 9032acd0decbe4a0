"""How fast images come from a pack, against decoding their files anew in each epoch.

    python benchmarks/loading_speed.py SRC SIZE

SRC is a folder or archive of pictures. It is packed into a folder of the moment; then batches of 64 in [-1, 1] are
drawn for some seconds, in turns, from the pack in each of the ways in which the loader can serve it, and from the
files, decoded by worker processes of PyTorch's own loader, as one writes it. The best turn counts; each is told on
stderr.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils import data as torch_data
from torch.utils.data import DataLoader

from ebgan.data import Augmented, Framing, Images, Loader, open_data, pack, scaled
from ebgan.data.listing import list_pictures
from ebgan.randomness import Randomness

BATCH, SECONDS, TURNS, WORKERS = 64, 3.0, 3, 2


class Files(torch_data.Dataset[Tensor]):
    """The pictures of a place, decoded when asked for."""

    def __init__(self, source: Path, size: int) -> None:
        self.store, entries, *_ = list_pictures(source)
        self.entries = [entry for entry in entries if self.store.attempt(entry, size).pixels is not None]
        self.size = size

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, place: int) -> Tensor:
        pixels = self.store.attempt(self.entries[place], self.size).pixels
        assert pixels is not None
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def decoded(files: Files, workers: int) -> Iterator[Tensor]:
    """Batches without end, decoded anew each time."""
    while True:
        for batch in DataLoader(files, BATCH, shuffle=True, num_workers=workers, drop_last=True):
            yield scaled(batch, (-1.0, 1.0))


def served(data: Images, **options: bool | int) -> Iterator[Tensor]:
    """Batches without end, from a pack."""
    loader = Loader(data, batch=BATCH, randomness=Randomness.of(0), **options)  # type: ignore[arg-type]
    return (batch.images for batch in loader.batches(0))


def speed(batches: Iterator[Tensor]) -> float:
    """Images a second."""
    next(batches)
    images, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        images += len(next(batches))
    return images / (time.perf_counter() - begun)


def main(source: Path, size: int) -> None:
    """Print images a second of each way."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        outcome = pack(source, Path(folder, "pack"), Framing(size=size))
        taken = time.perf_counter() - begun
        packed = (
            f"packing {outcome.images:,} images of 3 x {size} x {size}: {taken:.1f} s, {outcome.images / taken:,.0f}/s"
        )
        print(packed, flush=True)
        data, files = open_data(Path(folder, "pack")), Files(source, size)
        augmented = Augmented(data, crop=size * 2 // 3, flip=True)
        ways = {
            "pack, kept in memory": served(data, resident=True),
            "pack, mapped": served(data, resident=False),
            "pack, mapped, cropped and flipped": served(augmented, resident=False),
            f"pack, mapped, {WORKERS} workers": served(data, resident=False, workers=WORKERS),
            "files, decoded here": decoded(files, 0),
            f"files, decoded by {WORKERS} workers": decoded(files, WORKERS),
        }
        best = dict.fromkeys(ways, 0.0)
        for turn in range(TURNS):
            for name, batches in ways.items():
                found = speed(batches)
                best[name] = max(best[name], found)
                print(f"turn {turn + 1} of {TURNS}: {name} {found:,.0f} images/s", file=sys.stderr, flush=True)
        for name, images in best.items():
            print(f"{name:<36}{images:>10,.0f} images/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", metavar="SRC", type=Path)
    parser.add_argument("size", metavar="SIZE", type=int)
    main(**vars(parser.parse_args()))
