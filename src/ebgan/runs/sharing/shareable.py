"""What a run hands on: its records, a folder for others, and a page of the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ebgan.runs.run import Run


class Shareable:
    """The part of `ebgan.Run` by which it leaves its folder."""

    def records(self) -> list[dict[str, Any]]:
        """The records of the run's folder as rows for pandas, as `ebgan.run_records` gives them."""
        from ebgan.runs.history import run_records

        return run_records(cast("Run", self).folder.path)

    def save_pretrained(self, destination: str | Path, *, license: str = "unknown") -> list[Path]:
        """Write config.json, model.safetensors, a model card and samples into a new folder, and return the files.

        `ebgan.load` reads it. Nothing in it names a path of this machine; optimisers' state is left out. Raises
        UsageError and StorageError as `ebgan.runs.sharing.export.export` does.
        """
        from ebgan.runs.sharing.export import export

        return export(cast("Run", self), destination, license=license)

    def push_to_hub(
        self, repository: str, *, license: str = "unknown", private: bool = True, token: str | None = None
    ) -> str:
        """Upload what `save_pretrained` writes to OWNER/NAME of the Hugging Face Hub, and return the page's address.

        The names of the files uploaded go to the log. Needs `pip install 'ebgan[hub]'`. Raises UsageError where that
        is missing, for a name that is none, and where the Hub refuses.
        """
        from ebgan.runs.sharing.hub import push

        return push(cast("Run", self), repository, license=license, private=private, token=token)
