"""What can go wrong for a user, each with the exit code that the command line ends with."""

import sys
from collections.abc import Callable
from typing import Literal


class EbganError(Exception):
    """An error whose message is for the user: it names what was wrong and how to mend it."""

    exit_code = 1
    agreed = False  # whether all processes that train together know of it at the same moment


class UsageError(EbganError, ValueError):
    """A command, recipe or config that cannot be carried out."""

    exit_code = 2


class DataError(EbganError, ValueError):
    """A data set, image or archive that cannot be read."""

    exit_code = 3


class NoSplitError(DataError):
    """A data set that keeps no images of the split that was asked for."""


class CheckpointError(EbganError):
    """No valid checkpoint, or one that does not fit the run."""

    exit_code = 4


class StorageError(EbganError, OSError):
    """Writing failed: the message names the path, the bytes needed and the bytes free."""

    exit_code = 5


class DivergedError(EbganError):
    """A loss or gradient that is not finite; the weights from before it are kept."""

    exit_code = 6


class RunLockedError(EbganError):
    """Another process trains in the same run folder."""

    exit_code = 9


def ambiguous(name: str) -> str:
    """What a user may mean by a name that papers use for two objectives, or "" for any other name."""
    last = "".join(filter(str.isalnum, name.rpartition(".")[2].lower()))
    if last not in ("lsgan", "lsgans"):
        return ""
    return (
        "two objectives go by that name: the loss-sensitive GAN of Qi, 2017 (LossSensitiveGAN, recipes "
        "NAME.loss_sensitive), and the least-squares GAN of Mao et al., 2017 (LeastSquaresGAN, recipes "
        "NAME.least_squares)"
    )


OUT_OF_MEMORY = 7
WORKER_LOST = 8
INTERRUPTED = 130
TERMINATED = 143


def check_least(owner: str, least: int, **values: int | None) -> None:
    """Raise UsageError that names the first field whose value is below the least that makes sense; None is allowed."""
    for name, value in values.items():
        if isinstance(value, bool | float | str):
            raise UsageError(f"{owner}.{name}={value!r}: expected a whole number".lstrip("."))
        if value is not None and value < least:
            raise UsageError(f"{owner}.{name}={value}: expected at least {least}".lstrip("."))


def check_most(owner: str, most: int, **values: int | None) -> None:
    """Raise UsageError that names the first field whose value is above the most that makes sense; None is allowed."""
    check_least(owner, -most, **values)
    for name, value in values.items():
        if value is not None and value > most:
            raise UsageError(f"{owner}.{name}={value}: expected at most {most:,}".lstrip("."))


Wanted = Literal["above 0", "of 0 or more", "of 1 or less", "from 0 to 1", "from 0 to below 1", "that is finite"]
_FITS: dict[Wanted, Callable[[float], bool]] = {
    "above 0": lambda value: value > 0,
    "of 0 or more": lambda value: value >= 0,
    "of 1 or less": lambda value: value <= 1,
    "from 0 to 1": lambda value: 0 <= value <= 1,
    "from 0 to below 1": lambda value: 0 <= value < 1,
    "that is finite": lambda _: True,
}


def check_number(owner: str, wanted: Wanted, **values: object) -> None:
    """Raise UsageError that names the first field whose value is no finite number of the kind that is wanted.

    None is none, and the tensors that a stack's fields hold were looked at one by one before.
    """
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str):
            continue
        finite = not isinstance(value, bool | str) and abs(value) <= sys.float_info.max  # which nan is not
        if not finite or not _FITS[wanted](value):  # type: ignore[arg-type]
            raise UsageError(f"{owner}.{name}={value!r}: expected a number {wanted}".lstrip("."))
