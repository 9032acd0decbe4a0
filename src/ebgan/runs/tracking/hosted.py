"""Trackers with a library and a server of their own: wandb, trackio (the same calls), mlflow.

None of them is a dependency; where each one keeps its data, and whether it asks a network, is set as its own
documentation says: WANDB_MODE=offline, TRACKIO_DIR, MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, final

from PIL import Image

from ebgan.errors import UsageError
from ebgan.runs.tracking.logger import Setting

PROJECT = "ebgan"
_LONGEST = 250  # characters of a parameter that mlflow takes


@contextmanager
def wandb_logger(library: Literal["wandb", "trackio"], out: Path) -> Iterator[Wandb]:
    """A run of wandb or trackio, named as the run folder. Raises UsageError where the library is missing."""
    module = _module(library)
    run = module.init(project=PROJECT, name=out.resolve().name)
    try:
        yield Wandb(module, run)
    finally:
        module.finish()


@contextmanager
def mlflow_logger(out: Path) -> Iterator[Mlflow]:
    """A run of mlflow, named as the run folder. Raises UsageError where it is missing."""
    module = _module("mlflow")
    module.set_experiment(PROJECT)
    module.start_run(run_name=out.resolve().name)
    try:
        yield Mlflow(module)
    finally:
        module.end_run()


@final
class Wandb:
    """A `Logger` on the calls that wandb and trackio share."""

    def __init__(self, module: Any, run: Any) -> None:
        self.module, self.run = module, run

    def settings(self, settings: Mapping[str, Setting]) -> None:
        """Set the run's config."""
        self.run.config.update(dict(settings))

    def scalars(self, scalars: Mapping[str, float], images: int) -> None:
        """Log one point of each curve."""
        self.module.log(dict(scalars), step=images)

    def picture(self, name: str, path: Path, images: int) -> None:
        """Log the picture."""
        self.module.log({name: self.module.Image(str(path))}, step=images)


@final
class Mlflow:
    """A `Logger` on mlflow's calls."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def settings(self, settings: Mapping[str, Setting]) -> None:
        """Log the parameters, cut where mlflow would refuse them."""
        self.module.log_params({name: str(value)[:_LONGEST] for name, value in settings.items()})

    def scalars(self, scalars: Mapping[str, float], images: int) -> None:
        """Log one point of each curve."""
        self.module.log_metrics(dict(scalars), step=images)

    def picture(self, name: str, path: Path, images: int) -> None:
        """Log the picture."""
        with Image.open(path) as image:
            self.module.log_image(image, key=name, step=images)


def _module(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError as error:
        raise UsageError(f"{library} is needed here and cannot be imported ({error}): pip install {library}") from error
