"""A stack of Ladder networks, each with its own seed, labels, noise and weight, follows the models trained alone."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ebgan.data import LabelledLoader, Loader, draw_labelled, open_data
from ebgan.energies import AutoencoderEnergy, Energy, LadderEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPGenerator
from ebgan.objectives import EBGAN, SemiSupervised
from ebgan.records import Batch
from ebgan.training.optim import Adam
from ebgan.training.step import train_step

STEPS = 8
BASE = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, batch_norm=False, std=0.3),
        discriminator=Ladder(widths=(9, 7), top_scale=True),
    ),
    energy=AutoencoderEnergy(unit="sse"),
    objective=SemiSupervised(inner=EBGAN(margin=64.0)),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    precision="fp64",
)


def member(seed: int, noise: float, weight: float, energy: Energy) -> Experiment:
    discriminator = Ladder(widths=(9, 7), noise=noise, top_scale=True)
    return replace(
        BASE,
        nets=replace(BASE.nets, discriminator=discriminator),
        objective=SemiSupervised(inner=EBGAN(margin=64.0), weight=weight),
        energy=energy,
        seed=seed,
    )


def unsettled(net: nn.Module) -> None:
    """Move a Ladder network's combinators from where gradients are rounding alone, of which Adam makes steps."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.startswith("combinators"):
                weight.add_(0.25)


def trained(experiment: Experiment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What moves after some steps on digits, of which 20 are labelled, and what the last step said."""
    data = open_data("digits")
    game, progress = build(experiment, data.shape, classes=10)
    unsettled(game.discriminator.net)
    loader = Loader(data, batch=30, limits=(0.0, 1.0), randomness=game.randomness)
    places = draw_labelled(data, 20, game.randomness)
    draw = LabelledLoader(loader, places, batch=10, randomness=game.randomness).batches(0).__next__
    for _ in range(STEPS):
        progress, outcome = train_step(game, progress, draw)
        assert outcome.finite.all()
    return game.generator.state() | game.discriminator.state(), outcome.values


@pytest.mark.parametrize("seeds", [(0, 7, 2), (3, 3, 3)])
@pytest.mark.parametrize("energy", [AutoencoderEnergy(unit="sse"), LadderEnergy(weights=(64.0, 8.0, 1.0, 1.0))])
def test_a_stack_follows_its_models_trained_one_by_one(energy: Energy, seeds: tuple[int, int, int]) -> None:
    settings = ((0.25, 1.0), (0.5, 2.0), (0.125, 0.5))
    members = [member(seed, noise, weight, energy) for seed, (noise, weight) in zip(seeds, settings, strict=True)]
    stack, said = trained(stacked(members))
    for place, each in enumerate(members):
        alone, values = trained(each)
        together = {name: value[place] if value.dim() else value for name, value in stack.items()}
        torch.testing.assert_close(together, alone, rtol=1e-7, atol=1e-9)
        shares = {name: value[place] for name, value in said.items()}
        torch.testing.assert_close(shares, values, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("told", "observed"), [(True, [0, 8]), (False, list(range(10)))])
def test_one_batch_in_eight_is_observed_for_evaluation_where_the_host_knows_its_place(
    told: bool, observed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    game, progress = build(BASE, (1, 4, 4), classes=10)
    seen, step = [], 0
    monkeypatch.setattr(game.discriminator.net, "observe", lambda batch: seen.append(step))
    labelled = Batch(torch.rand(5, 1, 4, 4, dtype=torch.float64), torch.arange(5))
    batch = Batch(torch.rand(6, 1, 4, 4, dtype=torch.float64), labelled=labelled)
    for step in range(10):
        progress, _ = train_step(game, progress, lambda: batch, (1, 0), seen=6 * step if told else None)
    assert seen == observed
