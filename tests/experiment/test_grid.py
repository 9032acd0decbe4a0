"""A grid: what it refuses, with the axis named, and which trials it has."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ebgan.energies import AutoencoderEnergy, LogisticEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Experiment, Nets
from ebgan.nets.mlp import MLPDiscriminator
from ebgan.objectives import EBGAN, GAN
from ebgan.sweeps import Grid
from ebgan.training.optim import SGD, Adam

BASE = Experiment(images=1000)


def grid(**axes: tuple[object, ...]) -> Grid:
    return Grid(base=BASE, axes={path.replace("__", "."): values for path, values in axes.items()})


def test_every_combination_is_a_trial_whose_id_is_the_hash_of_its_config() -> None:
    made = grid(objective__margin=(5.0, 10.0), nets__generator__depth=(2, 3, 4))
    trials = list(made.trials())
    assert len(made) == len(trials) == 6
    assert [trial.experiment.objective.margin for trial in trials] == [5.0] * 3 + [10.0] * 3
    assert [trial.experiment.nets.generator.depth for trial in trials] == [2, 3, 4] * 2
    assert all(trial.id == trial.experiment.hash for trial in trials)
    assert trials[3].experiment == replace(
        BASE,
        objective=EBGAN(margin=10.0),
        nets=replace(BASE.nets, generator=replace(BASE.nets.generator, depth=2)),
    )


def test_a_wider_axis_keeps_the_ids_of_the_trials_that_were_there() -> None:
    narrow = {trial.id for trial in grid(objective__margin=(5.0, 10.0)).trials()}
    wide = {trial.id for trial in grid(objective__margin=(2.0, 5.0, 10.0)).trials()}
    assert narrow < wide


def test_a_whole_number_on_an_axis_of_floats_is_the_same_trial() -> None:
    assert [t.id for t in grid(objective__margin=(5,)).trials()] == [
        t.id for t in grid(objective__margin=(5.0,)).trials()
    ]


def test_a_tuple_of_whole_numbers_is_that_of_the_floats_which_they_equal() -> None:
    one, other = (replace(BASE, data=Data(limits=limits)) for limits in ((0, 1), (0.0, 1.0)))
    assert one.hash == other.hash
    assert len(list((Grid(base=one, axes={"seed": (0,)}) + Grid(base=other, axes={"seed": (0,)})).trials())) == 1


def test_a_whole_number_shares_a_stack_with_what_it_equals() -> None:
    made = [trial.experiment.objective.margin for trial in grid(objective__margin=(5, 10)).trials()]  # type: ignore[attr-defined]
    assert [type(margin) for margin in made] == [float, float]


def test_grids_add_up_and_a_trial_of_both_is_there_once() -> None:
    one, other = grid(objective__margin=(5.0, 10.0)), grid(objective__margin=(10.0, 20.0))
    gan = replace(BASE, objective=GAN(), energy=LogisticEnergy(), nets=Nets(discriminator=MLPDiscriminator()))
    third = Grid(base=gan, axes={"optimisers.generator": (Adam(lr=1e-3), SGD(lr=1e-2))})
    made = one + (other + third)
    assert len(made) == 6
    trials = list(made.trials())
    assert len(trials) == 5
    assert [type(trial.experiment.objective) for trial in trials] == [EBGAN] * 3 + [GAN] * 2


def test_parts_that_fit_only_together_are_changed_together() -> None:
    axes = {"objective": (GAN(),), "energy": (LogisticEnergy(),), "nets.discriminator": (MLPDiscriminator(),)}
    (trial,) = Grid(base=BASE, axes=axes).trials()
    assert trial.experiment.objective == GAN()


def test_a_change_of_the_base_reaches_every_part() -> None:
    made = grid(objective__margin=(5.0,)) + grid(objective__margin=(10.0,))
    assert [trial.experiment.images for trial in made.with_base(images=7).trials()] == [7, 7]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: grid(objective__margn=(5.0,)), "axis objective.margn: EBGAN has no field 'margn'; did you mean 'mar"),
        (lambda: grid(objectiv__margin=(5.0,)), "axis objectiv.margin: Experiment has no field 'objectiv'"),
        (lambda: grid(batch__size=(5,)), "axis batch.size: int has no field 'size'; known are none"),
        (lambda: grid(objective__margin=("5",)), "axis objective.margin: '5' is not of the field's type, float"),
        (lambda: grid(batch=(5.5,)), "axis batch: 5.5 is not of the field's type, int"),
        (lambda: grid(batch=(True,)), "axis batch: True is not of the field's type, int"),
        (lambda: grid(turns__joined=(1,)), "axis turns.joined: 1 is not of the field's type, bool"),
        (lambda: grid(energy__unit=("l3",)), "axis energy.unit: 'l3' is not of the field's type"),
        (lambda: grid(data__limits=((0.0, "x"),)), "axis data.limits: (0.0, 'x') is not of the field's type"),
        (lambda: grid(objective=(AutoencoderEnergy(),)), "is not of the field's type, objectives.base.Objective"),
        (lambda: grid(batch=()), "axis batch: has no values"),
        (lambda: grid(objective__margin=(5, 5.0)), "axis objective.margin: 5.0 is given twice"),
        (
            lambda: grid(objective=(EBGAN(),), objective__margin=(5.0,)),
            "axis objective.margin: lies within the axis objective",
        ),
        (lambda: list(grid(batch=(5, 0)).trials()), "the trial of batch=0: batch=0: expected at least 1"),
        (lambda: list(grid(objective=(GAN(),)).trials()), "the trial of objective=GAN(saturating=False): objective:"),
    ],
)
def test_what_makes_no_grid_is_refused_by_the_name_of_its_axis(make: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        make()
    assert said in str(raised.value)


def test_a_field_that_may_be_nothing_takes_nothing_and_its_values() -> None:
    made = grid(objective__pulling_away=(None, 0.1), data__limits=((-1.0, 1.0), (0.0, 1.0), None))
    assert len(list(made.trials())) == 6
