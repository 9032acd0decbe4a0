"""Pretraining of the discriminator on data alone, and the energies of the data at its end.

Until `pretraining` images have been seen, the generator has no turns and the discriminator descends
`objective.data_loss`. Then `objective.after_pretraining` receives the energies of one pass over the data, during which
nothing is trained; MAGAN takes its first margin from them. The phase follows from the images seen, so that a resumed
run knows it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ebgan.records import Batch
from ebgan.training.game import Game


@torch.no_grad()
def data_energies(game: Game, batches: Iterable[Batch]) -> Tensor:
    """The energies [*models, n] of the data's batches by the discriminator as it is, in evaluation mode."""
    net = game.discriminator.net.eval()
    energies = torch.cat([game.read(batch.images, batch.labels).energy for batch in batches], -1)
    net.train()
    return energies
