"""What looks wrong in a run is said once, in words, when it lasts."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, ScalarEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.base import DiscriminatorSpec, Generator
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, GAN, MAGAN, VGAN, LossSensitiveGAN, Scheduled
from ebgan.recipes import RECIPES
from ebgan.records import Batch
from ebgan.schedules import Linear
from ebgan.storage.runfolder import Record
from ebgan.training.alarms import ENOUGH, GENERAL, PATIENCE, Alarms
from ebgan.training.course import data_energies
from ebgan.training.optim import Adam
from ebgan.training.recorder import Recorder
from ebgan.training.step import train_step

HEALTHY = {"margin": 3.0, "energy_real": 1.0, "energy_fake": 2.0, "hinge_share": 0.7, "code_similarity": 0.3}
TOTAL = 10 * ENOUGH
LASTING = int(PATIENCE * TOTAL)  # images between two records of the tests
EVERY = frozenset().union(
    *(objective.asks.alarms for objective in (EBGAN(), MAGAN(), BEGAN(), VGAN(), LossSensitiveGAN()))
)


def heard(*records: Record, total: int = TOTAL, possible: frozenset[str] = EVERY) -> list[str]:
    """The names of the alarms that records give, each as long after the one before as a symptom must last."""
    alarms = Alarms(total, possible)
    raised = [alarms.hear({"images": LASTING * place, **HEALTHY, **record}) for place, record in enumerate(records)]
    return [alarm["alarm"] for each in raised for alarm in each]


def test_a_healthy_run_gives_none() -> None:
    assert heard({}, {}, {}, {}) == []


SYMPTOMS: list[tuple[Record, str]] = [
    ({"hinge_share": 0.0}, "dead hinge"),
    ({"hinge_share": 1.0}, "margin out of reach"),
    ({"code_similarity": 0.95}, "collapse"),
    ({"margin": 0.5}, "margin below the data"),
    ({"energy_real": 0.0, "energy_fake": 0.0}, "dead energy"),
    ({"expert_entropy": 0.002}, "experts saturated"),
    ({"state/k": 0.0}, "k stuck at 0"),
    ({"state/k": 1.0}, "k stuck at 1"),
]


def test_objectives_name_alarms_that_there_are() -> None:
    assert {name for _, name in SYMPTOMS} == EVERY | GENERAL - {"class collapse"}


@pytest.mark.parametrize(("sick", "alarm"), SYMPTOMS)
def test_each_symptom_is_told_once_when_it_has_lasted(sick: Record, alarm: str) -> None:
    assert heard(sick) == []
    assert heard(sick, {}, sick, {}) == []
    assert heard(sick, sick) == [alarm]
    assert heard(sick, sick, sick, {}, sick, sick) == [alarm]


FALLING = Linear(start=10.0, end=0.0, finish=TOTAL)
SICK = {  # what an untrained or a short run may well show
    "margin": 3.0,
    "energy_real": 1.0,
    "energy_fake": 1.0,
    "hinge_share": 1.0,
    "code_similarity": 0.99,
    "state/k": 0.0,
    "expert_entropy": 0.001,
}


@pytest.mark.parametrize("total", [24, 640, 1_280, 2_560, ENOUGH])
def test_a_short_run_gives_none_whatever_it_shows(total: int) -> None:
    alarms = Alarms(total, EVERY)
    metrics = {"largest_class": 1.0, "largest_class_real": 0.1}
    for images in range(0, total, max(total // 20, 1)):
        assert alarms.hear({"images": images, **SICK}) == []
        assert alarms.judge({"images": images, "metrics": metrics}) == []


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_hears_one_in_its_first_tenth(name: str) -> None:
    experiment = RECIPES[name].make()
    alarms = Alarms(experiment.images, experiment.objective.asks.alarms)
    for part in range(101):
        record = {"images": experiment.images * part // 1_000, **SICK}
        assert alarms.hear(record) == []
        assert alarms.hear(record | {"hinge_share": 0.0, "margin": 0.5, "state/k": 1.0, "energy_real": 0.0}) == []


@pytest.mark.parametrize(
    ("symptom", "better"),
    [
        ({"hinge_share": 0.0, "energy_fake": 30.0}, "energy_fake"),
        ({"margin": 0.5, "energy_real": 5.0}, "energy_real"),
        ({"state/k": 0.0, "energy_fake": 30.0}, "energy_fake"),
    ],
)
def test_a_symptom_that_gets_better_is_given_more_time(symptom: Record, better: str) -> None:
    falling = [symptom | {better: symptom[better] * factor} for factor in (1, 0.8, 0.6, 0.4)]
    assert heard(*falling) == []
    assert len(heard(*falling, falling[-1])) == 1


def test_a_margin_that_energies_have_reached_is_not_out_of_reach() -> None:
    above = {"hinge_share": 1.0}
    assert heard({"energy_real": 3.5}, above, above, above) == []  # the data's at the start: an untrained auto-encoder
    assert heard({"energy_fake": 3.1}, above, above, above) == []
    assert heard({"energy_fake": 2.9}, above, above) == ["margin out of reach"]


def test_an_objective_says_which_can_be_right_of_it() -> None:
    low, reached = {"margin": 0.5, "energy_fake": 0.4}, {"hinge_share": 1.0}
    assert heard(low, low, low, possible=EBGAN().asks.alarms) == []
    assert heard(low, low, low, possible=MAGAN().asks.alarms) == ["margin below the data"]
    assert heard(reached, reached, possible=MAGAN().asks.alarms) == []
    assert heard(reached, reached, possible=Scheduled(EBGAN(), margin=FALLING).asks.alarms) == ["margin out of reach"]
    rests = {"hinge_share": 0.0}
    assert heard(rests, rests, possible=EBGAN().asks.alarms) == ["dead hinge"]
    assert heard(rests, rests, possible=Scheduled(EBGAN(), margin=FALLING).asks.alarms) == []
    same = {"code_similarity": 1.0, "hinge_share": 0.0}
    assert heard(same, same, possible=GAN().asks.alarms) == ["collapse"]


def test_a_balance_that_moves_is_not_stuck() -> None:
    assert heard({"state/k": 0.0}, {"state/k": 1e-4}, {"state/k": 0.5}, {"state/k": 0.9999}, {"state/k": 1.0}) == []


def test_a_margin_of_zero_is_no_dead_hinge_and_an_objective_without_margin_has_no_alarms() -> None:
    assert heard(*[{"hinge_share": 0.0, "margin": 0.0}] * 4) == []
    alarms = Alarms(TOTAL, EVERY)
    assert [alarms.hear({"images": images, "energy_fake": 1.0}) for images in (0, TOTAL // 2)] == [[], []]


def test_what_was_raised_before_a_run_was_stopped_is_not_raised_again() -> None:
    alarms = Alarms(TOTAL, EVERY, raised={"collapse"})
    for images in (0, TOTAL // 2):
        assert alarms.hear({"images": images, **HEALTHY, "code_similarity": 1.0}) == []


@pytest.mark.parametrize(("share", "count"), [(0.5, 0), (0.6, 1), (1.0, 1)])
def test_a_class_that_dominates_is_told_once_when_it_has_lasted(share: float, count: int) -> None:
    alarms = Alarms(TOTAL, EVERY)
    metrics = {"largest_class": share, "largest_class_real": 0.1}
    first, *later = [alarms.judge({"images": place * LASTING, "metrics": metrics}) for place in range(3)]
    assert first == []
    told = [alarm for each in later for alarm in each]
    assert [alarm["alarm"] for alarm in told] == ["class collapse"] * count
    assert all(f"{share:.0%} of the samples are of one class" in alarm["message"] for alarm in told)


def test_a_class_that_has_most_of_the_data_too_does_not_dominate() -> None:
    alarms = Alarms(TOTAL, EVERY)
    metrics = {"largest_class": 0.55, "largest_class_real": 0.5}
    assert [alarms.judge({"images": place * LASTING, "metrics": metrics}) for place in range(3)] == [[]] * 3


def test_metrics_that_count_no_classes_give_no_alarm() -> None:
    assert Alarms(TOTAL, EVERY).judge({"images": TOTAL, "metrics": {}}) == []


class Constant(Generator):
    """One image, whatever the noise."""

    noise = ((2,),)

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.zeros(1, 4, 4))

    def forward(self, *noise: Tensor) -> Tensor:
        return self.image.tanh().expand(noise[0].shape[0], 1, 4, 4)


SMALL = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=4, std=0.5),
        discriminator=MLPAutoencoder(depth=2, width=8, std=0.5),
    ),
    objective=EBGAN(margin=3.0),
)


def fast(spec: DiscriminatorSpec) -> dict[str, Any]:
    """A discriminator of another kind, or the same, with a learning rate that is far too high."""
    optimisers = Optimisers(discriminator=Adam(lr=1.0), generator=Adam(lr=1e-3))
    return {"nets": replace(SMALL.nets, discriminator=spec), "optimisers": optimisers}


def noise(step: int) -> Batch:
    return Batch(torch.rand(16, 1, 4, 4, generator=torch.Generator().manual_seed(step)) * 2 - 1)


def alarms_of(experiment: Experiment, generator: Generator | None = None) -> dict[str, str]:
    """The alarms, by name, of a short run on noise, after a pretraining if there is one."""
    game, progress = build(experiment, (1, 4, 4))
    if generator:
        player = game.generator
        optimiser = type(player.optimiser)(experiment.optimisers.generator, generator)
        game = replace(game, generator=replace(player, net=generator, optimiser=optimiser))
    if experiment.pretraining:
        energies = data_energies(game, [noise(0)])
        progress = progress._replace(objective=game.objective.after_pretraining(progress.objective, energies))
    alarms, recorder, found = Alarms(10 * ENOUGH, experiment.objective.asks.alarms), Recorder(), {}
    for step in range(1, 11):
        progress, outcome = train_step(game, progress, lambda: noise(step))  # noqa: B023
        recorder.add(step * ENOUGH, outcome)
        recorder.close(step * ENOUGH)
        found |= {alarm["alarm"]: alarm["message"] for alarm in alarms.hear(recorder.take() or {})}
    return found


def margin(value: float) -> Experiment:
    return replace(SMALL, objective=EBGAN(margin=value))


def test_a_run_in_which_nothing_is_wrong_gives_none() -> None:
    assert alarms_of(SMALL) == {}


def test_a_generator_that_makes_one_image_is_called_a_collapse() -> None:
    found = alarms_of(SMALL, Constant())
    assert "The codes of the samples point the same way (mean squared cosine 1.00)" in found["collapse"]
    assert "pulling-away" in found["collapse"]


def test_a_margin_far_above_the_energies_is_called_out_of_reach() -> None:
    found = alarms_of(margin(1e4))
    assert "Every sample lies under the margin 1e+04" in found["margin out of reach"]
    assert "Lower the margin" in found["margin out of reach"]


def test_a_margin_far_below_the_energies_is_called_a_dead_hinge() -> None:
    found = alarms_of(margin(1e-3))
    assert "No sample lies under the margin 0.001" in found["dead hinge"]
    assert "Raise the margin" in found["dead hinge"]


L1, MEASURED = AutoencoderEnergy(unit="l1"), AutoencoderEnergy(unit="sse")
CRITIC = MLPDiscriminator(depth=2, width=8, std=0.05)
SURE = replace(SMALL.nets, discriminator=MLPExperts(depth=2, width=8, experts=4, std=100.0))
PROVOKED = {
    "k stuck at 0": ({"objective": BEGAN(gamma=0.01), "energy": L1}, "above gamma times", "Raise gamma"),
    "k stuck at 1": ({"objective": BEGAN(gamma=5.0, lambda_k=10.0), "energy": L1}, "below gamma times", "Lower gamma"),
    "margin below the data": (
        {"objective": MAGAN(epoch=32), "energy": MEASURED, "pretraining": 16, **fast(SMALL.nets.discriminator)},
        "lies below the energy of the data",
        "lower the discriminator's learning rate",
    ),
    "experts saturated": (
        {"objective": VGAN(), "energy": ExpertsEnergy(), "nets": SURE},
        "Every expert is sure of every sample",
        "start from smaller weights",
    ),
    "dead energy": (
        {"objective": LossSensitiveGAN(), "energy": ScalarEnergy(nonnegative=True), **fast(CRITIC)},
        "is exactly 0",
        "ScalarEnergy(nonnegative=False)",
    ),
}


@pytest.mark.parametrize("name", PROVOKED)
def test_a_run_in_which_it_goes_wrong_is_told_so_and_how_to_mend_it(name: str) -> None:
    changes, symptom, mend = PROVOKED[name]
    found = alarms_of(replace(SMALL, **changes))
    assert symptom in found[name]
    assert mend in found[name]
