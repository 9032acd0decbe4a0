import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from ebgan.errors import UsageError
from ebgan.report import grid, html, save_png, write_report
from ebgan.storage.runfolder import RunFolder, append_record, read_records


class Page(HTMLParser):
    """What a browser would make of a report: its elements with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def written(folder):
    return write_report(folder).read_text("utf-8")


def test_the_report_of_a_finished_run_holds_everything(run, digits):
    html = written(run)
    page = Page(html)
    for text in ("digits", "4,000", "1.987", "real data 2.21", "Raise the margin.", "accuracy0.991", "margin: 2.5"):
        assert text in page.text
    for title in ("Energies", "Losses", "Samples under the margin", "Terms of the discriminator's loss", "Speed"):
        assert page.text.count(title) == 1
    assert "Not finished" not in page.text
    shown, real = page.all("img")[:2]
    assert base64.b64decode(shown["src"].split(",")[1]) == run.grid(4000).read_bytes()
    assert base64.b64decode(real["src"].split(",")[1]) == run.real.read_bytes()


def test_the_strip_goes_from_the_first_grid_to_the_last(run):
    radios = Page(written(run)).all("input")
    moments = [radio["data-images"] for radio in radios]
    assert len(moments) == 10
    assert (moments[0], moments[-1]) == ("0", "4,000")
    assert [("checked" in radio) for radio in radios] == [False] * 9 + [True]


def test_a_page_asks_nothing_of_anyone(run):
    page = Page(written(run))
    links = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "srcset", "data")
    ]
    assert links
    assert all(value.startswith(("data:", "#")) for value in links)
    assert not re.search(r"url\((?!#)|@import", page.text)


def test_the_policy_lets_the_pages_own_script_run_and_nothing_else(run):
    html = written(run)
    policy = next(meta["content"] for meta in Page(html).all("meta") if "http-equiv" in meta)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in policy
    assert "default-src 'none'" in policy


def test_whatever_a_run_holds_is_text_and_never_markup(tmp_path):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    folder = RunFolder(tmp_path / "<script>")
    folder.path.mkdir()
    append_record(folder.stats, {"images": 1, f"state/{hostile}": 1.0})
    append_record(folder.alarms, {"images": 1, "alarm": hostile, "message": hostile})
    evaluation = {"images": 1, "metrics": {hostile: 1.0}, "protocol": {hostile: hostile}}
    append_record(folder.evaluations, evaluation)
    append_record(folder.evaluations, {**evaluation, "images": 2})
    folder.config.write_text(f"# {hostile}\n")
    page = Page(written(folder))
    assert not page.all("script")
    assert not page.all("img")
    assert page.text.count(hostile) >= 6
    assert "<script>" in page.text.split("ebgan")[0], "the title is the folder's name"


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are Unicode there")
def test_a_folder_whose_name_is_no_unicode_has_its_report_too(tmp_path):
    folder = RunFolder(tmp_path / os.fsdecode(b"run-\xff"))
    folder.path.mkdir()
    assert "run-" in Page(written(folder)).text


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path):
    page = Page(written(RunFolder(tmp_path)))
    for text in ("No samples yet.", "Not evaluated yet.", "Nothing recorded yet.", "No config"):
        assert text in page.text


def test_a_run_of_a_single_record_is_told_as_unfinished(tmp_path, stats):
    folder = RunFolder(tmp_path)
    append_record(folder.stats, stats[0])
    folder.config.write_text("seed: 0\nimages: 60_000\n")
    page = Page(written(folder))
    assert "Not finished" in page.text
    assert "of 60,000" in page.text
    assert len(page.all("svg")) == 6


def test_a_single_evaluation_is_a_table_without_curves(tmp_path, evaluations):
    folder = RunFolder(tmp_path)
    append_record(folder.evaluations, evaluations[0])
    page = Page(written(folder))
    assert len(page.all("tr")) == 1 + 3
    assert "Metrics over training" not in page.text
    assert len(page.all("svg")) == 1, "the histogram alone"


def test_a_single_grid_is_shown_large_without_a_strip(tmp_path, digits):
    folder = RunFolder(tmp_path)
    save_png(grid(digits[:4]), folder.grid(64))
    page = Page(written(folder))
    assert len(page.all("img")) == 1
    assert not page.all("input")


def test_a_heavy_picture_is_packed_smaller(tmp_path):
    folder = RunFolder(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (16, 3, 256, 256), dtype=np.uint8)
    save_png(grid(noise), folder.real)
    (picture,) = Page(written(folder)).all("img")
    assert picture["src"].startswith("data:image/webp;base64,")
    assert len(picture["src"]) < folder.real.stat().st_size / 2


def test_the_same_folder_gives_the_same_page(run):
    assert written(run) == written(run)


def test_no_folder_is_an_error_that_says_what_was_expected(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        write_report(RunFolder(tmp_path / "missing"))


def test_a_report_is_written_without_loading_torch(run):
    code = "import sys, pathlib; from ebgan.report import write_report; from ebgan.storage.runfolder import RunFolder; "
    code += "write_report(RunFolder(pathlib.Path(sys.argv[1]))); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(run.path)], check=False).returncode == 0


def test_a_metric_that_one_evaluation_alone_has_is_in_the_table_and_has_no_curve(tmp_path):
    folder = RunFolder(tmp_path)
    quick = {"i_usual": 1.0, "classes_covered": 0.5}
    append_record(folder.evaluations, {"images": 10, "metrics": quick, "histogram": [1.0], "protocol": {}})
    append_record(folder.evaluations, {"images": 20, "metrics": quick | {"fid_classifier": 3.25}, "protocol": {}})
    page = write_report(folder).read_text()
    assert "3.25" in page
    assert [chart.title for chart in html._metric_charts(read_records(folder.evaluations))] == [
        "I', usual order",
        "Classes covered",
    ]
