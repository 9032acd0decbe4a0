"""Import matplotlib independently of MPLBACKEND; no other module imports it.

It is imported only when something is drawn, because that takes half a second. A notebook's kernel sets MPLBACKEND for
the programs that it starts, and matplotlib fails to load in an environment without that backend. Curves need none.
"""

from __future__ import annotations

import os
from contextlib import suppress


def _load() -> None:
    """Import matplotlib without MPLBACKEND, then set that backend if available, for the user's own figures."""
    named = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    finally:
        if named is not None:
            os.environ["MPLBACKEND"] = named
    if named:
        with suppress(ValueError):
            mpl.rcParams["backend"] = named


_load()

from matplotlib import colormaps, style  # noqa: E402  # after it is loaded so
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter  # noqa: E402

__all__ = ["Figure", "Line2D", "MaxNLocator", "NullLocator", "Patch", "ScalarFormatter", "colormaps", "style"]
