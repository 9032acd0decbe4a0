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
        """How many threads can work at once."""
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
    """The limits of all groups that the process is in, outer ones among them."""
    for group in _groups(root, "", "unified"):
        allowed, _, period = _text(group / "cpu.max").partition(" ")
        if allowed.isdigit() and int(period) > 0:
            yield int(allowed) / int(period)
    for group in _groups(root, "cpu"):
        allowed, period = _text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()
        if allowed.isdigit() and period.isdigit() and int(period) > 0:
            yield int(allowed) / int(period)


def _memory_limits(root: Path) -> Iterator[int]:
    texts = [_text(group / "memory.max") for group in _groups(root, "", "unified")]
    texts += [_text(group / "memory.limit_in_bytes") for group in _groups(root, "memory")]
    return (int(text) for text in texts if text.strip().isdigit() and int(text) < UNLIMITED)


def _groups(root: Path, controller: str, *others: str) -> Iterator[Path]:
    """The folders of the process's cgroup and of those around it: of a controller, or of version 2 for ""."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            inner = Path(path.lstrip("/"))
            for mount in (*others, "") if not controller else (names, controller):
                for group in (inner, *inner.parents):
                    yield root / "sys/fs/cgroup" / mount / group


def _text(path: Path) -> str:
    """A file's content, or nothing where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
