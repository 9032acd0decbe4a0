"""`ebgan VERB ...`: run a verb, and turn errors into one line and an exit code."""

from __future__ import annotations

import difflib
import errno
import io
import logging
import os
import sys
from importlib import import_module

import ebgan
from ebgan.errors import INTERRUPTED, OUT_OF_MEMORY, DataError, EbganError, UsageError

VERBS = {
    "recipes": "list the recipes: figures and tables of the papers by name",
    "train": "train a recipe, or a saved config.yaml, into a run folder, or resume",
    "sample": "draw samples from a run as a grid or as files",
    "evaluate": "measure a run's samples: I', FID and KID on the classifier, classes covered",
    "score": "rank images by a run's energy: an anomaly score, with error maps",
    "chain": "simulate Markov chains with a run's transitions (VGAN, figure 5)",
    "classify": "classify images with a run that was trained on few labels",
    "calibrate": "train only the auto-encoder and suggest a margin (EBGAN, appendix E)",
    "sweep": "run a grid of experiments, in stacks and on many workers, or resume",
    "report": "rewrite the report.html of a run or a sweep",
    "reproduce": "measure the papers' claims: `ebgan reproduce` lists them",
    "pack": "decode a folder, an archive or a database of pictures once, into a set that trains fast",
    "data": "fetch a data set: `ebgan data get mnist`",
    "completion": "print a script that completes commands in bash, zsh or fish",
    "doctor": "describe this machine and its speed, for a bug report",
}

SPINS = "1000"  # how long an idle OpenMP thread of torch spins before it sleeps; GNU's default is 300,000


def main() -> None:
    """The entry point of the command `ebgan`."""
    if "OMP_WAIT_POLICY" not in os.environ:  # torch reads these variables on import
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run a command line and return its exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
        return 0 if argv else UsageError.exit_code
    if argv[0] == "--version":
        print(f"ebgan {ebgan.__version__}")
        return 0
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # paths may hold characters the terminal cannot encode
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ebgan").setLevel(logging.INFO)
    try:
        import_module(f"ebgan.cli.{_verb(argv[0])}").main(argv[1:])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (EbganError, KeyboardInterrupt, OSError, RuntimeError, MemoryError) as error:
        known = _message(error)
        if known is None:
            raise
        return _fail(*known)
    return 0


def _message(error: BaseException) -> tuple[str, int] | None:
    """The message for an error, and the exit code; None for an unexpected error, which needs its traceback."""
    if isinstance(error, EbganError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"{error.filename}: a name in this path is longer than the file system allows", UsageError.exit_code
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}", DataError.exit_code
    if _no_memory(error):
        return "out of memory: take a smaller batch, smaller nets, or another --device", OUT_OF_MEMORY
    return None


def _no_memory(error: BaseException) -> bool:
    from_torch = "OutOfMemory" in type(error).__name__ or "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or from_torch


def _verb(name: str) -> str:
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        raise UsageError(f"no verb {name!r}: " + (f"did you mean {near[0]!r}?" if near else "see `ebgan --help`"))
    return name


def _fail(message: str, code: int) -> int:
    print(f"ebgan: {' '.join(message.split())}", file=sys.stderr)
    return code


def _help() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        [
            "usage: ebgan VERB ... (each verb has its own --help), or ebgan --version",
            "",
            "Energy-based generative adversarial networks.",
            "",
            *lines,
            "",
            "To begin: `ebgan train digits` takes a minute and says where samples and report are.",
        ]
    )
