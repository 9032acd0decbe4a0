"""Recognise data that was moved after a sweep was started, so that its trials keep their ids and results.

A sweep stores the checksum of each data set of its trials. Data at another path with the same checksum is the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ebgan import config
from ebgan.experiment import Data
from ebgan.experiment.grid import Trial
from ebgan.sweeps.training import opened

FACT = "data"  # its name among the facts of a sweep's store

logger = logging.getLogger(__name__)


def recognised(trials: Sequence[Trial], facts: Mapping[str, str]) -> tuple[list[Trial], dict[str, str]]:
    """The trials with the ids that they had before their data was moved, and the fact to store.

    Data is read only if no earlier call has read it at the same path. Raises DataError if it cannot be read.
    """
    known = _known(facts)
    places: dict[Data, Data] = {}
    for data in dict.fromkeys(trial.experiment.data for trial in trials):
        checksum = known.get(_text(data)) or opened(data).checksum
        places[data] = _before(data, checksum, known)
        known[_text(places[data])] = checksum
        if places[data] != data:
            logger.warning(
                "%s: the same data as in %s: its trials keep their results", data.source, places[data].source
            )
    moved = {data: place for data, place in places.items() if place != data}
    found = [
        Trial.of(made, moved[made.data]) if (made := trial.experiment).data in moved else trial for trial in trials
    ]
    return found, {FACT: json.dumps(known)}


def _before(data: Data, checksum: str, known: Mapping[str, str]) -> Data:
    """The same data at the path where an earlier call read it, if any."""
    if _text(data) in known:
        return data
    for text in (text for text, each in known.items() if each == checksum):
        place = json.loads(text)
        before = replace(data, source=place["source"], labels=place["labels"])
        if _text(before) == text:
            return before
    return data


def _text(data: Data) -> str:
    """All settings that decide which images are read, and how."""
    return json.dumps(config.plain(replace(data, workers=0)), sort_keys=True)


def _known(facts: Mapping[str, str]) -> dict[str, str]:
    """The stored checksums: data -> checksum; {} if the fact is invalid."""
    try:
        found = json.loads(facts.get(FACT, "{}"))
        places = [json.loads(text) for text in found]
    except (TypeError, ValueError, RecursionError):
        return {}
    texts = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if texts and all(map(_is_place, places)) else {}


def _is_place(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("source"), str)
        and isinstance(value.get("labels", 0), str | None)
    )
