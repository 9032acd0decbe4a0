"""Whether a run can resume from a checkpoint: does it exist, and does it fit the config and the data?"""

from __future__ import annotations

from collections.abc import Iterator

from ebgan.errors import CheckpointError, UsageError
from ebgan.storage.runfolder import RunFolder, read_records
from ebgan.training.facts import Facts
from ebgan.training.plan import Plan


def refuse_lost_checkpoints(folder: RunFolder, interval: int) -> None:
    """Raise CheckpointError if records mention checkpoints that are missing (a disk not mounted, a partial copy).

    A record is written just before each checkpoint: if two lie beyond the first interval, a checkpoint was complete.
    """
    later = [record["images"] for record in read_records(folder.stats) if record["images"] >= interval]
    if len(later) > 1:
        raise CheckpointError(
            f"{folder.checkpoints}: holds no checkpoint, but {folder.stats.name} reaches {max(later):,} images seen. "
            "Put the checkpoints back, or, to train afresh, delete the run's folder or choose another one"
        )


def refuse_other_shape(facts: Facts, plan: Plan) -> None:
    """Raise CheckpointError for a checkpoint of images of another shape; no switch waives this."""
    if list(facts.shape) != plan.meta["shape"]:
        raise CheckpointError(
            f"the newest checkpoint is for images of shape {list(facts.shape)}, and the data have "
            f"{plan.meta['shape']}. Undo that change of the data, or choose another folder"
        )


def differences(folder: RunFolder, plan: Plan, config: str, data: str) -> list[str]:
    """How a checkpoint differs from this config's hash and this data's checksum; a switch waives each.

    Raises UsageError for a difference that is not waived.
    """
    return [_waived(*each) for each in _differences(folder, plan, config, data)]


def _differences(folder: RunFolder, plan: Plan, config: str, data: str) -> Iterator[tuple[str, str, bool]]:
    if config != plan.config:
        message = f"{folder.checkpoints}: the newest checkpoint is of another config ({config}, not {plan.config})"
        yield message, "--override-config", plan.waive_config
    if data != (here := plan.meta["data"]):
        message = f"{folder.path}: the run was started on other data (SHA-256 {data[:12]}, not {here[:12]})"
        yield message, "--override-data", plan.waive_data


def _waived(difference: str, switch: str, waived: bool) -> str:
    if not waived:
        raise UsageError(f"{difference}. Choose another folder, undo the change, or continue with {switch}")
    return f"{switch} waives this check: {difference}"
