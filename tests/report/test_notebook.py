"""Progress in a notebook, shown by a stand-in for IPython that keeps what it is told."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ebgan
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.report import NotebookBar, in_notebook
from ebgan.runs.trainer import Silent

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)
EXPERIMENT = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8)),
    images=80,
    batch=8,
    evaluation=Evaluation(grid=4),
)


class Handle:
    """What IPython gives for an output that has an identity."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, content: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(content)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    """A notebook's kernel; the outputs that were made in it."""
    made: list[Handle] = []

    def display(content: object, **options: Any) -> Handle:
        assert options == {"raw": True, "display_id": True}
        made.append(Handle())
        return made[-1]

    package, inner = ModuleType("IPython"), ModuleType("IPython.display")
    package.version_info = (9, 0, 0)  # which matplotlib asks for
    package.get_ipython = lambda: SimpleNamespace(kernel=object())
    inner.display = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    return made


def test_training_in_a_notebook_shows_one_output_that_ends_full(tmp_path: Path, kernel: list[Handle]) -> None:
    ebgan.train(EXPERIMENT, tmp_path / "run", data=IMAGES, device="cpu")
    (output,) = kernel
    assert output.shown[0]["text/plain"].startswith("." * 20 + "  starting")
    last = output.shown[-1]
    assert "#" * 20 + "  80/80  " in last["text/plain"]
    assert "E(x) " in last["text/plain"]
    assert '<progress value="80" max="80">' in last["text/html"]
    assert "40 images" in last["text/html"]  # a notice


def test_an_observer_that_is_given_is_the_only_one(tmp_path: Path, kernel: list[Handle]) -> None:
    ebgan.train(EXPERIMENT, tmp_path / "run", data=IMAGES, device="cpu", observer=Silent())
    assert kernel == []


def test_what_is_shown_is_text_and_not_html(kernel: list[Handle]) -> None:
    bar = NotebookBar(100)
    bar.notice("<script>")
    bar.record({"images": 120, "energy_real": 1.0})
    assert "<script>" in kernel[0].shown[-1]["text/plain"]
    assert "<script>" not in kernel[0].shown[-1]["text/html"]
    assert "100/100" in kernel[0].shown[-1]["text/html"]


@pytest.mark.parametrize("shell", [None, SimpleNamespace(), SimpleNamespace(kernel=None)])
def test_a_terminal_is_no_notebook(shell: object, kernel: list[Handle], monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_notebook()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_the_images_of_a_notebook_do_not_depend_on_its_bar(tmp_path: Path, kernel: list[Handle]) -> None:
    runs = [
        ebgan.train(replace(EXPERIMENT, seed=3), tmp_path / name, data=IMAGES, device="cpu", observer=observer)
        for name, observer in (("bar", None), ("none", Silent()))
    ]
    assert (runs[0].sample(4) == runs[1].sample(4)).all()
