"""Several processes train what one trains, leave together, and lose nobody."""

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.data import LabelledLoader, Loader, Packed, draw_labelled
from ebgan.distributed import Rank, RankLostError, gather_across_ranks, rank, sum_across_ranks
from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import CheckpointError
from ebgan.experiment import Evaluation, Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.dcgan import ConvAutoencoder
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    VCD,
    VGAN,
    WGANGP,
    Augmentation,
    LeCam,
    LossSensitiveGAN,
    Regularised,
    Relativistic,
    SemiSupervised,
)
from ebgan.runs import trainer
from ebgan.runs.calibration import calibrate
from ebgan.samplers import Replay, Transition
from ebgan.schedules import Linear
from ebgan.training import course, optimiser
from ebgan.training.checkpoint import newest
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau
from ebgan.training.step import train_step

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8), dtype=np.uint8)
GENERATOR = MLPGenerator(depth=3, width=10, noise=5, std=0.3)
EBGAN_PT = Experiment(
    nets=Nets(generator=GENERATOR, discriminator=MLPAutoencoder(depth=3, width=8, dropout=0.3, std=0.3)),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    images=240,
    batch=12,
    checkpoint=24,
    evaluation=Evaluation(grid=4),
    precision="fp64",
)
CONVOLUTIONAL = replace(
    EBGAN_PT,
    nets=Nets(
        generator=NoisyGenerator(width=4, noise=5, planes=2, bias=False, std=0.3),
        discriminator=ConvAutoencoder(encoder="(4)4c2s-(6)4c2s", bias=False, std=0.3),
    ),
)
GAN_ = replace(
    EBGAN_PT,
    nets=Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=2, width=8, dropout=0.3, std=0.3)),
    energy=LogisticEnergy(),
    objective=GAN(),
    optimisers=Optimisers(discriminator=SGD(lr=0.1, momentum=0.5), generator=SGD(lr=0.1, momentum=0.5)),
)
LOSS_SENSITIVE = replace(
    GAN_, energy=ScalarEnergy(), objective=LossSensitiveGAN(scale=0.1, slope=0.25, real_weight=0.0)
)
BEGAN_ = replace(
    EBGAN_PT,
    energy=AutoencoderEnergy(unit="l1"),
    objective=BEGAN(gamma=0.75, lambda_k=0.25),
    optimisers=replace(EBGAN_PT.optimisers, plateau=Plateau(patience=24, threshold=0.9)),
)
VGAN_ = replace(
    GAN_,
    nets=Nets(generator=GENERATOR, discriminator=MLPExperts(depth=2, width=8, experts=5, dropout=0.3, std=0.3)),
    energy=ExpertsEnergy(),
    objective=VGAN(),
)
VCD_ = replace(
    VGAN_,
    nets=replace(VGAN_.nets, generator=MLPTransition(width=10, code=5, std=0.3)),
    sampler=Replay(sampler=Transition(), size=30),
    objective=VCD(rho=0.5, entropy=True),
)
LOSS_SENSITIVE_PENALTY = replace(
    LOSS_SENSITIVE,
    objective=LossSensitiveGAN(scale=0.1, gradient_penalty=10.0, real_weight=0.0),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2, weight_decay=0.05, clip=0.2), generator=Adam(lr=1e-2)),
)
WGAN_GP = replace(LOSS_SENSITIVE, objective=WGANGP(), optimisers=EBGAN_PT.optimisers)
R3GAN = replace(
    LOSS_SENSITIVE,
    objective=Regularised(inner=Relativistic(against="mean"), data=1.0, samples=1.0, every=2),
    optimisers=EBGAN_PT.optimisers,
)
AUGMENTED = replace(EBGAN_PT, objective=Augmentation(inner=LeCam(inner=EBGAN(margin=4.0)), cutout=0.25))
EBGAN_LN = replace(
    EBGAN_PT,
    nets=Nets(generator=GENERATOR, discriminator=Ladder(widths=(8, 6), top_scale=True)),
    energy=AutoencoderEnergy(unit="sse"),
    objective=SemiSupervised(inner=EBGAN(margin=20.0)),
)
FULL_COST = replace(EBGAN_LN, energy=LadderEnergy(weights=(36.0, 8.0, 1.0, 1.0)))
KINDS = {
    f"{name}, {'joined' if joined else 'apart'}": replace(experiment, turns=Turns(joined=joined))
    for name, experiment in (
        *(
            ("EBGAN-PT", EBGAN_PT),
            ("EBGAN-PT, convolutional", CONVOLUTIONAL),
            ("GAN", GAN_),
            ("LossSensitiveGAN", LOSS_SENSITIVE),
            ("LossSensitiveGAN, penalty", LOSS_SENSITIVE_PENALTY),
        ),
        *(
            ("BEGAN, plateau", BEGAN_),
            ("VGAN", VGAN_),
            ("VCD", VCD_),
            ("WGANGP", WGAN_GP),
            ("R3GAN", R3GAN),
            ("augmented", AUGMENTED),
        ),
        *(("EBGAN-LN", EBGAN_LN), ("the full cost", FULL_COST)),
    )
    for joined in (False, True)
}

# A batch norm takes the bias before it away again: its gradient is rounding alone, of which Adam makes steps.
CANCELLED = {"hidden.0.bias", "hidden.1.mean", "hidden.3.bias", "hidden.4.mean", "trunk.3.bias", "trunk.4.mean"}


def unsettled(net: nn.Module) -> None:
    """Move a Ladder network's combinators from where gradients are rounding alone, of which Adam makes steps."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.startswith("combinators"):
                weight.add_(0.25)


def states(steps: int = 5) -> dict[str, Tensor]:
    """What moves in runs of each kind after some steps, on this rank."""
    found = {}
    for kind, experiment in KINDS.items():
        game, progress = build(experiment, (1, 8, 8), classes=5)
        unsettled(game.discriminator.net)
        here = rank()
        data = Packed(IMAGES[:, None], np.arange(50) % 5, tuple("abcde"))
        place = {"batch": 12, "randomness": game.randomness, "rank": here.index, "ranks": here.count}
        loader = Loader(data, **place)
        draw = LabelledLoader(loader, draw_labelled(data, 10, game.randomness), **place).batches(0).__next__
        for step in range(steps):
            source = partial(loader.at, step * 12)
            progress, outcome = train_step(game, progress, draw, source=lambda turn: source(f"source{turn}"))  # noqa: B023
            assert outcome.finite
        found |= {f"{kind}: {name}": value for name, value in game.generator.state().items()}
        found |= {f"{kind}: discriminator {name}": value for name, value in game.discriminator.state().items()}
        found |= {f"{kind}: {name}": value for name, value in outcome.values.items()}
        if progress.plateau:
            assert progress.plateau.factor == 0.5
            found |= {f"{kind}: plateau {name}": value for name, value in progress.plateau._asdict().items()}
    return found


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_train_what_one_does(tmp_path: Path, count: int, on_ranks) -> None:
    codes = on_ranks(count, lambda here: torch.save(states(), tmp_path / f"{here.index}"))
    assert codes == [0] * count
    first, *others = [torch.load(tmp_path / f"{index}", weights_only=True) for index in range(count)]
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)
    alone = states()
    assert alone.keys() == first.keys()
    for name in [name for name in alone if name.split()[-1] not in CANCELLED]:
        torch.testing.assert_close(
            first[name], alone[name], rtol=1e-9, atol=1e-9, msg=lambda said, name=name: f"{name}: {said}"
        )


def test_gradients_of_bf16_are_summed_in_full_precision(tmp_path, monkeypatch, on_ranks) -> None:
    add = optimiser.sum_across_ranks

    def work(here: Rank) -> None:
        summed: list[torch.dtype] = []

        def noted(tensors: list[Tensor]) -> list[Tensor]:
            summed.extend(tensor.dtype for tensor in tensors)
            return add(tensors)

        monkeypatch.setattr(optimiser, "sum_across_ranks", noted)
        game, progress = build(replace(EBGAN_PT, precision="bf16"), (1, 8, 8))
        place = {"batch": 12, "rank": here.index, "ranks": here.count}
        loader = Loader(Packed(IMAGES[:, None]), randomness=game.randomness, **place)
        train_step(game, progress, loader.batches(0).__next__)
        assert torch.bfloat16 in {parameter.dtype for parameter in game.generator.optimiser.parameters}
        assert set(summed) == {torch.float32}

    assert on_ranks(2, work) == [0, 0]


def test_alone_nothing_is_exchanged() -> None:
    tensor = torch.ones(2)
    assert rank() == Rank(0, 1)
    assert gather_across_ranks(tensor, 0) is tensor
    assert sum_across_ranks([tensor])[0] is tensor


def train(experiment: Experiment, out: Path) -> None:
    trainer.train(experiment, out, data=IMAGES, device="cpu")


def final(out: Path) -> dict[str, Tensor]:
    """What moves, at the newest checkpoint."""
    found = newest(out / "checkpoints")
    assert found is not None
    return found[0].tensors


def test_a_signal_to_one_process_stops_all_after_the_same_step_and_all_go_on_later(
    tmp_path, monkeypatch, on_ranks
) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    take = course.train_step

    def work(here: Rank) -> None:
        def step(game, progress, *rest, **named):
            if here.index == 1 and progress.seen == 72:
                os.kill(os.getpid(), signal.SIGTERM)
            return take(game, progress, *rest, **named)

        monkeypatch.setattr(course, "train_step", step)
        train(EBGAN_PT, tmp_path / "run")

    assert on_ranks(2, work) == [143, 143]
    stopped = newest(tmp_path / "run" / "checkpoints")
    assert stopped is not None
    assert stopped[0].images == 96  # the step that heard of it, and one more, after which all know
    assert on_ranks(2, lambda here: train(EBGAN_PT, tmp_path / "run")) == [0, 0]
    assert on_ranks(2, lambda here: train(EBGAN_PT, tmp_path / "whole")) == [0, 0]
    torch.testing.assert_close(final(tmp_path / "run"), final(tmp_path / "whole"), rtol=0, atol=0)
    written = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("run", "whole")]
    assert written[0] == written[1]


def test_a_process_that_dies_ends_the_others(tmp_path, monkeypatch, on_ranks) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    take = course.train_step

    def work(here: Rank) -> None:
        def step(game, progress, *rest, **named):
            if here.index == 1 and progress.seen == 72:
                os.kill(os.getpid(), signal.SIGKILL)
            return take(game, progress, *rest, **named)

        monkeypatch.setattr(course, "train_step", step)
        train(EBGAN_PT, tmp_path / "run")

    assert on_ranks(2, work) == [RankLostError.exit_code, -signal.SIGKILL]


def test_processes_that_see_different_checkpoints_refuse_to_go_on(tmp_path, monkeypatch, on_ranks) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    train(EBGAN_PT, tmp_path / "0")
    before = final(tmp_path / "0")
    told = tmp_path / "told"

    def work(here: Rank) -> None:
        try:
            train(EBGAN_PT, tmp_path / f"{here.index}")
        except CheckpointError as error:
            told.write_text(str(error))
            raise

    assert on_ranks(2, work) == [CheckpointError.exit_code] * 2
    assert "0 for one and 240 for another" in told.read_text()
    torch.testing.assert_close(final(tmp_path / "0"), before, rtol=0, atol=0)


def test_a_margin_that_only_one_process_finds_is_refused(tmp_path, monkeypatch, on_ranks) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    train(replace(EBGAN_PT, objective=EBGAN(margin=7.0)), tmp_path / "0")
    unsettled = replace(EBGAN_PT, objective=EBGAN(margin=None))
    codes = on_ranks(2, lambda here: train(unsettled, tmp_path / f"{here.index}"))
    assert codes == [CheckpointError.exit_code] * 2


def test_several_processes_calibrate_as_one_does(tmp_path, on_ranks) -> None:
    falling = Adam(lr=1e-2, decay=Linear(start=1.0, end=0.0, finish=240))
    made = replace(EBGAN_PT, optimisers=replace(EBGAN_PT.optimisers, discriminator=falling))
    alone = calibrate(made, Packed(IMAGES[:, None]))

    def work(here: Rank) -> None:
        together = calibrate(made, Packed(IMAGES[:, None]))
        assert [images for images, _ in together.curve] == [images for images, _ in alone.curve]
        assert together.reached == pytest.approx(alone.reached, rel=1e-9)

    assert on_ranks(2, work) == [0, 0]
