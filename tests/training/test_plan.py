"""When a run does what is due every so many images, and which steps take what only a report reads."""

import pytest

from ebgan.training.plan import WATCHED, Plan

BATCH = 10


def plan(record: int) -> Plan:
    return Plan(
        images=1_000,
        batch=BATCH,
        record=record,
        picture=500,
        evaluation=500,
        checkpoint=500,
        config="",
        waive_config=False,
        waive_data=False,
        meta={},
    )


def watched(record: int) -> list[int]:
    """The images seen after each step that takes what is only watched."""
    steps = [(before, before + BATCH) for before in range(0, 1_000, BATCH)]
    return [images for before, images in steps if plan(record).watches(before, images)]


@pytest.mark.parametrize("record", [10, 25, 100, 130, 400])
def test_what_is_watched_is_there_at_every_record_and_at_the_end(record: int) -> None:
    records = [images for images in range(BATCH, 1_001, BATCH) if images // record > (images - BATCH) // record]
    assert {*records, 500, 1_000} <= {*watched(record)}


def test_between_records_one_step_of_some_is_watched() -> None:
    assert len(watched(10**6)) == 100 // WATCHED + 1 + 2  # those of 500 and 1,000 images beside them
