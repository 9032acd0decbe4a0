"""A page over all runs of a folder."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import ebgan
from ebgan.cli.main import run
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.report.board import write_board


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that differ in their seed, one of them half way, with metrics of its own."""
    folder = tmp_path_factory.mktemp("runs")
    nets = Nets(generator=MLPGenerator(width=8, noise=4), discriminator=MLPAutoencoder(width=8))
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    experiment = Experiment(nets=nets, images=128, evaluation=Evaluation(samples=20, grid=4))
    ebgan.train(experiment, folder / "one", data=images, device="cpu")
    shutil.copytree(folder / "one", folder / "two <b>")
    config = folder / "two <b>" / "config.yaml"
    config.write_text(config.read_text().replace("seed: 0", "seed: 7").replace("images: 128", "images: 256"))
    measured = [{"images": images, "metrics": {"i_usual": 2.0 + images / 128}} for images in (64, 128)]
    (folder / "two <b>" / "evaluations.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in measured))
    (folder / "no run").mkdir()
    return folder


def test_the_board_shows_every_run_what_sets_it_apart_and_links_to_its_report(runs, capsys):
    assert run(["board", str(runs)]) == 0
    assert capsys.readouterr().out == f"{runs / 'board.html'}\n"
    page = (runs / "board.html").read_text()
    table, _, differences = page.partition("<h2>Differences</h2>")
    assert re.findall(r'<a href="(.*?)">', table) == ["one/report.html", "two%20%3Cb%3E/report.html"]
    assert "two &lt;b&gt;" in page
    assert "<b>" not in page
    assert '<td data-value="0.5">50%</td>' in table
    assert '<td data-value="3.0">3</td>' in table
    assert re.findall(r"<button>(.*?)</button>", differences) == ["run", "images", "seed"]
    assert differences.count('<td data-value="7">7</td>') == 1
    for title in ("Energy of the data", "Loss of the generator", "I&#39;, usual order"):
        assert f"<strong>{title}</strong>" in page
    assert page.count("<img src=") == 2


def test_the_board_asks_no_other_host_and_runs_no_other_script(runs, tmp_path):
    page = write_board([runs / "one"], tmp_path / "board.html").read_text()
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#|[^":]*report\.html)', page)
    assert page.count("<script") == 1
    assert "<h2>Differences</h2>" not in page


def test_a_run_that_has_just_begun_or_is_damaged_is_on_the_board(runs, tmp_path):
    for name, text in (("begun", "images: 10"), ("damaged", "{")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(text)
    page = write_board([tmp_path / "begun", tmp_path / "damaged"], tmp_path / "board.html").read_text()
    assert '<td data-value="0.0">0%</td>' in page
    assert "damaged" in page


def test_a_folder_without_runs_is_refused(tmp_path, capsys):
    assert run(["board", str(tmp_path)]) == 2
    assert "no runs here" in capsys.readouterr().err
