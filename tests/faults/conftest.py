"""Tiny runs, each of which goes through everything that moves, and processes that train them and are done harm to."""

import hashlib
import os
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import EbganError
from ebgan.experiment import Data, Evaluation, Experiment, Labelled, Nets, Optimisers
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    MAGAN,
    VCD,
    Augmentation,
    LeCam,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.runs import trainer
from ebgan.runs.examiners import classes
from ebgan.samplers import Replay, Transition
from ebgan.schedules import Linear
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.checkpoint import Checkpoint, newest
from ebgan.training.fall import Fall
from ebgan.training.game import Turns
from ebgan.training.log import Observer
from ebgan.training.loop import Training
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
UNEXPECTED = 99  # how a child ends that meets an error that is not for a user
LENGTH = 240  # images seen in a run: 20 or 10 steps, with a checkpoint after each second one
NETS = Nets(
    generator=MLPGenerator(depth=3, width=10, noise=5, std=0.2),
    discriminator=MLPAutoencoder(depth=3, width=12, dropout=0.3, std=0.2),
)
QUIET = Evaluation(grid=4, pictures=LENGTH, every=LENGTH)

VARIANTS = {
    "EBGAN-PT, a falling margin, dropout, an average": Experiment(
        nets=NETS,
        objective=Scheduled(EBGAN(pulling_away=0.1), margin=Linear(start=12.0, end=6.0, finish=LENGTH)),
        optimisers=Optimisers(
            discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2, decay=Linear(start=1, end=0, finish=LENGTH))
        ),
        images=LENGTH,
        batch=12,
        ema=50,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "GAN, momentum, joined, two turns, [0, 1]": Experiment(
        data=Data(limits=(0.0, 1.0)),
        nets=Nets(generator=NETS.generator, discriminator=MLPDiscriminator(depth=3, width=12, dropout=0.3, std=0.2)),
        energy=LogisticEnergy(),
        objective=GAN(),
        optimisers=Optimisers(discriminator=SGD(lr=0.05, momentum=0.9), generator=SGD(lr=0.05, momentum=0.5)),
        turns=Turns(discriminator=2, fresh=False, joined=True),
        images=LENGTH,
        batch=12,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "BEGAN in bfloat16, an average, a plateau": Experiment(
        nets=NETS,
        energy=AutoencoderEnergy(unit="l1"),
        objective=BEGAN(gamma=0.75, lambda_k=0.25),
        optimisers=Optimisers(
            discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2), plateau=Plateau(patience=84, threshold=0.9)
        ),
        images=LENGTH,
        batch=12,
        precision="bf16",
        ema=50,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "MAGAN after pretraining, Adamax": Experiment(
        nets=NETS,
        energy=AutoencoderEnergy(unit="sse"),
        objective=MAGAN(epoch=36),
        optimisers=Optimisers(discriminator=Adamax(lr=1e-2), generator=Adamax(lr=1e-2)),
        pretraining=48,
        images=LENGTH,
        batch=12,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "VCD, transitions, replay, two turns of the generator, Adadelta": Experiment(
        data=Data(limits=(0.0, 1.0)),
        nets=Nets(
            generator=MLPTransition(width=10, code=5, std=0.2),
            discriminator=MLPExperts(depth=3, width=12, experts=6, dropout=0.3, std=0.2),
        ),
        energy=ExpertsEnergy(),
        sampler=Replay(sampler=Transition(), size=30),
        objective=VCD.authors_code(rho=0.5),
        optimisers=Optimisers(discriminator=Adadelta(lr=1.0), generator=Adadelta(lr=1.0)),
        turns=Turns(generator=2),
        images=LENGTH,
        batch=12,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "R3GAN with lazy penalties, LeCam's anchors, augmentation, falling rates": Experiment(
        nets=Nets(generator=NETS.generator, discriminator=MLPDiscriminator(depth=3, width=12, std=0.2)),
        energy=ScalarEnergy(),
        objective=Augmentation(
            inner=LeCam(inner=Regularised(inner=Relativistic(), data=1.0, samples=1.0, every=2), decay=0.5),
            cutout=0.25,
        ),
        optimisers=Optimisers(
            discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2), fall=Fall(begin=24, finish=LENGTH, end=0.5)
        ),
        images=LENGTH,
        batch=12,
        checkpoint=24,
        evaluation=QUIET,
    ),
    "EBGAN-LN, labelled images, a falling weight, [0, 1]": Experiment(
        data=Data(limits=(0.0, 1.0)),
        labelled=Labelled(count=10, batch=6),
        nets=Nets(generator=NETS.generator, discriminator=Ladder(widths=(8, 6), top_scale=True)),
        energy=AutoencoderEnergy(unit="sse"),
        objective=Scheduled(SemiSupervised(inner=EBGAN(margin=40.0)), weight=Linear(start=2.0, end=0.5, finish=LENGTH)),
        optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
        images=LENGTH,
        batch=12,
        checkpoint=24,
        evaluation=QUIET,
    ),
}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def experiment(request: pytest.FixtureRequest) -> Experiment:
    """A short run of each kind."""
    chosen: Experiment = request.param
    return chosen


@pytest.fixture(scope="session")
def kinds() -> list[Experiment]:
    """All kinds of run."""
    return list(VARIANTS.values())


@pytest.fixture
def ebgan_pt(kinds: list[Experiment]) -> Experiment:
    """The run in which most moves."""
    return kinds[0]


@dataclass(frozen=True)
class Child:
    """A forked process with one thread."""

    pid: int

    @classmethod
    def of(cls, work: Callable[[], object]) -> "Child":
        """One that does the work and ends with 0, or with the exit code of the error that it met."""
        pid = os.fork()
        if pid == 0:
            code = UNEXPECTED
            signal.alarm(100)  # one that hangs ends
            try:
                torch.set_num_threads(1)
                work()
                code = 0
            except EbganError as error:
                code = error.exit_code
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(code)
        return cls(pid)

    def end(self) -> int:
        """Its exit code; -9 if it was killed."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Listener(trainer.Silent):
    """An observer that keeps what is said."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@dataclass(frozen=True)
class Trained:
    """A run folder, and the call that trains in it."""

    experiment: Experiment
    folder: Path
    data: Path | np.ndarray = field(default_factory=lambda: IMAGES)

    def train(self, *, observer: Observer | None = None, **waived: bool) -> None:
        """Start or go on."""
        trainer.train(self.experiment, self.folder, data=self.data, device="cpu", observer=observer, **waived)

    def told(self, **options: bool) -> list[str]:
        """Start or go on; what was said on the way."""
        listener = Listener()
        self.train(observer=listener, **options)
        return listener.notices

    def start(self, before: Callable[[], object] = lambda: None) -> Child:
        """Do something and train, in a process of its own."""

        def work() -> None:
            before()
            self.train()

        return Child.of(work)

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint, which must be whole."""
        found = newest(self.folder / "checkpoints")
        assert found is None or found[1] == []
        return found[0] if found else None

    def digest(self) -> str:
        """Of all that moves, at the newest checkpoint."""
        checkpoint = self.newest()
        assert checkpoint is not None
        return f"{checkpoint.images} images, {checkpoint.step} steps, {digest(checkpoint.tensors)}"


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A sum over names, types, shapes and every bit."""
    total = hashlib.sha256()
    for name, tensor in tensors.items():
        total.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        total.update(tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


@pytest.fixture
def a_run(tmp_path: Path, labelled: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trained]:
    """Runs in folders of their own; reports and baselines, which take longer than the runs, are left out."""
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    monkeypatch.setattr(classes, "baseline_errors", lambda *images: {})
    names = iter(range(1_000_000))

    def of(experiment: Experiment, *data: object) -> Trained:
        given = data or ((labelled,) if experiment.objective.asks.classifies else ())
        return Trained(experiment, tmp_path / f"run {next(names)}", *given)

    return of


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Callable[[Trained], Training]:
    """What moves in a run, after it has trained in this process; its `run` goes on from the newest checkpoint."""
    run = Training.run

    def caught(trained: Trained) -> Training:
        seen: list[Training] = []

        def watched(training: Training) -> None:
            seen.append(training)
            run(training)

        with monkeypatch.context() as patch:
            patch.setattr(Training, "run", watched)
            trained.train()
        return seen[0]

    return caught


@pytest.fixture(scope="session")
def digest_of() -> Callable[[Mapping[str, Tensor]], str]:
    """The sum over tensors that runs are compared by."""
    return digest


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images with labels of two classes."""
    path = tmp_path_factory.mktemp("data") / "labelled.npz"
    np.savez(path, images=IMAGES, labels=np.arange(len(IMAGES)) % 2)
    return path
