"""A run looked at after each third of it: its checkpoints of then, and how far its samples were from the data.

kept/                      000000064000.ckpt: the first checkpoint of each third, which the trainer would let go
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
    """An observer of a run that keeps a checkpoint of each third of it."""

    folder: RunFolder
    experiment: Experiment
    note: Note

    def record(self, record: Record) -> None:  # noqa: ARG002
        """Keep what has come since the last record: there are many records between two checkpoints."""
        self.keep()

    def notice(self, text: str) -> None:
        """Pass it on."""
        self.note(text)

    def keep(self) -> None:
        """Copy each checkpoint that is the first of its third or the last of all, unless it is kept already."""
        for path in sorted(self.folder.checkpoints.glob("[0-9]*.ckpt")):
            copy = self.folder.path / "kept" / path.name
            if self._ends_part(int(path.stem)) and not copy.exists():
                write_atomically(copy, path.read_bytes())

    def kept(self) -> list[Path]:
        """The checkpoints that are kept, oldest first; others that lie beside them are not read."""
        files = sorted((self.folder.path / "kept").glob("[0-9]*.ckpt"))
        return [file for file in files if self._ends_part(int(file.stem))]

    def _ends_part(self, images: int) -> bool:
        """Whether a third of the run ends between the checkpoint before and one after so many images.

        Where a run was stopped it leaves a checkpoint too, which is none of these.
        """
        total, every = self.experiment.images, self.experiment.checkpoint or max(self.experiment.images // 10, 1)
        index, beyond = divmod(images, every)
        due = index > 0 and beyond < self.experiment.batch
        return images >= total or (due and index * every * PARTS // total > (index - 1) * every * PARTS // total)


def distances(run: Run, data: Images, counts: dict[Path, int], note: Note) -> list[Record]:
    """FID and KID on InceptionV3 at checkpoints, each of so many samples; none where InceptionV3 is not here.

    What was measured before is read from the run's folder. The run has the last checkpoint's weights in the end.
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
