"""Asynchronous copies from the device to the host: started in one step, read in the next, so that no step waits."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor


@final
class Late:
    """A copy that starts at once; reading it waits only for work queued before the copy."""

    def __init__(self, value: Tensor) -> None:
        cuda = value.device.type == "cuda"
        self._copy = value.to("cpu", non_blocking=cuda)  # into pinned memory
        self._arrived = torch.cuda.current_stream(value.device).record_event() if cuda else None

    def read(self) -> Tensor:
        """The value at the time the copy was started."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._copy
