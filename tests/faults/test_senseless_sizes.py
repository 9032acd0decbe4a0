"""Sizes beyond all reason, and parts that cannot fit, are refused with the limit before anything is computed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ebgan.cli.main import run as command
from ebgan.distributed import Rank
from ebgan.errors import DataError, RunLockedError, UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Labelled, Nets
from ebgan.nets.class_head import ClassHead
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import EBGAN, SemiSupervised
from ebgan.recipes.index import find
from ebgan.runs import refusals, trainer
from ebgan.samplers import Replay
from ebgan.training.game import Turns
from ebgan.training.lock import run_lock

IMAGES = np.zeros((24, 8, 8), np.uint8)
OPEN = Experiment(objective=EBGAN(margin=None))

SENSELESS: dict[str, Callable[[], Experiment]] = {
    "batch": lambda: replace(OPEN, batch=10**11),
    "batch of 64 bits": lambda: replace(OPEN, batch=2**63),
    "accumulate": lambda: replace(OPEN, accumulate=10**9),
    "images": lambda: replace(OPEN, images=10**30),
    "pretraining": lambda: replace(OPEN, pretraining=10**30),
    "ema": lambda: replace(OPEN, ema=10**30),
    "seed": lambda: replace(OPEN, seed=10**30),
    "turns": lambda: replace(OPEN, turns=Turns(discriminator=10**9)),
    "turns of the generator": lambda: replace(OPEN, turns=Turns(generator=10**9)),
    "generator.depth": lambda: replace(OPEN, nets=Nets(generator=MLPGenerator(depth=10**6))),
    "generator.depth of a transition": lambda: replace(OPEN, nets=Nets(generator=MLPTransition(depth=10**6))),
    "discriminator.depth": lambda: replace(OPEN, nets=Nets(discriminator=MLPAutoencoder(depth=10**6))),
    "discriminator.depth of logits": lambda: replace(OPEN, nets=Nets(discriminator=MLPDiscriminator(depth=10**6))),
    "discriminator.depth of experts": lambda: replace(OPEN, nets=Nets(discriminator=MLPExperts(depth=10**6))),
    "discriminator.widths": lambda: replace(OPEN, nets=Nets(discriminator=Ladder(widths=(4,) * 2_000))),
    "nets hold": lambda: replace(OPEN, nets=Nets(generator=MLPGenerator(width=10**6))),
    "nets hold noise": lambda: replace(OPEN, nets=Nets(generator=MLPGenerator(noise=10**15))),
    "nets cannot be built": lambda: replace(OPEN, nets=Nets(generator=MLPGenerator(width=10**12))),
    "nets cannot be built at all": lambda: replace(OPEN, nets=Nets(generator=MLPGenerator(width=10**30))),
    "sampler holds": lambda: replace(OPEN, sampler=Replay(size=10**12)),
    "grid": lambda: replace(OPEN, evaluation=Evaluation(grid=10**9)),
    "samples": lambda: replace(OPEN, evaluation=Evaluation(samples=10**12)),
    "size": lambda: replace(OPEN, data=Data(size=10**6)),
    "padding": lambda: replace(OPEN, data=Data(padding=10**9)),
    "workers": lambda: replace(OPEN, data=Data(workers=10**9)),
    "labelled.batch": lambda: replace(OPEN, labelled=Labelled(batch=10**12)),
}


@pytest.fixture
def searches(monkeypatch) -> list[object]:
    """The searches for a margin that were begun; none is carried out."""
    begun: list[object] = []
    monkeypatch.setattr("ebgan.runs.settling.calibrate", lambda *given, **named: begun.append(given) or 1 / 0)
    return begun


@pytest.mark.parametrize("field", SENSELESS)
def test_a_senseless_size_is_refused_at_once_by_its_field(tmp_path: Path, searches, field: str) -> None:
    told = field.partition(" of ")[0].removesuffix(" noise").removesuffix(" at all")
    with pytest.raises(UsageError, match=f"{told}.*(expected|Choose)"):
        trainer.train(SENSELESS[field](), tmp_path / "run", data=IMAGES, device="cpu")
    assert not searches
    assert not (tmp_path / "run").exists()


def test_a_batch_of_large_images_has_a_limit_in_numbers(tmp_path: Path, searches) -> None:
    large = np.broadcast_to(np.zeros((), np.uint8), (4, 3, 512, 512))
    with pytest.raises(UsageError, match=r"batch=100,000 of 3 x 512 x 512 is .* expected at most .*--accumulate"):
        trainer.train(replace(OPEN, batch=100_000), tmp_path / "run", data=large, device="cpu")


@pytest.mark.parametrize("size", [39, 50, 7, 100])
def test_a_size_that_a_net_cannot_make_is_refused_before_a_picture_is_decoded(
    tmp_path: Path, searches, capsys, monkeypatch, size: int
) -> None:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (80, 80)).save(tmp_path / "pictures" / "a.png")
    monkeypatch.setattr(Data, "open", lambda data: pytest.fail("decoded"))
    words = ["train", "folder.ebgan", str(tmp_path / "run"), "--data", str(tmp_path / "pictures"), "--size", str(size)]
    assert command([*words, "--device", "cpu"]) == 2
    assert f"images are {size} x {size}" in capsys.readouterr().err
    assert not searches


def test_a_size_that_only_the_data_tell_is_refused_before_a_margin_is_searched(tmp_path: Path, searches) -> None:
    made = replace(find("folder.ebgan").make(), data=Data())
    with pytest.raises(UsageError, match="images are 39 x 39"):
        trainer.train(made, tmp_path / "run", data=np.zeros((9, 39, 39), np.uint8), device="cpu")
    assert not searches


def test_another_config_in_the_folder_is_refused_before_a_margin_is_searched(ebgan_pt, a_run, searches) -> None:
    run = a_run(ebgan_pt)
    run.folder.mkdir(parents=True)
    (run.folder / "config.yaml").write_text(find("mnist.gan").make().to_yaml())
    with pytest.raises(UsageError, match="another config"):
        replace(run, experiment=replace(ebgan_pt, objective=EBGAN(margin=None))).train()
    assert not searches


LEARNS = replace(
    OPEN,
    nets=Nets(discriminator=ClassHead(net=MLPAutoencoder(width=8))),
    objective=SemiSupervised(inner=EBGAN(margin=None)),
)
LATE: dict[str, tuple[Experiment, NDArray[np.int64], str]] = {
    "labelled.count that is no multiple": (
        replace(LEARNS, labelled=Labelled(count=7)),
        np.arange(24) % 2,
        "multiple of 2",
    ),
    "labelled.count beyond a class": (
        replace(LEARNS, labelled=Labelled(count=20)),
        np.arange(24) // 20,
        "choose fewer",
    ),
    "nothing left to test": (
        replace(LEARNS, labelled=Labelled(count=24)),
        np.arange(24) % 2,
        "no image with a label is left",
    ),
    "one class": (LEARNS, np.zeros(24, np.int64), "classes"),
    "limits of points": (replace(OPEN, data=Data(limits=None)), np.arange(24) % 2, "data.limits=null"),
}


@pytest.mark.parametrize("case", LATE)
def test_what_loaders_and_labels_refuse_is_refused_before_a_margin_is_searched(
    tmp_path: Path, searches, case: str
) -> None:
    made, labels, reason = LATE[case]
    np.savez(
        tmp_path / "set.npz", images=np.random.default_rng(0).integers(0, 256, (24, 8, 8), np.uint8), labels=labels
    )
    with pytest.raises((UsageError, DataError), match=reason):
        trainer.train(made, tmp_path / "run", data=tmp_path / "set.npz", device="cpu")
    assert not searches
    assert not (tmp_path / "run").exists()


def test_a_batch_that_ranks_cannot_share_is_refused_before_a_margin_is_searched(
    tmp_path: Path, searches, monkeypatch
) -> None:
    monkeypatch.setattr(refusals, "rank", lambda: Rank(0, 3))
    for made in (replace(OPEN, batch=64), replace(LEARNS, batch=63, labelled=Labelled(count=8, batch=64))):
        with pytest.raises(UsageError, match="choose a multiple of 3"):
            refusals.refuse_before_training(made, Data(source="digits").open())
    assert not searches


def test_a_folder_in_use_is_refused_before_a_margin_is_searched(ebgan_pt, a_run, searches) -> None:
    run = a_run(replace(ebgan_pt, objective=EBGAN(margin=None)))
    with run_lock(run.folder / "lock"), pytest.raises(RunLockedError):
        run.train()
    assert not searches


def test_a_search_is_begun_where_nothing_is_to_be_refused(ebgan_pt, a_run, searches) -> None:
    with pytest.raises(ZeroDivisionError):
        a_run(replace(ebgan_pt, objective=EBGAN(margin=None))).train()
    assert searches
