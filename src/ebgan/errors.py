"""What can go wrong for a user, each with the exit code that the command line ends with."""


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
    """The disk refused: the message names the path, the bytes needed and the bytes free."""

    exit_code = 5


class DivergedError(EbganError):
    """A loss or gradient that is not finite; the weights from before it are kept."""

    exit_code = 6


class RunLockedError(EbganError):
    """Another process trains in the same run folder."""

    exit_code = 9


OUT_OF_MEMORY = 7
WORKER_LOST = 8
INTERRUPTED = 130
TERMINATED = 143


def check_least(owner: str, least: int, **values: int | None) -> None:
    """Raise UsageError that names the first field whose value is below the least that makes sense; None is none."""
    for name, value in values.items():
        if value is not None and value < least:
            raise UsageError(f"{owner}.{name}={value}: expected at least {least}".lstrip("."))


def check_most(owner: str, most: int, **values: int | None) -> None:
    """Raise UsageError that names the first field whose value is beyond any sense; None is none."""
    for name, value in values.items():
        if value is not None and value > most:
            raise UsageError(f"{owner}.{name}={value}: expected at most {most:,}".lstrip("."))
