"""Chains in a training step: negatives without a generator's turn, none while pretraining, and an exact resume."""

from dataclasses import replace

import torch

from ebgan.data import open_data
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.experiment.starting import start
from ebgan.nets.mlp import MLPGenerator
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.objectives import BEGAN, EBGAN, NAE
from ebgan.samplers import Langevin, Noised
from ebgan.training.course import Course
from ebgan.training.game import Turns
from ebgan.training.optim import Adam
from ebgan.training.state import restore, state

BATCH = 12
CHAINS = Langevin(chains=30, restart=0.25, steps=2, code_steps=2)
MADE = Experiment(
    data=Data(limits=(0.0, 1.0)),
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=2, batch_norm=False),
        discriminator=SphericalAutoencoder(width=10, code=4),
    ),
    sampler=CHAINS,
    objective=NAE(),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    turns=Turns(generator=0),
    pretraining=2 * BATCH,
    batch=BATCH,
    precision="fp32",
)


def course(made: Experiment = MADE) -> Course:
    return start(made, open_data("digits"))


def terms(made: Experiment, steps: int) -> list[set[str]]:
    """The names of what each of so many steps says."""
    return [set(stride.outcome.values) for stride in course(made).steps(steps * BATCH)]


def test_chains_are_read_after_pretraining_although_the_generator_has_no_turn() -> None:
    before, after = (names for index, names in enumerate(terms(MADE, 3)) if index in (1, 2))
    assert "discriminator/fake" not in before
    assert {"discriminator/real", "discriminator/fake", "discriminator/bound", "energy_fake"} <= after


def test_chains_that_need_the_generator_are_not_read_without_its_turn() -> None:
    for sampler in (replace(CHAINS, share=0.5), replace(CHAINS, start="samples")):
        assert "discriminator/fake" not in terms(replace(MADE, sampler=sampler), 3)[2]


def test_an_objective_s_state_follows_the_chains_where_there_is_no_generator() -> None:
    trained = course(replace(MADE, objective=BEGAN(gamma=2.0, lambda_k=0.5)))
    for _ in trained.steps(3 * BATCH):
        pass
    assert trained.progress.objective.k > 0


def test_samples_and_chains_are_mixed_with_a_generator() -> None:
    made = replace(MADE, objective=EBGAN(margin=1.0), sampler=Noised(sampler=replace(CHAINS, share=0.5)), turns=Turns())
    names = terms(made, 3)[2]
    assert {"discriminator/hinge", "generator/fake"} <= names


def test_a_resumed_training_has_the_same_chains() -> None:
    whole = course()
    for _ in whole.steps(7 * BATCH):
        pass
    first = course()
    for _ in first.steps(4 * BATCH):
        pass
    kept = {name: value.clone() for name, value in state(first).items()}
    again = course()
    restore(again, kept, first.seen)
    for _ in again.steps(7 * BATCH):
        pass
    expected = state(whole)
    assert {name for name in expected if name.startswith("memory")} == {"memory.states"}
    for name, value in state(again).items():
        assert torch.equal(value, expected[name]), name
    assert not torch.equal(kept["memory.states"], expected["memory.states"])
