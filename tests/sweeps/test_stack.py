"""Which trials share a stack: floats ride, everything else splits."""

from collections.abc import Hashable

import pytest

from ebgan.experiment import Experiment, Nets
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, Scheduled
from ebgan.schedules import Linear
from ebgan.sweeps import Grid
from ebgan.sweeps.stack import groups, shape
from ebgan.training.optim import SGD, Adam

BASE = Experiment(objective=EBGAN(pulling_away=0.1))


def sizes(**axes: tuple[object, ...]) -> list[int]:
    grid = Grid(base=BASE, axes={path.replace("__", "."): values for path, values in axes.items()})
    made = groups(grid.trials())
    for members in made:
        stacked([trial.experiment for trial in members])
    return [len(members) for members in made]


def test_floats_seeds_and_kinds_of_optimiser_ride() -> None:
    kinds = (SGD(lr=1e-2), Adam(lr=1e-3), SGD(lr=1e-3))
    assert sizes(objective__margin=(1.0, 2.0), objective__pulling_away=(0.1, 0.2), seed=(0, 1)) == [8]
    assert sizes(nets__discriminator__dropout=(0.0, 0.5), optimisers__generator=kinds) == [6]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("nets__generator__depth", (2, 3)),
        ("nets__discriminator__width", (8, 16)),
        ("objective__pulling_away", (None, 0.1)),
        ("energy__unit", ("norm", "sse")),
        ("images", (10, 20)),
        ("turns__joined", (False, True)),
        ("turns__generator", tuple(Linear(start=s, end=1.0, finish=9) for s in (1.0, 2.0))),
        ("data__limits", ((-1.0, 1.0), (0.0, 1.0))),
        ("objective", tuple(Scheduled(EBGAN(), margin=Linear(start=s, end=0.0, finish=9)) for s in (1.0, 2.0))),
        ("optimisers__generator", (Adam(lr=1e-3), Adam(lr=1e-3, clip=0.1))),
        ("optimisers__generator", (Adam(lr=1e-3), Adam(lr=1e-3, decay=Linear(start=1.0, end=0.0, finish=9)))),
        (
            "nets",
            (
                Nets(generator=MLPGenerator(width=8), discriminator=MLPAutoencoder(width=8)),
                Nets(generator=MLPGenerator(width=9), discriminator=MLPAutoencoder(width=8)),
            ),
        ),
    ],
)
def test_everything_else_splits(path: str, values: tuple[object, ...]) -> None:
    assert sizes(**{path: values}, seed=(0, 1)) == [2, 2]


def test_models_of_one_kind_of_optimiser_stand_side_by_side() -> None:
    kinds = (SGD(lr=1e-2), Adam(lr=1e-3))
    axes = {"optimisers.generator": kinds, "optimisers.discriminator": kinds}
    (members,) = groups(Grid(base=BASE, axes=axes).trials())
    optimisers = [trial.experiment.optimisers for trial in members]
    found = [(type(both.discriminator).__name__, type(both.generator).__name__) for both in optimisers]
    assert found == [("Adam", "Adam"), ("Adam", "SGD"), ("SGD", "Adam"), ("SGD", "SGD")]


def test_other_moments_of_an_optimiser_ride_too() -> None:
    rules = (Adam(lr=1e-3, beta1=0.5), Adam(lr=1e-3, beta1=0.9), SGD(lr=1e-2, momentum=0.5))
    assert sizes(optimisers__discriminator=rules) == [3]
    assert sizes(optimisers__generator=(SGD(lr=1, momentum=0), SGD(lr=0.01, momentum=0.9))) == [2]


def test_the_order_of_groups_is_that_of_their_first_trials() -> None:
    grid = Grid(base=BASE, axes={"objective.margin": (1.0, 2.0), "batch": (8, 4, 6)})
    assert [members[0].experiment.batch for members in groups(grid.trials())] == [8, 4, 6]


def test_shapes_that_are_kept_are_those_that_are_worked_out_anew() -> None:
    axes = {"nets.generator.depth": (2, 3), "objective.margin": (1.0, 2.0), "optimisers.generator": (SGD(lr=1e-2),)}
    known: dict[int, Hashable] = {}
    experiments = [trial.experiment for trial in Grid(base=BASE, axes=axes).trials()]
    assert [shape(each, known) for each in experiments] == [shape(each) for each in experiments]
    assert len({shape(each) for each in experiments}) == 2
