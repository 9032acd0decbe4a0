"""The workers that come with a sweep."""

import os

from ebgan.sweeps.cluster import connected


def test_a_worker_keeps_the_memory_that_its_next_step_needs() -> None:
    with connected(1) as client:
        (kept,) = client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()
    assert int(kept) >= 1 << 28
