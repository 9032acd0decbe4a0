"""Any experiment goes through config.yaml and back, and any text is read or refused with a word to the user."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ebgan import config
from ebgan.energies import AutoencoderEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import REGISTRY, Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, MAGAN, LossSensitiveGAN, Scheduled
from ebgan.recipes import find
from ebgan.samplers import Prior
from ebgan.schedules import Constant, Linear, Steps
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau

# The checks of signatures look at an item of a tuple at random.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

COUNTS, RATES, SHARES = st.integers(1, 10**12), st.floats(0, 1e30), st.floats(0, 1, exclude_max=True)
POSITIVE, NUMBERS = st.floats(1e-30, 1e30), st.floats(allow_nan=False, allow_infinity=False)
SCHEDULES = st.one_of(
    st.builds(Constant, value=POSITIVE),
    st.builds(Linear, start=POSITIVE, end=POSITIVE, finish=st.integers(101, 10**9), begin=st.integers(0, 100)),
    st.builds(Steps, values=st.tuples(POSITIVE, POSITIVE), boundaries=st.tuples(COUNTS)),
)
DECAYS = st.none() | SCHEDULES
REGULARISED = {"lr": POSITIVE, "decay": DECAYS, "weight_decay": RATES, "clip": st.none() | POSITIVE}
OPTIMISERS = st.one_of(
    *(st.builds(rule, **REGULARISED) for rule in (Adamax, Adadelta)),
    st.builds(Adam, **REGULARISED, beta1=SHARES, epsilon=POSITIVE),
    st.builds(SGD, **REGULARISED, momentum=SHARES),
)
AUTOENCODERS = st.builds(MLPAutoencoder, depth=st.integers(2, 9), width=COUNTS, std=POSITIVE)
GENERATORS = st.builds(MLPGenerator, depth=st.integers(2, 9), width=COUNTS, noise=COUNTS)
CONVERGING = st.one_of(
    st.builds(BEGAN, gamma=POSITIVE, lambda_k=POSITIVE),
    st.builds(MAGAN, epoch=COUNTS),
    st.builds(lambda inner, schedule: Scheduled(inner, gamma=schedule), st.builds(BEGAN), SCHEDULES),
)
PLATEAUS = st.builds(Plateau, patience=COUNTS, threshold=SHARES, reduction=SHARES, floor=SHARES)
COMMON = {
    "data": st.builds(
        Data, source=st.text(), size=st.none() | st.integers(1, 16_384), limits=st.none() | st.tuples(NUMBERS, NUMBERS)
    ),
    "sampler": st.builds(Prior, distribution=st.sampled_from(["normal", "uniform"])),
    "turns": st.builds(Turns, generator=st.integers(0, 9) | SCHEDULES, fresh=st.booleans(), joined=st.booleans()),
    "images": COUNTS,
    "pretraining": COUNTS,
    "precision": st.sampled_from(["fp32", "bf16", "fp64"]),
    "seed": st.integers(),
    "ema": st.none() | COUNTS,
    "evaluation": st.builds(Evaluation, samples=st.integers(2, 10**7), every=st.none() | COUNTS),
}
EXPERIMENTS = st.one_of(
    st.builds(
        Experiment,
        nets=st.builds(Nets, generator=GENERATORS, discriminator=AUTOENCODERS),
        energy=st.builds(AutoencoderEnergy, unit=st.sampled_from(["norm", "sse", "mse", "l1"])),
        objective=CONVERGING,
        optimisers=st.builds(Optimisers, discriminator=OPTIMISERS, generator=OPTIMISERS, plateau=PLATEAUS),
        **COMMON,
    ),
    st.builds(
        Experiment,
        nets=st.builds(Nets, generator=GENERATORS, discriminator=st.builds(MLPDiscriminator, width=COUNTS)),
        energy=st.builds(ScalarEnergy, nonnegative=st.booleans()),
        objective=st.one_of(
            st.builds(
                LossSensitiveGAN,
                real_weight=st.just(0.0),
                slope=st.floats(-1e30, 1),
                gradient_penalty=st.none() | RATES,
            ),
            st.builds(EBGAN, margin=RATES),
        ),
        optimisers=st.builds(Optimisers, discriminator=OPTIMISERS, generator=OPTIMISERS),
        **COMMON,
    ),
)
WHOLE = find("digits").make().to_yaml()


def read(text: str) -> Experiment:
    experiment: Experiment = config.from_yaml(text, Experiment, REGISTRY, "config.yaml")
    return experiment


def refused(text: str) -> str:
    """What is said of a text that is no experiment, or "" where it is one; nothing but a UsageError may be raised."""
    try:
        read(text)
    except UsageError as error:
        return str(error)
    return ""


@given(EXPERIMENTS)
def test_an_experiment_is_read_back_as_it_was_written(experiment: Experiment) -> None:
    text = experiment.to_yaml()
    again = read(text)
    assert again == experiment
    assert again.hash == experiment.hash
    assert again.to_yaml() == text


@given(st.text())
def test_any_text_is_read_or_refused_in_one_line_that_names_the_file(text: str) -> None:
    said = refused(text)
    assert said.startswith("config.yaml") or not said
    assert "\n" not in said


@given(st.text(max_size=8), st.data())
def test_a_config_in_which_anything_was_typed_over_is_read_or_refused_so_too(typed: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WHOLE)))
    said = refused(WHOLE[:place] + typed + WHOLE[place + data.draw(st.integers(0, 8)) :])
    assert said.startswith("config.yaml") or not said
    assert "\n" not in said


@given(st.text(string.ascii_lowercase, min_size=1))
def test_an_unknown_key_is_named_with_its_line(key: str) -> None:
    assume(f"{key}:" not in WHOLE and key != "null")
    assert refused(f"{WHOLE}{key}: 1\n").startswith(f"config.yaml, line {len(WHOLE.splitlines()) + 1}: {key}: unknown")
