"""Pack pictures: decode them once, with several processes, into one file that can be mapped into memory.

Files are decoded in a fixed order, in stretches. For each stretch the pixels are written to the disk first, then a line
of the journal. A killed process therefore leaves a journal of complete stretches, and the same call resumes after them.
The result depends neither on interruptions nor on the number of processes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ebgan.data.decoding import Decoded, Decoder, check_not_imported, decode
from ebgan.data.framing import Framing, framed
from ebgan.data.journal import PackFolder, Plan, Stretch
from ebgan.data.labels import by_asked
from ebgan.data.listing import Choice, Listing, list_pictures
from ebgan.data.packed import START, UNKNOWN, Packed, finish_packed, map_pixels, write_packed
from ebgan.data.picture import said_of_depth
from ebgan.data.sources import existing, open_arrays
from ebgan.data.store import Entry
from ebgan.errors import DataError, StorageError, UsageError, check_least
from ebgan.storage.files import storage_errors

FORMAT = 4  # version of the journal
_STRETCH = 512  # most files in a stretch
_STRETCH_BYTES = 1 << 23  # most bytes of pixels in a stretch

Progress = Callable[[int, int, int], None]  # files done, files in all, files refused


class PackResult(NamedTuple):
    """A summary of a packed set."""

    images: int  # how many
    classes: dict[str, int]  # images of each class; {} if there are no classes
    refused: list[tuple[str, str]]  # files and reasons
    grey: bool  # whether every picture is grey
    notes: tuple[str, ...] = ()  # sentences: how the pictures and their classes were found


def pack(
    source: str | Path,
    dest: Path,
    framing: Framing,
    *,
    choice: Choice | None = None,
    workers: int | None = None,
    progress: Progress = lambda *_: None,
) -> PackResult:
    """Pack the pictures of a source into the folder `dest`, or resume an interrupted pack there.

    `source` is anything that `open_data` takes. `workers` is the number of decoding processes, by default one per core;
    one worker means this process itself. A script that calls this with more workers must do so below
    `if __name__ == "__main__":`, because they import it.

    Raises DataError if no picture could be decoded, UsageError if the folder holds something else or no process can
    begin, StorageError if the disk is full or unwritable, RunLockedError if another process packs into the folder, and
    DecoderLostError if a decoding process dies.
    """
    check_not_imported()
    choice, folder = choice or Choice(), PackFolder(dest)
    check_least("", 1, workers=workers)
    if dest.resolve().is_relative_to(_full(source)):
        raise UsageError(f"{dest}: lies within the folder of the pictures: choose a folder outside of it")
    plan = {"format": FORMAT, "source": _full(source), **asdict(choice), **asdict(framing)}
    plan["classes"] = list(choice.classes)
    arrays = None if choice.labels or choice.classes else open_arrays(source, choice.split)
    if arrays is not None:
        arrays = by_asked(arrays, choice.by)
        return _pack_arrays(arrays, framing, folder, plan | {"content": arrays.checksum})
    listing = list_pictures(existing(source), choice)
    if not listing.entries:
        raise DataError(f"{source}: no picture was found")
    decoder = Decoder(listing.store, framing.size, framing.crop, framing.channels, framing.white)
    with folder.locked():
        done = folder.begin(plan | {"content": _digest(listing)})
        if not folder.images.exists():
            done += _fill(listing.entries, decoder, folder, done, _Run(workers or _cores(), progress))
        return _finish(listing, decoder, folder, done)


class _Run(NamedTuple):
    """Options that do not affect the result."""

    workers: int
    progress: Progress


def _pack_arrays(arrays: Packed, framing: Framing, folder: PackFolder, plan: Plan) -> PackResult:
    with folder.locked():
        folder.begin(plan)
        packed = framed(arrays, framing)
        if not folder.images.exists():
            write_packed(folder.images, packed)
        notes = (*arrays.notes, *said_of_depth(0, framing.white))
        return PackResult(len(packed), _counts(packed), [], arrays.shape[0] == 1, notes)


def _full(source: str | Path) -> str:
    """The absolute path of a source, or its name."""
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else str(source)


def _digest(listing: Listing) -> str:
    """A digest of the files' names, sizes and times, which identifies them without reading them."""
    digest = hashlib.sha256()
    for entry in listing.entries:
        digest.update(f"{entry.name}\0{entry.where!r}\0{listing.store.version(entry)}\n".encode())
    return digest.hexdigest()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fill(
    entries: list[Entry], decoder: Decoder, folder: PackFolder, before: list[Stretch], run: _Run
) -> list[Stretch]:
    """Decode the remaining files, and return the stretches that were added."""
    first, length = sum(stretch.files for stretch in before), sum(stretch.length for stretch in before)
    refused = sum(len(stretch.refused) for stretch in before)
    _check_space(folder, (len(entries) - first) * decoder.length)
    step = max(1, min(_STRETCH, _STRETCH_BYTES // decoder.length))
    starts = range(first, len(entries), step)
    results = decode(decoder, (entries[start : start + step] for start in starts), run.workers)
    done: list[Stretch] = []
    with closing(results), storage_errors(folder.part), _part(folder.part, length) as file:
        for start, result in zip(starts, results, strict=True):
            _write(file, folder.part, result)
            done.append(_stretch(len(entries[start : start + step]), result))
            folder.add(done[-1])
            refused += len(result.refused)
            run.progress(start + done[-1].files, len(entries), refused)
    return done


def _part(path: Path, length: int) -> FileIO:
    """Open the file of pixels for unbuffered appending, truncated to the first `length` bytes of pixels."""
    file = FileIO(path, "ab")
    file.truncate(len(START) + length if length else 0)
    if not length:
        file.write(START)
    return file


def _write(file: FileIO, path: Path, result: Decoded) -> None:
    with storage_errors(path, result.pixels.nbytes):
        left = result.pixels.reshape(-1).data
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())


def _stretch(files: int, result: Decoded) -> Stretch:
    digest = hashlib.sha256(result.pixels.data).hexdigest()
    return Stretch(files, result.pixels.nbytes, digest, result.grey, result.refused, result.deepest)


def _check_space(folder: PackFolder, needed: int) -> None:
    """Raise StorageError if the disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder.path).free
    if needed > free:
        raise StorageError(
            f"{folder.path}: {needed:,} bytes needed, {free:,} bytes free. Free some space, or choose a folder on "
            "another disk, a smaller --size or --channels 1"
        )


def _finish(listing: Listing, decoder: Decoder, folder: PackFolder, done: list[Stretch]) -> PackResult:
    """Complete the packed file with names and labels. Raises DataError if no picture could be decoded."""
    reasons = dict(_refusals(done))
    refused = [(listing.entries[index].name, reason) for index, reason in reasons.items()] + listing.left_out
    if refused:
        folder.write_rejected(refused)
    names = [entry.name for index, entry in enumerate(listing.entries) if index not in reasons]
    if not names:
        first = "; ".join(f"{name}: {reason}" for name, reason in refused[:3])
        raise DataError(
            f"{listing.store.path}: none of {len(refused):,} files could be decoded: {first}. All are listed in "
            f"{folder.rejected}"
        )
    labels, classes, how = listing.classify(names)
    pixels = folder.images if folder.images.exists() else folder.part
    images = map_pixels(pixels, (len(names), decoder.channels, decoder.size, decoder.size))
    packed = Packed(images, labels, classes, listing.store.path.stem, tuple(names))
    if not folder.images.exists():
        finish_packed(folder.part, folder.images, packed)
    depth = said_of_depth(max((stretch.deepest for stretch in done), default=0), decoder.white)
    grey = all(stretch.grey for stretch in done)
    return PackResult(len(names), _counts(packed), refused, grey, (how, *listing.notes, *depth))


def _refusals(done: list[Stretch]) -> Iterator[tuple[int, str]]:
    """The index of each refused file among all files, and the reason."""
    start = 0
    for stretch in done:
        yield from ((start + index, reason) for index, reason in stretch.refused)
        start += stretch.files


def _counts(packed: Packed) -> dict[str, int]:
    if packed.labels is None:
        return {}
    known = packed.labels[packed.labels != UNKNOWN]
    return dict(zip(packed.classes, np.bincount(known, minlength=len(packed.classes)).tolist(), strict=True))
