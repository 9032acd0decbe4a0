"""Show the progress of a run in a notebook, in one output that IPython updates."""

from __future__ import annotations

import html
import sys
import time
from importlib import import_module
from typing import Any

from ebgan.storage.runfolder import Record

INTERVAL = 0.5  # seconds between updates, each of which is a message to the browser
_FIELDS = {  # name in a record -> format
    "images_per_second": "{:,.0f} images/s",
    "energy_real": "E(x) {:.2f}",
    "energy_fake": "E(G(z)) {:.2f}",
    "margin": "margin {:g}",
    "hinge_share": "{:.0%} under it",
}


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class NotebookBar:
    """A training observer that shows a bar, images seen and energies, with notices below."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.notices: list[str] = []
        self.seen, self.line, self.shown = 0, "starting", 0.0
        self.handle: Any = import_module("IPython.display").display({}, raw=True, display_id=True)
        self._show()

    def record(self, record: Record) -> None:
        """Update the bar, at most every INTERVAL seconds."""
        self.seen = min(record["images"], self.images)
        values = [shown.format(record[name]) for name, shown in _FIELDS.items() if name in record]
        self.line = "  ".join([f"{self.seen:,}/{self.images:,}", *values])
        if self.seen == self.images or time.monotonic() - self.shown >= INTERVAL:
            self._show()

    def notice(self, text: str) -> None:
        """Add a line below the bar."""
        self.notices.append(text)
        self._show()

    def _show(self) -> None:
        self.shown = time.monotonic()
        filled = round(20 * self.seen / self.images)
        plain = "\n".join(["#" * filled + "." * (20 - filled) + "  " + self.line, *self.notices])
        bar = f'<progress value="{self.seen}" max="{self.images}"></progress> {html.escape(self.line)}'
        marked = "<br>".join([bar, *map(html.escape, self.notices)])
        self.handle.update({"text/plain": plain, "text/html": f"<div>{marked}</div>"}, raw=True)
