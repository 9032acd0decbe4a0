"""Every family of recipes on several ranks, with evaluations, pictures and checkpoints: what one rank trains."""

import statistics
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.data import Loader
from ebgan.distributed import Rank, rank
from ebgan.experiment import Evaluation, Experiment, Labelled, Precision, starting
from ebgan.experiment.building import build
from ebgan.metrics import fitting
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.objectives import MAGAN
from ebgan.objectives.wrapper import Wrapper
from ebgan.recipes import RECIPES, find
from ebgan.runs import trainer
from ebgan.storage.runfolder import read_records
from ebgan.training.checkpoint import newest
from ebgan.training.game import Game
from ebgan.training.step import Progress, train_step

STEPS = 20
BATCH = 12
CLASSES = 3
COUNT = 60  # images
SMALL: dict[str, object] = {  # fields; 16 ReLUs are hardly ever all at 0, where an L1 error has a kink
    "width": 16,
    "hidden": 16,
    "noise": 6,
    "code": 6,
    "planes": 2,
    "experts": 5,
    "depth": 3,
    "std": 0.1,
    "encoder": "(4)4c2s-(6)4c2s",
    "layers": None,
    "widths": (8, 6),
}
QUICK = ("digits", "toy.ring.began", "semisupervised_mnist.ebgan_ln", "mnist.vcd", "cifar10.magan")


def family(name: str) -> tuple[object, ...]:
    """What recipes of one family have in common: the kinds of all their parts."""
    made = find(name).make()
    kinds = [*vars(made.nets).values(), made.energy, made.sampler, made.optimisers.generator]
    objective: Any = made.objective
    while isinstance(objective, Wrapper):
        kinds.append(objective)
        objective = objective.inner
    passes = (made.turns.joined, bool(made.data.crop), made.data.flip, made.data.limits)
    return (*map(type, [*kinds, objective]), made.data.source.startswith("toy."), made.optimisers.plateau, passes)


FAMILIES = list({family(name): name for name in reversed(RECIPES)}.values())


def small(spec: Any) -> Any:
    """A net with few units."""
    changes = {
        each.name: small(value) if is_dataclass(value) else reduced(SMALL[each.name], value)
        for each in fields(spec)
        if is_dataclass(value := getattr(spec, each.name)) or (each.name in SMALL and value is not None)
    }
    kind: GeneratorSpec | DiscriminatorSpec = replace(spec, **changes)
    return kind


def reduced(size: object, usual: object) -> object:
    """A size; of numbers the smaller one: a deeper net may have a batch norm that the recipe's has not."""
    return min(size, usual) if isinstance(size, int) and isinstance(usual, int) else size


def tiny(name: str, folder: Path) -> Experiment:
    """A recipe on few images with small nets, in float64, that takes STEPS steps."""
    made = find(name).make()
    energy = replace(made.energy, weights=(36.0, 8.0, 1.0, 1.0)) if hasattr(made.energy, "weights") else made.energy
    toy = made.data.source.startswith("toy.")
    side = 16 if made.data.crop else None
    data = replace(made.data, source=str(folder / "images.npz"), padding=0, size=side, crop=side, channels=None)
    turns = made.turns.now(made.images)[0]
    images = STEPS * BATCH * turns
    return replace(
        made,
        data=made.data if toy else data,
        labelled=Labelled(count=12, batch=12),
        nets=replace(made.nets, generator=small(made.nets.generator), discriminator=small(made.nets.discriminator)),
        energy=energy,
        objective=replace(made.objective, epoch=COUNT) if isinstance(made.objective, MAGAN) else made.objective,
        images=images,
        pretraining=2 * BATCH if made.pretraining else 0,
        batch=BATCH,
        checkpoint=images // 2,
        precision="fp64",
        evaluation=Evaluation(grid=4, samples=20, every=images // 2, pictures=images // 2),
    )


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images of three classes, of which a classifier learns quickly."""
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 120)
    monkeypatch.setattr(starting, "build", built)
    draw = np.random.default_rng(0)
    labels = np.arange(COUNT) % CLASSES
    pixels = draw.integers(0, 120, (COUNT, 16, 16)) + 60 * labels[:, None, None]
    np.savez(tmp_path / "images.npz", images=pixels.astype(np.uint8), labels=labels)
    return tmp_path


def built(*given: Any) -> tuple[Game, Progress]:
    """A game whose Ladder's combinators have left the place where gradients are rounding, of which Adam makes steps."""
    game, progress = build(*given)
    with torch.no_grad():
        for name, weight in game.discriminator.net.named_parameters():
            if name.startswith("combinators"):
                weight.add_(0.25)
    return game, progress


def run(experiment: Experiment, out: Path) -> None:
    trainer.train(experiment, out, device="cpu")


def assert_alike(together: Path, alone: Path) -> None:
    """Two run folders hold the same files, and numbers that differ by the order of sums."""
    names = [sorted(str(path.relative_to(out)) for path in out.rglob("*")) for out in (together, alone)]
    assert names[0] == names[1]
    ours, theirs = (newest(out / "checkpoints") for out in (together, alone))
    assert ours is not None
    assert theirs is not None
    assert ours[0].images == theirs[0].images
    for name, value in theirs[0].tensors.items():
        torch.testing.assert_close(
            ours[0].tensors[name], value, rtol=1e-7, atol=1e-7, msg=lambda said, name=name: f"{name}: {said}"
        )
    found, expected = (read_records(out / "evaluations.jsonl") for out in (together, alone))
    assert len(found) == len(expected)
    for record, other in zip(found, expected, strict=True):
        assert record["metrics"] == pytest.approx(other["metrics"], rel=1e-3, abs=1e-3)


def compare(ranks: int, names: tuple[str, ...] | list[str], folder: Path, on_ranks, limit: int) -> None:
    """Train recipes on so many ranks, in one launch, and on one."""
    made = {name: tiny(name, folder) for name in names}

    def work(here: Rank) -> None:
        for name, experiment in made.items():
            run(experiment, folder / "together" / name)

    for name, experiment in made.items():
        run(experiment, folder / "alone" / name)
    assert on_ranks(ranks, work, limit=limit) == [0] * ranks
    for name in made:
        assert_alike(folder / "together" / name, folder / "alone" / name)
        assert any((folder / "together" / name / drawn).exists() for drawn in ("samples", "real.png"))
        assert read_records(folder / "together" / name / "evaluations.jsonl")


def test_two_ranks_train_what_one_does_with_evaluations_on_the_way(images, monkeypatch, on_ranks) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    compare(2, QUICK, images, on_ranks, limit=100)


def first_gradients(experiment: Experiment) -> dict[str, Tensor]:
    """The gradients of a step, by player and weight: Adam's means after it are a share of them."""
    data, here = experiment.data.open(), rank()
    game, progress = build(experiment, data.shape)
    place = {"randomness": game.randomness, "rank": here.index, "ranks": here.count}
    train_step(game, progress, Loader(data, batch=experiment.batch, **place).batches(0).__next__)
    players = {"discriminator": game.discriminator, "generator": game.generator}
    return {
        f"{player} {name}": value.double()
        for player, moved in players.items()
        for name, value in moved.state().items()
        if name.startswith("mean.")
    }


def test_gradients_in_float32_are_as_exact_on_two_ranks_as_on_one(images, on_ranks) -> None:
    """Weights may differ by whole steps nevertheless: Adam makes them of rounding where a gradient is 0."""
    seeds, made = range(6), replace(tiny("digits", images), precision="fp32")

    def all_gradients(precision: Precision = "fp32") -> list[dict[str, Tensor]]:
        return [first_gradients(replace(made, seed=seed, precision=precision)) for seed in seeds]

    def work(here: Rank) -> None:
        torch.save(all_gradients(), images / f"{here.index}")

    assert on_ranks(2, work) == [0, 0]
    exact = all_gradients("fp64")

    def median_error(found: list[dict[str, Tensor]]) -> float:
        errors = [
            float((ours[name] - value).norm() / value.norm())
            for ours, theirs in zip(found, exact, strict=True)
            for name, value in theirs.items()
            if value.norm() > 1e-12  # not of a bias that batch norm takes away again
        ]
        assert len(errors) > 50
        return statistics.median(errors)

    alone = median_error(all_gradients())
    assert alone < 1e-5
    assert median_error(torch.load(images / "0", weights_only=True)) < 2 * alone


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FAMILIES)
def test_two_ranks_train_every_family(images, on_ranks, name: str) -> None:
    compare(2, [name], images, on_ranks, limit=300)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_four_ranks_train_what_one_does(images, on_ranks) -> None:
    compare(4, QUICK, images, on_ranks, limit=600)
