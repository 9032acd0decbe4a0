"""Before the game: the discriminator on data alone, and what it makes of the data then.

While fewer images than `pretraining` have been seen the generator has no turns and the discriminator descends
`objective.alone`. At its end `objective.begin` hears the energies of one pass over the data without moves, from which
MAGAN takes its first margin. Which phase a run is in follows from the images seen, so that a resumed run knows it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ebgan.records import Batch
from ebgan.training.game import Game


@torch.no_grad()
def survey(game: Game, batches: Iterable[Batch]) -> Tensor:
    """The energies [*models, n] of the data's batches by the discriminator as it is, in evaluation mode."""
    net = game.discriminator.net.eval()
    energies = torch.cat([game.read(batch.images).energy for batch in batches], -1)
    net.train()
    return energies
