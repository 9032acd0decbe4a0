"""Cores and memory that this process may use: those of the machine, less what a container or a scheduler withholds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

UNLIMITED = 1 << 60  # bytes: the first version of cgroups writes a number near 2^63 for no limit


class Cores(NamedTuple):
    """How many cores there are."""

    machine: int
    affinity: int  # on which the process may run
    quota: float | None  # of a container: core seconds a second; None without a limit

    @property
    def usable(self) -> int:
        """How many threads can run at once."""
        return max(1, min(self.affinity, math.ceil(self.quota or self.affinity)))


class Memory(NamedTuple):
    """Bytes of main memory."""

    total: int
    available: int | None  # without swapping; None where the system does not tell
    limit: int | None  # of a container


def cores(root: Path = Path("/")) -> Cores:
    """The cores of the machine whose /proc and /sys lie under `root`."""
    machine = os.cpu_count() or 1
    try:
        affinity = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        affinity = machine
    return Cores(machine, affinity, min(_quotas(root), default=None))


def memory(root: Path = Path("/")) -> Memory:
    """The memory of the machine whose /proc and /sys lie under `root`."""
    available = None
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            available = 1024 * int(line.split()[1])
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Memory(total, available, min(_memory_limits(root), default=None))


def _quotas(root: Path) -> Iterator[float]:
    """The limits of all control groups that the process is in, including outer ones."""
    for group in _groups(root, ""):
        yield from _share(_words(group / "cpu.max"))
    for group in _groups(root, "cpu"):
        yield from _share(_words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us"))


def _share(words: list[str]) -> list[float]:
    """Quota divided by period; [] if one of them is no number, as in a group without a limit."""
    numbers = [int(word) for word in words if word.isdigit()]
    return [numbers[0] / numbers[1]] if len(numbers) == 2 and numbers[1] else []


def _memory_limits(root: Path) -> Iterator[int]:
    files = [group / "memory.max" for group in _groups(root, "")]
    files += [group / "memory.limit_in_bytes" for group in _groups(root, "memory")]
    numbers = (int(word) for file in files for word in _words(file) if word.isdigit())
    return (number for number in numbers if number < UNLIMITED)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the process's groups and of those around them: of a controller, or of version 2 for ""."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if path and controller in names.split(","):
            inner = Path(path.lstrip("/"))
            for mount in (names, controller) if controller else ("", "unified"):
                for group in (inner, *inner.parents):
                    yield root / "sys/fs/cgroup" / mount / group


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    """A file's content, or nothing where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
