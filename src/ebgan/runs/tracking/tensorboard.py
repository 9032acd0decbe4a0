"""TensorBoard's event files, by `torch.utils.tensorboard` (extra `tensorboard`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
from PIL import Image

from ebgan.extras import needed
from ebgan.runs.tracking.logger import Setting


@contextmanager
def tensorboard_logger(folder: Path) -> Iterator[TensorBoard]:
    """A logger that writes event files into a folder. Raises UsageError where tensorboard is missing."""
    needed("tensorboard", "tensorboard")
    writer = needed("torch.utils.tensorboard", "tensorboard").SummaryWriter(folder)
    try:
        yield TensorBoard(writer)
    finally:
        writer.close()


@final
class TensorBoard:
    """A `Logger` that writes through a SummaryWriter."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer

    def settings(self, settings: Mapping[str, Setting]) -> None:
        """Write the hyper-parameters, for the HPARAMS page and as text."""
        self.writer.add_hparams(
            {name: str(each) if each is None else each for name, each in settings.items()}, {}, run_name="."
        )
        self.writer.add_text("config", "\n".join(f"    {name}: {each}" for name, each in settings.items()), 0)

    def scalars(self, scalars: Mapping[str, float], images: int) -> None:
        """Write one point of each curve."""
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, images)
        self.writer.flush()

    def picture(self, name: str, path: Path, images: int) -> None:
        """Write the picture."""
        with Image.open(path) as image:
            self.writer.add_image(name, np.asarray(image.convert("RGB")), images, dataformats="HWC")
        self.writer.flush()
