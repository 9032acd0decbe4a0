"""The contract of a step: who moves in which turn, on what, and how a stack follows separate models."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ebgan.energies import ExpertsEnergy, LogisticEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import EBGAN, GAN, VCD, Scheduled
from ebgan.records import Batch, Sample
from ebgan.samplers import Replay, Transition, no_source
from ebgan.schedules import Constant, Linear, Steps
from ebgan.training import game as game_module
from ebgan.training.game import Game, Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.step import Progress, train_step

SHAPE = (1, 4, 4)
STILL = SGD(lr=1.0, decay=Constant(value=0.0))  # takes its turns and does not move
EBGAN_PT = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=8, noise=3, std=0.3),
        discriminator=MLPAutoencoder(depth=2, width=8, std=0.3),
    ),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    precision="fp64",
)


def batches(*models: int) -> Iterator[Batch]:
    """Real images that differ at each draw, and in each model."""
    generator = torch.Generator().manual_seed(1)
    while True:
        yield Batch(torch.rand(*models, 6, *SHAPE, generator=generator, dtype=torch.float64) * 2 - 1)


def weights(game: Game) -> tuple[list[Tensor], list[Tensor]]:
    """Copies of the discriminator's and the generator's weights."""
    both = (game.discriminator, game.generator)
    discriminator, generator = ([weight.clone() for weight in player.optimiser.weights] for player in both)
    return discriminator, generator


def trained(
    experiment: Experiment, steps: int, turns: tuple[int, int] = (1, 1), models: tuple[int, ...] = ()
) -> tuple[Game, Progress, dict[str, Tensor]]:
    game, progress = build(experiment, SHAPE)
    draw = batches(*models).__next__
    for _ in range(steps):
        progress, outcome = train_step(game, progress, draw, turns)
        assert outcome.finite.all()
    return game, progress, outcome.values


class Watched:
    """A game that notes which samples are made and which images are read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[Tensor] = []
        self.read: list[Tensor] = []
        sample, read, both = Game.sample, Game.read, Game.read_both

        def noted_sample(game: Game, *moment: object) -> Sample:
            made = sample(game, *moment)
            self.made.append(made.images.detach())
            return made

        def noted_read(game: Game, images: Tensor, *classes: object) -> object:
            self.read.append(images.detach())
            return read(game, images, *classes)

        def noted_both(game: Game, real: Tensor, fake: Tensor, *classes: object) -> object:
            before = len(self.read)
            found = both(game, real, fake, *classes)
            self.read[before:] = [real.detach(), fake.detach()]  # whether in one pass or in two
            return found

        patch.setattr(Game, "read_both", noted_both)
        patch.setattr(Game, "sample", noted_sample)
        patch.setattr(Game, "read", noted_read)


def equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_each_players_turn_moves_its_own_weights_and_no_others(player: str) -> None:
    optimisers = replace(EBGAN_PT.optimisers, **{player: STILL})
    game, _ = build(replace(EBGAN_PT, optimisers=optimisers), SHAPE)
    before = weights(game)
    train_step(game, build(EBGAN_PT, SHAPE)[1], batches().__next__)
    stays = [equal(old, new) for old, new in zip(before, weights(game), strict=True)]
    assert stays == [player == "discriminator", player == "generator"]


def test_the_discriminators_buffers_move_in_both_turns_and_the_gradients_stay_in_their_own() -> None:
    game, _, _ = trained(EBGAN_PT, 2)
    assert all(weight.grad is None for weight in game.discriminator.net.parameters())
    assert all(weight.grad is None for weight in game.generator.net.parameters())


def test_the_generator_sees_the_discriminator_after_its_move(monkeypatch: pytest.MonkeyPatch) -> None:
    game, progress = build(replace(EBGAN_PT, turns=Turns(fresh=False)), SHAPE)
    watched = Watched(monkeypatch)
    _, outcome = train_step(game, progress, batches().__next__)
    with torch.no_grad():
        moved = game.read(watched.made[0]).energy.mean()
    assert torch.equal(outcome.values["energy_fake"], moved)
    assert outcome.values["energy_fake_before"] != moved


def test_every_turn_draws_its_own_noise_unless_the_generator_is_to_reuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def repeats(fresh: bool) -> tuple[int, list[bool]]:
        """The samples made in two steps, and whether each reading of samples repeats the one before."""
        still = Optimisers(discriminator=STILL, generator=STILL)  # weights that stay show the noise
        with monkeypatch.context() as patch:
            watched = Watched(patch)
            trained(replace(EBGAN_PT, turns=Turns(fresh=fresh), optimisers=still), 2, (2, 2))
        read = [watched.read[place] for place in (1, 3, 4, 5, 7, 9, 10, 11)]  # 0, 2, 6 and 8 are data
        return len(watched.made), [torch.equal(one, other) for one, other in pairwise(read)]

    assert repeats(fresh=True) == (8, [False] * 7)
    assert repeats(fresh=False) == (6, [False, True, False, False, False, True, False])


def test_a_sample_that_both_turns_read_moves_the_statistics_of_batch_norm_once() -> None:
    """The generator's turn descends what its own pass of the same noise would give; only running statistics differ."""
    game, _, values = trained(replace(EBGAN_PT, turns=Turns(fresh=False)), 1)
    other, progress = build(EBGAN_PT, SHAPE)
    with torch.no_grad():  # a pass of the same noise beforehand: statistics of batch norm move once more
        first = other.sample(0, 0, 6, no_source).images
    other, progress = build(replace(EBGAN_PT, turns=Turns(fresh=False)), SHAPE)
    assert torch.equal(first, other.sample(0, 0, 6, no_source).images)
    _, outcome = train_step(other, progress, batches().__next__)
    assert equal(weights(other)[1], weights(game)[1])
    assert torch.equal(outcome.values["loss_generator"], values["loss_generator"])
    norm = "hidden.1.mean"
    assert not torch.equal(game.generator.state()[norm], other.generator.state()[norm])


# A batch norm takes the bias before it away again. Its gradient is thus 0 but for rounding, of which Adam makes steps;
# what the norm remembers of the mean follows them.
CANCELLED = {"hidden.0.bias", "hidden.1.mean", "hidden.3.bias", "hidden.4.mean", "trunk.3.bias", "trunk.4.mean"}


def comparable(game: Game) -> dict[str, Tensor]:
    """The state of both players without what is rounding alone."""
    players = {"generator": game.generator, "discriminator": game.discriminator}
    return {
        f"{player}.{name}": value
        for player, state in players.items()
        for name, value in state.state().items()
        if name not in CANCELLED
    }


@pytest.mark.parametrize("objective", ["EBGAN-PT", "GAN"])
def test_data_and_samples_share_a_pass_where_that_gives_the_same(
    objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = EBGAN_PT if objective == "EBGAN-PT" else gan(EBGAN_PT)
    joined, _, others = trained(spec, 5)
    assert joined.joined
    monkeypatch.setattr(game_module, "couples", lambda net: True)
    apart, _, values = trained(spec, 5)
    assert not apart.joined
    torch.testing.assert_close(comparable(joined), comparable(apart), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(others, values, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("depth", "dropout", "parts"), [(3, 0.0, 1), (2, 0.5, 1), (2, 0.0, 2)])
def test_data_and_samples_are_read_apart_where_a_shared_pass_would_differ_or_take_more_memory(
    depth: int, dropout: float, parts: int
) -> None:
    net = MLPAutoencoder(depth=depth, width=8, dropout=dropout)
    generator = replace(EBGAN_PT.nets.generator, batch_norm=False)
    spec = replace(EBGAN_PT, nets=Nets(generator=generator, discriminator=net), accumulate=parts)
    game, _ = build(spec if parts > 1 else replace(spec, accumulate=1), SHAPE)
    assert not game.joined
    assert build(replace(spec, turns=Turns(joined=True), accumulate=1), SHAPE)[0].joined


def test_what_is_only_watched_can_be_left_out_and_changes_nothing_else() -> None:
    states = []
    for watched in (True, False):
        (game, progress), draw = build(EBGAN_PT, SHAPE), batches().__next__
        for _ in range(3):
            progress, outcome = train_step(game, progress, draw, watched=watched)
        states.append((game.generator.state() | game.discriminator.state(), outcome.values))
    (all_of_it, values), (unwatched, fewer) = states
    torch.testing.assert_close(unwatched, all_of_it, rtol=0, atol=0)
    assert values.keys() - fewer.keys() == {"margin", "hinge_share", "code_similarity"}
    assert all(torch.equal(fewer[name], values[name]) for name in fewer)


def gan(experiment: Experiment) -> Experiment:
    nets = replace(experiment.nets, discriminator=MLPDiscriminator(depth=2, width=8, std=0.3))
    return replace(experiment, nets=nets, energy=LogisticEnergy(), objective=GAN())


def test_a_batch_norm_that_sees_real_and_fake_together_makes_joined_another_game() -> None:
    nets = replace(EBGAN_PT.nets, discriminator=MLPAutoencoder(depth=3, width=8, std=0.3))
    spec = replace(EBGAN_PT, nets=nets)
    apart, joined = trained(spec, 1)[2], trained(replace(spec, turns=Turns(joined=True)), 1)[2]
    assert not torch.isclose(apart["energy_real"], joined["energy_real"], rtol=1e-3)


def test_while_the_generator_has_no_turn_no_samples_are_made_or_read(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    generator = weights(build(EBGAN_PT, SHAPE)[0])[1]
    game, progress, values = trained(EBGAN_PT, 3, (1, 0))
    assert watched.made == []
    assert len(watched.read) == 3
    assert equal(weights(game)[1], generator)
    assert progress.seen == 18
    assert torch.equal(values["loss_discriminator"], values["energy_real"])
    assert "energy_fake" not in values


@pytest.mark.parametrize("turns", [(1, 1), (3, 1), (2, 2), (1, 4)])
def test_images_seen_are_those_that_the_discriminator_has_read(turns: tuple[int, int]) -> None:
    drawn = count()
    game, progress = build(EBGAN_PT, SHAPE)
    source = batches()

    def draw() -> Batch:
        next(drawn)
        return next(source)

    for _ in range(2):
        progress, _ = train_step(game, progress, draw, turns)
    assert progress.seen == 2 * turns[0] * 6
    assert next(drawn) == 2 * turns[0]


def grid(precision: str) -> list[Experiment]:
    """Three models that differ in margin, learning rates, dropout and seed."""

    def member(seed: int, margin: float, lr: float, dropout: float) -> Experiment:
        discriminator = MLPAutoencoder(depth=3, width=8, dropout=dropout, std=0.3)
        return replace(
            EBGAN_PT,
            nets=replace(EBGAN_PT.nets, discriminator=discriminator),
            objective=EBGAN(margin=margin, pulling_away=0.1),
            optimisers=Optimisers(discriminator=Adam(lr=lr), generator=Adam(lr=lr / 2)),
            seed=seed,
            precision=precision,
        )

    # Margins that float32 holds exactly: a stack's fields are held in it.
    return [member(0, 4.0, 1e-2, 0.5), member(7, 2.5, 3e-3, 0.25), member(2, 6.0, 1e-3, 0.125)]


@pytest.mark.parametrize(("precision", "tolerance"), [("fp64", 1e-10), ("fp32", 2e-4)])
def test_a_stack_follows_its_models_trained_one_by_one(precision: str, tolerance: float) -> None:
    members = grid(precision)
    stack, progress, values = trained(stacked(members), 20, models=(3,))
    assert progress.seen == 120
    for place, member in enumerate(members):
        game, progress = build(member, SHAPE)
        for batch, _ in zip(batches(3), range(20), strict=False):
            one = Batch(batch.images[place])
            progress, outcome = train_step(game, progress, lambda: one)  # noqa: B023
        alone = comparable(game)
        together = {name: value[place] if value.dim() else value for name, value in comparable(stack).items()}
        torch.testing.assert_close(together, alone, rtol=tolerance, atol=tolerance)
        shares = {name: value[place] for name, value in values.items()}
        torch.testing.assert_close(shares, outcome.values, rtol=tolerance, atol=tolerance)


def test_the_discriminator_is_shown_what_the_sampler_recalls_and_the_generator_what_it_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(monkeypatch)
    trained(replace(EBGAN_PT, sampler=Replay(share=1.0, size=6)), 2)
    assert torch.equal(watched.read[1], watched.made[0])  # in the first step there is nothing to recall
    assert equal(watched.read[2::3], watched.made[1::2])
    first = {tuple(image.flatten().tolist()) for image in watched.made[0]}
    assert {tuple(image.flatten().tolist()) for image in watched.read[4]} <= first


@pytest.mark.parametrize("turns", [(1, 1), (2, 1), (1, 0)])
def test_no_value_is_asked_of_the_device_within_a_step(turns: tuple[int, int]) -> None:
    """A tensor on the meta device has no values to give: whatever waits for one raises."""
    slow = Optimisers(discriminator=SGD(lr=1e-2, momentum=0.5), generator=SGD(lr=1e-2))
    falling = Scheduled(EBGAN(margin=4.0, pulling_away=0.1), margin=Steps(values=(4.0, 2.0), boundaries=(6,)))
    game, progress = build(
        replace(EBGAN_PT, sampler=Replay(), objective=falling, optimisers=slow, precision="fp32"), SHAPE, "meta"
    )
    progress, outcome = train_step(game, progress, lambda: Batch(torch.empty(6, *SHAPE, device="meta")), turns)
    assert {value.device.type for value in outcome.values.values()} == {"meta"}


@pytest.mark.parametrize("turns", [(1, 1), (2, 2)])
def test_a_step_that_is_told_the_images_seen_does_the_same(turns: tuple[int, int]) -> None:
    states = []
    for told in (False, True):
        (game, progress), draw = build(EBGAN_PT, SHAPE), batches().__next__
        for step in range(4):
            seen = step * turns[0] * 6 if told else None
            progress, _ = train_step(game, progress, draw, turns, seen=seen)
        states.append(game.generator.state() | game.discriminator.state())
    torch.testing.assert_close(states[1], states[0], rtol=0, atol=0)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_noise_of_many_steps_is_drawn_at_once_on_a_device_that_need_not_be_asked(dropout: float) -> None:
    slow = Optimisers(discriminator=SGD(lr=1e-2), generator=SGD(lr=1e-2))
    nets = replace(EBGAN_PT.nets, discriminator=MLPAutoencoder(depth=2, width=8, std=0.3, dropout=dropout))
    game, progress = build(replace(EBGAN_PT, precision="fp32", optimisers=slow, nets=nets), SHAPE, "meta")
    drawn: list[int] = []
    for step in range(5):
        batch = Batch(torch.empty(6, *SHAPE, device="meta"))
        with Philox() as counted:
            progress, _ = train_step(game, progress, lambda: batch, seen=step * 6)  # noqa: B023
        drawn.append(counted.shifts)
    assert drawn[0] > 0
    assert drawn[2:] == [0, 0, 0]


class Philox(TorchFunctionMode):
    """Counts the shifts of the cipher of random numbers."""

    shifts = 0

    def __torch_function__(self, made: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.shifts += made is Tensor.__rshift__
        return made(*args, **(kwargs or {}))


class Sent(TorchFunctionMode):
    """Counts the numbers that are brought from the host to the device one by one, for each of which a step waits."""

    count = 0

    def __torch_function__(self, made: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = made(*args, **(kwargs or {}))
        self.count += made in (torch.tensor, torch.as_tensor) and out.is_meta
        return out


def test_no_value_is_asked_of_or_sent_to_the_device_within_a_step_of_a_stack() -> None:
    rules = [*[Adam] * 6, SGD]  # so many that Adam moves them at once: torch's kernel for each knows no meta device
    optimisers = [Optimisers(discriminator=rule(lr=1e-2), generator=Adam(lr=1e-3)) for rule in rules]
    members = [replace(EBGAN_PT, optimisers=each, seed=seed) for seed, each in enumerate(optimisers)]
    game, progress = build(stacked(members), SHAPE, "meta")
    with Sent() as sent:
        progress, outcome = train_step(game, progress, lambda: Batch(torch.empty(7, 6, *SHAPE, device="meta")))
    assert {value.device.type for value in outcome.values.values()} == {"meta"}
    assert sent.count == 0


def test_the_clock_of_an_objective_goes_on_while_the_generator_has_no_turn() -> None:
    falling = Scheduled(EBGAN(margin=4.0), margin=Linear(start=4.0, end=0.0, finish=100))
    _, progress, _ = trained(replace(EBGAN_PT, objective=falling), 3, (1, 0))
    assert int(progress.objective.images) == int(progress.seen) == 18


VCD_ = replace(
    EBGAN_PT,
    nets=Nets(
        generator=MLPTransition(width=8, code=3, std=0.3),
        discriminator=MLPExperts(depth=2, width=8, experts=4, std=0.3),
    ),
    energy=ExpertsEnergy(),
    sampler=Transition(),
    objective=VCD(rho=0.5),
)


@pytest.mark.parametrize(
    ("fresh", "turns", "asked"),
    [(True, (1, 1), [0, 1]), (True, (2, 2), [0, 1, 2, 3]), (False, (2, 2), [0, 1, 2]), (True, (1, 0), [])],
)
def test_every_turn_starts_from_images_of_its_own_unless_the_generator_is_to_reuse_the_sample(
    fresh: bool, turns: tuple[int, int], asked: list[int]
) -> None:
    told: list[int] = []

    def source(turn: int) -> Batch:
        told.append(turn)
        return next(batches())

    game, progress = build(replace(VCD_, turns=Turns(fresh=fresh)), SHAPE)
    progress, _ = train_step(game, progress, batches().__next__, turns, source)
    assert told == asked
    assert progress.seen == turns[0] * 6


def test_what_samples_start_from_does_not_decide_what_the_discriminator_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_by(objective_and_nets: Experiment) -> list[Tensor]:
        with monkeypatch.context() as patch:
            watched, served = Watched(patch), batches()
            game, progress = build(objective_and_nets, SHAPE)
            for _ in range(3):
                progress, _ = train_step(game, progress, served.__next__, (1, 1), lambda turn: next(batches()))
        return watched.read[::3]  # of three readings a step the first is of data

    assert equal(read_by(VCD_), read_by(replace(EBGAN_PT, objective=EBGAN(margin=4.0))))


def test_a_stack_of_transitions_follows_its_models_trained_one_by_one() -> None:
    slow = Optimisers(discriminator=SGD(lr=1e-2, momentum=0.5), generator=SGD(lr=1e-2))
    members = [
        replace(VCD_, seed=seed, sampler=Transition(keep=keep), objective=VCD(rho=rho, entropy=True), optimisers=slow)
        for seed, keep, rho in ((0, 0.5, 0.25), (7, 0.25, 0.5), (2, 0.75, 0.125))
    ]

    def after(experiment: Experiment, *model: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The state of both players after three steps on the images of all models, or of one."""
        game, progress = build(experiment, SHAPE)
        served = [next(batch) for batch in [batches(3)] for _ in range(9)]
        for step in range(3):
            own = [Batch(batch.images[model]) for batch in served[3 * step : 3 * step + 3]]
            progress, outcome = train_step(game, progress, lambda: own[2], (1, 1), own.__getitem__)  # noqa: B023
        return comparable(game), outcome.values

    states, values = after(stacked(members))
    for place, member in enumerate(members):
        state, own = after(member, place)
        torch.testing.assert_close(
            {name: value[place] for name, value in states.items()}, state, rtol=1e-10, atol=1e-12
        )
        torch.testing.assert_close({name: value[place] for name, value in values.items()}, own, rtol=1e-10, atol=1e-12)


def test_a_schedule_of_turns_leaves_the_discriminator_one() -> None:
    falling = Linear(start=2.0, end=-1.0, finish=100)
    turns = Turns(discriminator=falling, generator=falling)
    assert [turns.now(images) for images in (0, 50, 100)] == [(2, 2), (1, 0), (1, 0)]
