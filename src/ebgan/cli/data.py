"""`ebgan data get NAME`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class DataGet:
    """Fetch a data set into $EBGAN_DATA or the user's cache folder; an interrupted download resumes."""

    verb: Annotated[Positional[Literal["get"]], arg(metavar="get")]  # the word get
    name: Annotated[Positional[Literal["mnist", "fashion_mnist", "cifar10", "svhn"]], arg(metavar="NAME")]  # the set


def main(argv: list[str]) -> None:
    """Fetch a set with a progress bar, and print the files' paths."""
    chosen = parse(DataGet, "data", argv)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from ebgan.data import data_folder, fetch

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def progress(file: str, here: int, total: int | None) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file)
            bar.update(tasks[file], completed=here, total=total)

        paths = fetch(chosen.name, data_folder(chosen.name), progress)
    for path in paths:
        print(path)
