"""What looks wrong in a run is said once, in words, when it lasts."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ebgan.experiment import Experiment, Nets, build
from ebgan.nets.base import Generator
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.records import Batch
from ebgan.runfolder import Record
from ebgan.training.alarms import PATIENCE, Alarms
from ebgan.training.recorder import Recorder
from ebgan.training.step import train_step

HEALTHY = {"margin": 3.0, "energy_real": 1.0, "energy_fake": 2.0, "hinge_share": 0.7, "code_similarity": 0.3}
TOTAL = 1000
LASTING = int(PATIENCE * TOTAL)  # images between two records of the tests


def heard(*records: Record) -> list[str]:
    """The names of the alarms that records give, each as long after the one before as a symptom must last."""
    alarms = Alarms(TOTAL)
    raised = [alarms.hear({"images": LASTING * place, **HEALTHY, **record}) for place, record in enumerate(records)]
    return [alarm["alarm"] for each in raised for alarm in each]


def test_a_healthy_run_gives_none() -> None:
    assert heard({}, {}, {}, {}) == []


@pytest.mark.parametrize(
    ("sick", "alarm"),
    [
        ({"hinge_share": 0.0}, "dead hinge"),
        ({"hinge_share": 1.0}, "margin out of reach"),
        ({"code_similarity": 0.95}, "collapse"),
        ({"margin_above_data": -0.5}, "margin below the data"),
        ({"energy_real": 0.0, "energy_fake": 0.0}, "dead energy"),
        ({"expert_entropy": 0.002}, "experts saturated"),
        ({"state/k": 0.0}, "k stuck at 0"),
        ({"state/k": 1.0}, "k stuck at 1"),
    ],
)
def test_each_symptom_is_told_once_when_it_has_lasted(sick: Record, alarm: str) -> None:
    assert heard(sick) == []
    assert heard(sick, {}, sick, {}) == []
    assert heard(sick, sick) == [alarm]
    assert heard(sick, sick, sick, {}, sick, sick) == [alarm]


def test_a_balance_that_moves_is_not_stuck() -> None:
    assert heard({"state/k": 0.0}, {"state/k": 1e-4}, {"state/k": 0.5}, {"state/k": 0.9999}, {"state/k": 1.0}) == []


def test_a_margin_of_zero_is_no_dead_hinge_and_an_objective_without_margin_has_no_alarms() -> None:
    assert heard(*[{"hinge_share": 0.0, "margin": 0.0}] * 4) == []
    alarms = Alarms(TOTAL)
    assert [alarms.hear({"images": images, "energy_fake": 1.0}) for images in (0, 500)] == [[], []]


def test_what_was_raised_before_a_run_was_stopped_is_not_raised_again() -> None:
    alarms = Alarms(TOTAL, raised={"collapse"})
    for images in (0, 500):
        assert alarms.hear({"images": images, **HEALTHY, "code_similarity": 1.0}) == []


@pytest.mark.parametrize(("share", "count"), [(0.5, 0), (0.6, 1), (1.0, 1)])
def test_a_class_that_dominates_is_told_once_when_it_has_lasted(share: float, count: int) -> None:
    alarms = Alarms(TOTAL)
    first, *later = [
        alarms.judge({"images": place * LASTING, "metrics": {"largest_class": share}}) for place in range(3)
    ]
    assert first == []
    told = [alarm for each in later for alarm in each]
    assert [alarm["alarm"] for alarm in told] == ["class collapse"] * count
    assert all(f"{share:.0%} of the samples are of one class" in alarm["message"] for alarm in told)


def test_metrics_that_count_no_classes_give_no_alarm() -> None:
    assert Alarms(TOTAL).judge({"images": TOTAL, "metrics": {}}) == []


class Constant(Generator):
    """One image, whatever the noise."""

    noise = ((2,),)

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.zeros(1, 4, 4))

    def forward(self, *noise: Tensor) -> Tensor:
        return self.image.tanh().expand(noise[0].shape[0], 1, 4, 4)


def alarms_of(margin: float, generator: Generator | None = None) -> dict[str, str]:
    """The alarms, by name, of a short run on noise."""
    experiment = Experiment(
        nets=Nets(
            generator=MLPGenerator(depth=2, width=8, noise=4, std=0.5),
            discriminator=MLPAutoencoder(depth=2, width=8, std=0.5),
        ),
        objective=EBGAN(margin=margin),
    )
    game, progress = build(experiment, (1, 4, 4))
    if generator:
        player = game.generator
        optimiser = type(player.optimiser)(experiment.optimisers.generator, generator)
        game = replace(game, generator=replace(player, net=generator, optimiser=optimiser))
    alarms, recorder, found = Alarms(160), Recorder(), {}
    for step in range(1, 11):
        images = torch.rand(16, 1, 4, 4, generator=torch.Generator().manual_seed(step)) * 2 - 1
        progress, outcome = train_step(game, progress, lambda: Batch(images))  # noqa: B023
        recorder.add(step * 16, outcome)
        recorder.close(step * 16)
        found |= {alarm["alarm"]: alarm["message"] for alarm in alarms.hear(recorder.take() or {})}
    return found


def test_a_generator_that_makes_one_image_is_called_a_collapse() -> None:
    found = alarms_of(3.0, Constant())
    assert "The codes of the samples point the same way (mean squared cosine 1.00)" in found["collapse"]
    assert "pulling-away" in found["collapse"]


def test_a_margin_far_above_the_energies_is_called_out_of_reach() -> None:
    found = alarms_of(1e4)
    assert "Every sample lies under the margin 1e+04" in found["margin out of reach"]
    assert "Lower the margin" in found["margin out of reach"]


def test_a_margin_far_below_the_energies_is_called_a_dead_hinge() -> None:
    found = alarms_of(1e-3)
    assert "No sample lies under the margin 0.001" in found["dead hinge"]
    assert "Raise the margin" in found["dead hinge"]
