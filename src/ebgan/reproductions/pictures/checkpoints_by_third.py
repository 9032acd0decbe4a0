"""Keep a run's checkpoint of each third of its training, and measure FID and KID at each.

kept/                      000000064000.ckpt: the first checkpoint after each third, which the trainer would delete
distances.jsonl            {"images", "metrics": {"fid_inception", "kid_inception"}, "protocol"} of each of them
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ebgan.data import Images
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.metrics.inception_v3 import InceptionV3, load_inception
from ebgan.reproductions.claims import Note
from ebgan.runs.inception import inception_distances
from ebgan.runs.run import Run
from ebgan.storage.files import write_atomically
from ebgan.storage.runfolder import Record, RunFolder, append_record, read_records
from ebgan.training.checkpoint import read

PARTS = 3


@dataclass(frozen=True)
class Thirds:
    """A training observer that keeps a checkpoint of each third of the run."""

    folder: RunFolder
    experiment: Experiment
    note: Note

    def record(self, record: Record) -> None:  # noqa: ARG002
        """Keep new checkpoints; records come much more often than checkpoints, so none is missed."""
        self.keep()

    def notice(self, text: str) -> None:
        """Pass it on."""
        self.note(text)

    def keep(self) -> None:
        """Copy each checkpoint that is the first after a third, or the last of all, unless it was copied already."""
        for path in sorted(self.folder.checkpoints.glob("[0-9]*.ckpt")):
            copy = self.folder.path / "kept" / path.name
            if self._ends_part(int(path.stem)) and not copy.exists():
                write_atomically(copy, path.read_bytes())

    def kept(self) -> list[Path]:
        """The kept checkpoints, oldest first; other files in the folder are ignored."""
        files = sorted((self.folder.path / "kept").glob("[0-9]*.ckpt"))
        return [file for file in files if self._ends_part(int(file.stem))]

    def _ends_part(self, images: int) -> bool:
        """Whether a third of the run ends between the regular checkpoint at `images` and the one before.

        False for the checkpoint that an interrupted run leaves between regular ones.
        """
        total, every = self.experiment.images, self.experiment.checkpoint or max(self.experiment.images // 10, 1)
        index, beyond = divmod(images, every)
        due = index > 0 and beyond < self.experiment.batch
        return images >= total or (due and index * every * PARTS // total > (index - 1) * every * PARTS // total)


def distances(run: Run, data: Images, counts: dict[Path, int], note: Note) -> list[Record]:
    """FID and KID on InceptionV3 at checkpoints (path -> number of samples); [] if InceptionV3 is not installed.

    Earlier measurements are read from the run's folder. At the end, the run has the last checkpoint's weights.
    """
    path = run.folder.path / "distances.jsonl"
    known = {(each["images"], each["protocol"]["inception_samples"]): each for each in read_records(path)}
    missing = {file: samples for file, samples in counts.items() if (int(file.stem), samples) not in known}
    net = _inception(run, note) if missing else None
    if missing and net is None:
        return []
    for file, samples in missing.items():
        assert net is not None
        images = int(file.stem)
        note(f"{run.folder.path.name}: FID and KID of {samples:,} samples after {images:,} images")
        run.load_weights(read(file).tensors)
        found = inception_distances(run, data, samples, net)
        known[images, samples] = {"images": images, "metrics": found.metrics, "protocol": found.protocol}
        append_record(path, known[images, samples])
    if missing:
        run.load_weights(read(list(counts)[-1]).tensors)
    return [known[int(file.stem), samples] for file, samples in counts.items()]


def _inception(run: Run, note: Note) -> InceptionV3 | None:
    try:
        return load_inception(None, run.device)
    except UsageError as error:
        note(f"FID and KID are not measured: {error}")
        return None
