"""Drawing in any environment."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from ebgan.report.plots import histogram
assert "matplotlib" not in sys.modules
assert histogram([0.5, 0.5]).startswith("<svg")
assert os.environ.get("MPLBACKEND") == {backend!r}
import matplotlib
print(matplotlib.rcParams._get_backend_or_none())
"""


@pytest.mark.parametrize(
    ("backend", "kept"),
    [
        ("module://matplotlib_inline.backend_inline", None),
        ("agg", "agg"),
        *(
            pytest.param(backend, kept, marks=pytest.mark.slow)
            for backend, kept in [
                (None, None),
                ("", None),
                ("inline", None),
                ("garbage", None),
                ("TkAgg", "tkagg"),
                ("svg", "svg"),
                ("module://", "module://"),
                ("module://no.such.module", "module://no.such.module"),
                ("Qt5Agg", "qt5agg"),
            ]
        ),
    ],
)
def test_curves_are_drawn_whatever_backend_the_environment_names(backend: str | None, kept: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    if backend is not None:
        environment["MPLBACKEND"] = backend
    script = SCRIPT.format(backend=backend)
    ended = subprocess.run([sys.executable, "-c", script], env=environment, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip().lower() == str(kept).lower()
