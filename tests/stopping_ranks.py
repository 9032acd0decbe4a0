"""Two processes that stop by agreement, the first of which saves for longer than the other has patience."""

import sys
import time
from pathlib import Path

import torch

from ebgan.distributed import exchange as distributed
from ebgan.distributed import launching
from ebgan.training.signals import StoppedError

SAVING = 8.0  # seconds; Lightning Fabric looks every 5 seconds for processes that have failed

if __name__ == "__main__":
    launching.PATIENCE = 0.1
    try:
        with launching.ranks(torch.device("cpu"), 2):
            if distributed.rank().index == 0:
                time.sleep(SAVING)
                Path(sys.argv[1]).touch()
            raise StoppedError("stopped", 143)
    except StoppedError as error:
        sys.exit(error.exit_code)
