"""Table 1 of EBGAN: the grid has 512 EBGANs and 6,144 GANs, with the paper's values on every axis."""

from collections import Counter
from typing import Any

import pytest

from ebgan.experiment import Experiment
from ebgan.nets.mlp import MLPGenerator
from ebgan.objectives import EBGAN, GAN
from ebgan.recipes import find_grid
from ebgan.training.optim import SGD, Adam


def experiments(name: str, scale: Any = "paper") -> list[Experiment]:
    return [trial.experiment for trial in find_grid(name).make(scale).trials()]


@pytest.mark.parametrize(
    ("name", "scale", "count"),
    [
        ("mnist_grid.ebgan", "paper", 512),
        ("mnist_grid.gan", "paper", 6144),
        ("mnist_grid", "cpu", 6656),
        ("mnist_grid", "tiny", 416),
    ],
)
def test_the_grid_has_as_many_trials_as_the_paper_and_each_once(name: str, scale: Any, count: int) -> None:
    grid = find_grid(name).make(scale)
    assert len(grid) == count
    assert len({trial.id for trial in grid.trials()}) == count


@pytest.mark.parametrize("name", ["mnist_grid.ebgan", "mnist_grid.gan"])
def test_every_value_of_an_axis_is_there_as_often_as_any_other(name: str) -> None:
    made = experiments(name)
    nets = [(each.nets.generator, each.nets.discriminator) for each in made]
    axes = {
        "nLayerG": Counter(generator.depth for generator, _ in nets),
        "sizeG": Counter(generator.width for generator, _ in nets),
        "nLayerD": Counter(discriminator.depth for _, discriminator in nets),
        "sizeD": Counter(discriminator.width for _, discriminator in nets),
        "dropoutD": Counter(discriminator.dropout for _, discriminator in nets),
    }
    assert {name: sorted(counts) for name, counts in axes.items()} == {
        "nLayerG": [2, 3, 4, 5],
        "sizeG": [400, 800, 1600, 3200],
        "nLayerD": [2, 3, 4, 5],
        "sizeD": [128, 256, 512, 1024],
        "dropoutD": [0.0, 0.5],
    }
    assert all(set(counts.values()) == {len(made) // len(counts)} for counts in axes.values())


def test_ebgans_move_by_adam_with_the_papers_rate_and_margin() -> None:
    made = experiments("mnist_grid.ebgan")
    assert {each.objective for each in made} == {EBGAN(margin=10.0)}
    assert {(each.optimisers.discriminator, each.optimisers.generator) for each in made} == {(Adam(lr=1e-3),) * 2}
    assert {(each.data.source, each.data.padding, each.data.limits) for each in made} == {("mnist", 2, (-1.0, 1.0))}


def test_gans_have_twelve_pairs_of_optimisers_whose_learning_rate_is_one() -> None:
    made = experiments("mnist_grid.gan")
    assert {each.objective for each in made} == {GAN()}
    pairs = Counter((each.optimisers.discriminator, each.optimisers.generator) for each in made)
    rules = {rate: (Adam(lr=rate), SGD(lr=rate)) for rate in (1e-2, 1e-3, 1e-4)}
    assert pairs == {(d, g): 512 for both in rules.values() for d in both for g in both}


def test_on_digits_with_a_sixteenth_of_the_pixels_widths_are_a_sixteenth_and_the_margin_a_quarter() -> None:
    paper, cpu = experiments("mnist_grid.ebgan"), experiments("mnist_grid.ebgan", "cpu")
    for large, small in zip(paper, cpu, strict=True):
        assert isinstance(large.nets.generator, MLPGenerator)
        assert large.nets.generator.width == 16 * small.nets.generator.width
        assert large.nets.discriminator.width == 16 * small.nets.discriminator.width
        assert large.nets.generator.depth == small.nets.generator.depth
        assert large.objective.margin == 4 * small.objective.margin
