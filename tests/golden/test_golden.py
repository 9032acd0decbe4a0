"""The losses of short seeded runs, as they were: a change that may not move results moves none of these numbers.

One that may is to show the curve that it moves, and then stores the numbers anew:

    python -m pytest tests/golden --rewrite-golden

Weights, noise and arithmetic are float64, so that the numbers hold on every processor and for any number of threads:
those of AVX512, AVX2 and plain kernels agree to 1e-11. Two tests below show that TOLERANCE still finds small changes.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.class_head import ClassHead
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    MAGAN,
    VCD,
    VGAN,
    WGANGP,
    Augmentation,
    ClassConditional,
    LeastSquaresGAN,
    LeCam,
    LossSensitiveGAN,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.records import Batch
from ebgan.samplers import Transition
from ebgan.schedules import Linear
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.course import data_energies
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.step import train_step

STEPS, BATCH = 16, 16
TOLERANCE = 1e-9  # relative, of each value of each step
CHANGE = 1e-4  # of a number in an objective's formula, which is found
GENERATOR = MLPGenerator(depth=3, width=16, noise=8, std=0.2)
AUTOENCODER = Nets(generator=GENERATOR, discriminator=MLPAutoencoder(depth=3, width=16, dropout=0.2, std=0.1))
CLASSIFIER = Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=3, width=16, std=0.1))
ADAM = Optimisers(discriminator=Adam(lr=0.01), generator=Adam(lr=0.01))
# A ladder's decoder has shifts that batch norm cancels, and a relativistic loss cancels the last shift of the
# discriminator: their gradients are rounding, which this epsilon keeps small.
STEADY = Optimisers(discriminator=Adam(lr=0.01, epsilon=1e-3), generator=Adam(lr=0.01, epsilon=1e-3))
SLOW = Optimisers(discriminator=SGD(lr=0.01, momentum=0.5), generator=SGD(lr=0.01))
FALLING = Linear(start=8.0, end=0.0, finish=STEPS * BATCH)
RUNS = {
    "ebgan": Experiment(nets=AUTOENCODER, objective=EBGAN(margin=8.0), optimisers=ADAM),
    "ebgan_pt": Experiment(
        nets=AUTOENCODER,
        objective=EBGAN(margin=8.0, pulling_away=0.1),
        optimisers=ADAM,
        turns=Turns(joined=True),
        seed=1,
    ),
    "began": Experiment(
        nets=AUTOENCODER,
        energy=AutoencoderEnergy(unit="l1"),
        objective=BEGAN(gamma=0.8, lambda_k=0.1),
        optimisers=ADAM,
        seed=4,
    ),
    "magan": Experiment(
        nets=AUTOENCODER,
        energy=AutoencoderEnergy(unit="sse"),
        objective=MAGAN(epoch=5 * BATCH),
        optimisers=Optimisers(discriminator=Adamax(lr=0.02), generator=Adamax(lr=0.005)),
        pretraining=1,
        seed=6,
    ),
    "loss_sensitive": Experiment(
        nets=CLASSIFIER,
        energy=ScalarEnergy(nonnegative=True),
        objective=LossSensitiveGAN(
            scale=0.002, real_weight=0.5
        ),  # so small that the slope counts too: some pairs are beyond it
        optimisers=ADAM,
        seed=5,
    ),
    "loss_sensitive_penalty": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=3, width=16, batch_norm=False, std=0.1)),
        energy=ScalarEnergy(),
        objective=LossSensitiveGAN(scale=0.05, real_weight=0.0, gradient_penalty=10.0),
        optimisers=Optimisers(discriminator=Adam(lr=0.01, weight_decay=0.05, clip=0.2), generator=Adam(lr=0.01)),
        seed=10,
    ),
    "least_squares": Experiment(
        nets=CLASSIFIER, energy=ScalarEnergy(), objective=LeastSquaresGAN(), optimisers=ADAM, seed=7
    ),
    "wgan_gp": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=3, width=16, batch_norm=False, std=0.1)),
        energy=ScalarEnergy(),
        objective=WGANGP(),
        optimisers=ADAM,
        seed=8,
    ),
    "relativistic": Experiment(
        nets=CLASSIFIER, energy=ScalarEnergy(), objective=Relativistic(margin=0.5), optimisers=STEADY, seed=13
    ),
    "relativistic_averaged": Experiment(
        nets=CLASSIFIER,
        energy=ScalarEnergy(),
        objective=Relativistic(loss="hinge", against="mean", margin=1.0),
        optimisers=STEADY,
        seed=14,
    ),
    "regularised": Experiment(
        nets=replace(AUTOENCODER, discriminator=MLPAutoencoder(depth=3, width=16, batch_norm=False, std=0.1)),
        objective=Regularised(inner=EBGAN(margin=8.0), data=1.0, samples=0.5, between=2.0, every=2),
        optimisers=ADAM,
        seed=15,
    ),
    "augmentation": Experiment(
        nets=AUTOENCODER,
        objective=Augmentation(inner=EBGAN(margin=8.0), translation=0.25, cutout=0.25, colour=0.5),
        optimisers=ADAM,
        seed=16,
    ),
    "lecam": Experiment(
        nets=CLASSIFIER,
        energy=ScalarEnergy(),
        objective=LeCam(inner=LeastSquaresGAN(), weight=0.5, decay=0.75),
        optimisers=ADAM,
        seed=17,
    ),
    "class_conditional": Experiment(
        nets=Nets(
            generator=ClassGenerator(net=GENERATOR, std=1.0),
            discriminator=ClassAutoencoder(net=AUTOENCODER.discriminator),
        ),
        objective=ClassConditional(inner=EBGAN(margin=8.0), weight=0.5),
        optimisers=ADAM,
        seed=18,
    ),
    "vgan": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=MLPExperts(depth=3, width=16, experts=6, std=0.2)),
        energy=ExpertsEnergy(),
        objective=VGAN(),
        optimisers=Optimisers(discriminator=Adadelta(), generator=Adadelta(lr=1.0)),
        turns=Turns(generator=2),
        seed=9,
    ),
    "vcd": Experiment(
        nets=Nets(
            generator=MLPTransition(width=16, code=8, std=0.2),
            discriminator=MLPExperts(depth=3, width=16, experts=6, std=0.2),
        ),
        energy=ExpertsEnergy(),
        sampler=Transition(),
        objective=VCD(rho=0.25, entropy=True),
        optimisers=Optimisers(discriminator=Adadelta(), generator=Adadelta(lr=1.0)),
        seed=10,
    ),
    "gan": Experiment(nets=CLASSIFIER, energy=LogisticEnergy(), objective=GAN(), optimisers=SLOW, seed=2),
    "semisupervised": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=Ladder(widths=(16, 12))),
        energy=AutoencoderEnergy(unit="sse"),
        objective=SemiSupervised(inner=Scheduled(EBGAN(margin=60.0), margin=FALLING)),
        optimisers=STEADY,
        seed=10,
    ),
    "semisupervised_full": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=Ladder(widths=(16, 12), top_scale=True, statistics="labelled")),
        energy=LadderEnergy(weights=(64.0, 8.0, 1.0, 1.0)),
        objective=SemiSupervised(inner=EBGAN(margin=40.0), weight=1.0, weighs="data"),
        optimisers=STEADY,
        seed=11,
    ),
    "semisupervised_head": Experiment(
        nets=Nets(generator=GENERATOR, discriminator=ClassHead(net=AUTOENCODER.discriminator)),
        energy=AutoencoderEnergy(unit="l1"),
        objective=SemiSupervised(inner=BEGAN(gamma=0.8, lambda_k=0.1), weight=10.0),
        optimisers=ADAM,
        seed=12,
    ),
    "scheduled": Experiment(
        nets=AUTOENCODER, objective=Scheduled(EBGAN(margin=8.0), margin=FALLING), optimisers=ADAM, seed=3
    ),
}


CHANGED = [
    ("ebgan", "margin"),
    ("ebgan_pt", "margin"),
    ("ebgan_pt", "pulling_away"),
    ("began", "gamma"),
    ("began", "lambda_k"),
    ("loss_sensitive", "scale"),
    ("loss_sensitive", "real_weight"),
    ("loss_sensitive", "slope"),
    ("loss_sensitive_penalty", "gradient_penalty"),
    ("least_squares", "fake"),
    ("least_squares", "real"),
    ("least_squares", "aim"),
    ("wgan_gp", "gradient_penalty"),
    ("relativistic", "margin"),
    ("relativistic_averaged", "margin"),
    ("regularised", "data"),
    ("regularised", "samples"),
    ("regularised", "between"),
    ("augmentation", "colour"),
    ("class_conditional", "weight"),
    ("lecam", "weight"),
    ("lecam", "decay"),
    ("vcd", "rho"),
    ("semisupervised", "weight"),
    ("semisupervised_full", "weight"),
    ("semisupervised_head", "weight"),
]


def losses(experiment: Experiment, steps: int = STEPS) -> dict[str, list[float]]:
    """Every value of the first steps of a run, by name."""
    experiment = replace(experiment, batch=BATCH, precision="fp64")
    pixels, names = load_digits(return_X_y=True)
    digits = torch.tensor(pixels[: STEPS * BATCH].reshape(-1, 1, 8, 8) / 8 - 1)
    labelled = Batch(digits[:20], torch.tensor(names[:20]))
    game, progress = build(experiment, (1, 8, 8), classes=10)
    if experiment.pretraining:
        energies = data_energies(game, [Batch(digits)])
        progress = progress._replace(objective=game.objective.after_pretraining(progress.objective, energies))
    batches = zip(digits.split(BATCH), torch.tensor(names).split(BATCH), strict=False)

    def starts(turn: int) -> Batch:
        return Batch(digits[turn::STEPS])

    values: dict[str, list[float]] = {}
    for _ in range(steps):
        progress, outcome = train_step(game, progress, lambda: Batch(*next(batches), labelled=labelled), source=starts)
        for name, value in outcome.values.items():
            values.setdefault(name, []).append(value.item())
    return values


def differences(values: dict[str, list[float]], stored: dict[str, list[float]]) -> list[str]:
    """The names of values that differ from the stored ones in any of the steps that were taken."""
    assert values.keys() == stored.keys()
    return [name for name, those in values.items() if those != pytest.approx(stored[name][: len(those)], rel=TOLERANCE)]


def stored(name: str) -> dict[str, list[float]]:
    losses: dict[str, list[float]] = json.loads(Path(__file__).with_name(f"{name}.json").read_text())
    return losses


@pytest.mark.parametrize("name", RUNS)
def test_the_losses_of_a_short_run_are_those_that_were_stored(name: str, request: pytest.FixtureRequest) -> None:
    values = losses(RUNS[name])
    if request.config.getoption("--rewrite-golden"):
        Path(__file__).with_name(f"{name}.json").write_text(json.dumps(values, indent=1) + "\n")
        pytest.skip(f"{name}.json is stored anew")
    for key, expected in stored(name).items():
        assert values[key] == pytest.approx(expected, rel=TOLERANCE), key
    assert not differences(values, stored(name))


@pytest.mark.parametrize(("name", "field"), CHANGED)
def test_a_change_of_one_ten_thousandth_in_a_formula_breaks_them(name: str, field: str) -> None:
    objective = RUNS[name].objective
    changed = replace(objective, **{field: getattr(objective, field) + CHANGE})
    assert differences(losses(replace(RUNS[name], objective=changed), steps=3), stored(name))


def test_a_schedule_or_an_optimiser_that_changes_as_little_breaks_them() -> None:
    start = Scheduled(EBGAN(margin=8.0), margin=replace(FALLING, start=8.0 + CHANGE))
    optimiser = replace(ADAM, generator=Adam(lr=0.01, beta1=0.5 + CHANGE))
    assert differences(losses(replace(RUNS["scheduled"], objective=start), steps=3), stored("scheduled"))
    assert differences(losses(replace(RUNS["gan"], optimisers=optimiser), steps=3), stored("gan"))


def test_they_hold_for_two_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert not differences(losses(RUNS["semisupervised"], steps=2), stored("semisupervised"))
    finally:
        torch.set_num_threads(before)


def test_the_stored_runs_are_those_that_are_tested() -> None:
    assert {path.stem for path in Path(__file__).parent.glob("*.json")} == set(RUNS)
