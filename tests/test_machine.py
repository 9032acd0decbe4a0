"""Cores and memory that containers leave: cgroups of both versions, outer groups too, and files that say nothing."""

import os
from pathlib import Path

import pytest

from ebgan.machine import Cores, cores, memory


def root_with(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


V2, V1 = "0::/outer/inner\n", "4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/outer/cpu.max": "50000 100000"}, 0.5),
        (
            {
                "proc/self/cgroup": V2,
                "sys/fs/cgroup/outer/cpu.max": "400000 100000",
                "sys/fs/cgroup/outer/inner/cpu.max": "200000 100000",
            },
            2.0,
        ),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/unified/outer/cpu.max": "300000 100000\n"}, 3.0),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            1.0,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "100000 0\n"}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "100000"}, None),
        ({"proc/self/cgroup": "nonsense\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, None),
    ],
)
def test_the_quota_is_the_tightest_of_all_groups_around_the_process(files, quota, tmp_path) -> None:
    assert cores(root_with(tmp_path, files)).quota == quota


@pytest.mark.parametrize(
    ("found", "usable"),
    [
        (Cores(8, 8, None), 8),
        (Cores(8, 3, None), 3),
        (Cores(8, 8, 1.5), 2),
        (Cores(8, 1, 4.0), 1),
        (Cores(8, 8, 0.2), 1),
    ],
)
def test_as_many_threads_can_work_as_affinity_and_quota_leave(found, usable) -> None:
    assert Cores(*found).usable == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no process to cores")
def test_cores_are_those_that_the_process_may_run_on() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores().affinity == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores().machine == os.cpu_count()


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/outer/memory.max": "1000000\n"}, 1_000_000),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/outer/memory.max": "max\n"}, None),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2000000\n"}, 2_000_000),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
    ],
)
def test_the_memory_limit_is_the_tightest_of_all_groups_around_the_process(files, limit, tmp_path) -> None:
    assert memory(root_with(tmp_path, files)).limit == limit


def test_available_memory_is_what_linux_says_or_is_not_told(tmp_path) -> None:
    assert memory(tmp_path).available is None
    assert memory(root_with(tmp_path, {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   7 kB\n"})).available == 7168
    assert memory().total > 1 << 28
