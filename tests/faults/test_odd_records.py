"""Lines that are JSON and no record: named by their line, passed over, and no reason for report or resume to fail."""

import json
from pathlib import Path

import pytest

from ebgan.cli.main import run as command
from ebgan.storage.runfolder import read_records

ANYWHERE = [
    *("null", "5", "[1]", '"text"', "true", "{}", "1e999", "[" * 100_000, '{"a":' * 50_000),
    *('{"images": ' + "9" * 5_000 + "}", '{"images": -1}', '{"images": true}', '{"images": 1.5}', '{"images": "12"}'),
    *('{"images": null}', '{"images": [12]}', '{"images": ' + "9" * 300 + "}", "{'images': 1}", "\x00\x00", "\ud7ff"),
]
OF = {
    "stats.jsonl": [
        '{"images": 12, "seconds": "long"}',
        '{"images": 12, "seconds": Infinity}',
        '{"images": 12, "seconds": -1}',
        '{"images": 12, "energy_fake": "low"}',
        '{"images": 12, "energy_real": null}',
        '{"images": 12, "margin": {}}',
        '{"images": 12, "code_similarity": [1, 2]}',
        '{"images": 12, "state/k": true}',
        '{"images": 12, "hinge_share": ' + "9" * 400 + "}",
    ],
    "evaluations.jsonl": [
        '{"images": 12}',
        '{"images": 12, "metrics": null}',
        '{"images": 12, "metrics": [1]}',
        '{"images": 12, "metrics": {"i_usual": "high"}}',
        '{"images": 12, "metrics": {"i_usual": null}}',
        '{"images": 12, "metrics": {}, "histogram": {"a": 1}}',
        '{"images": 12, "metrics": {}, "histogram": ["a"]}',
        '{"images": 12, "metrics": {}, "classes": "ab"}',
        '{"images": 12, "metrics": {}, "classes": [1]}',
        '{"images": 12, "metrics": {}, "protocol": 5}',
        '{"images": 12, "metrics": {}, "protocol": {"samples": [[]]}}',
        '{"images": 12, "metrics": {}, "classification": {"classes": ["a"]}}',
        '{"images": 12, "metrics": {}, "classification": 5}',
    ],
    "alarms.jsonl": [
        '{"images": 12}',
        '{"images": 12, "alarm": 5, "message": "m"}',
        '{"images": 12, "alarm": "a", "message": null}',
        '{"images": 12, "alarm": ["a"], "message": "m"}',
    ],
}
GOOD = {
    "stats.jsonl": {"images": 12, "seconds": 0.5, "energy_real": 1.0, "energy_fake": float("nan")},
    "evaluations.jsonl": {
        "images": 12,
        "metrics": {"i_usual": 1.0},
        "histogram": [0.5, 0.5],
        "protocol": {"samples": 2},
    },
    "alarms.jsonl": {"images": 12, "alarm": "collapse", "message": "m"},
}


def lines(name: str) -> list[str]:
    return [*ANYWHERE, *OF[name]]


@pytest.mark.parametrize("name", OF)
def test_each_odd_line_is_named_and_the_good_ones_are_kept(tmp_path: Path, caplog, name: str) -> None:
    path, good = tmp_path / name, json.dumps(GOOD[name])
    for odd in lines(name):
        caplog.clear()
        path.write_text(f"{good}\n{odd}\n{good}\n", encoding="utf-8")
        assert len(read_records(path)) == 2, odd[:60]
        assert f"{name}: line 2 is not a record" in caplog.text, odd[:60]


def test_a_line_torn_by_a_kill_is_no_news(tmp_path: Path, caplog) -> None:
    path = tmp_path / "stats.jsonl"
    path.write_text('{"images": 1}\n{"images": 2, "ene')
    assert read_records(path) == [{"images": 1}]
    assert not caplog.text


def test_a_run_with_odd_records_is_reported_and_goes_on(ebgan_pt, a_run, digest_of) -> None:
    whole, run = a_run(ebgan_pt), a_run(ebgan_pt)
    whole.train()
    run.train()
    for checkpoint in (run.folder / "checkpoints").glob("*240.ckpt"):
        checkpoint.unlink()
    for name in OF:
        with (run.folder / name).open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines(name)))
    assert command(["report", str(run.folder)]) == 0
    run.train()
    assert run.digest() == whole.digest()
    images = [record["images"] for record in read_records(run.folder / "stats.jsonl")]
    assert images == [record["images"] for record in read_records(whole.folder / "stats.jsonl")]
