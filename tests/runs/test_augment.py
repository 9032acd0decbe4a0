"""Transitions as augmentation: a callable between anybody's loader and anybody's classifier."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from ebgan import Experiment, Run, TransitionAugment, train
from ebgan.energies import ExpertsEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Evaluation, Nets
from ebgan.nets.mlp import MLPExperts
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD
from ebgan.samplers import Transition

PICTURES = np.random.default_rng(0).integers(0, 256, (24, 1, 8, 8), dtype=np.uint8)
IMAGES = torch.tensor(PICTURES) / 127.5 - 1
VCD_RUN = Experiment(
    data=Data(limits=(0.0, 1.0)),
    nets=Nets(generator=MLPTransition(width=16, code=8), discriminator=MLPExperts(width=16, experts=8)),
    energy=ExpertsEnergy(),
    sampler=Transition(),
    objective=VCD(),
    images=64,
    batch=8,
    evaluation=Evaluation(grid=4),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(VCD_RUN, tmp_path_factory.mktemp("runs") / "vcd", data=PICTURES, device="cpu")


def changed(after: Tensor, before: Tensor) -> list[bool]:
    return (after != before).flatten(1).any(1).tolist()


def test_each_image_is_replaced_with_the_probability_and_stays_as_it_is_otherwise(run: Run) -> None:
    many = IMAGES.repeat(40, 1, 1, 1)
    assert sum(changed(TransitionAugment(run, 0.25)(many), many)) == pytest.approx(240, abs=60)
    assert changed(TransitionAugment(run, 0.0)(IMAGES), IMAGES) == [False] * 24
    assert changed(TransitionAugment(run, 1.0)(IMAGES), IMAGES) == [True] * 24


def test_what_replaces_an_image_is_a_transition_from_it(run: Run) -> None:
    """Without noise in the code they are the reconstructions, in their order."""
    quiet = Run(**{**vars(run), "experiment": quiet_of(run)})
    torch.testing.assert_close(TransitionAugment(quiet, 1.0)(IMAGES), run.reconstruct(IMAGES).clamp(-1, 1))


def quiet_of(run: Run) -> Experiment:
    return replace(run.experiment, sampler=Transition(keep=1.0))


def test_every_call_draws_anew_and_the_same_seed_the_same_again(run: Run) -> None:
    augment, again, other = (TransitionAugment(run, 1.0, seed=seed) for seed in (3, 3, 4))
    first, second = augment(IMAGES), augment(IMAGES)
    assert not torch.equal(first, second)
    assert torch.equal(again(IMAGES), first)
    assert torch.equal(again(IMAGES), second)
    assert not torch.equal(other(IMAGES), first)


def test_images_come_in_the_users_range_and_shape_and_go_out_so(run: Run) -> None:
    inside = TransitionAugment(run, 1.0, limits=(0.0, 1.0))((IMAGES + 1) / 2)
    torch.testing.assert_close(inside * 2 - 1, TransitionAugment(run, 1.0)(IMAGES), atol=1e-5, rtol=0)
    single = TransitionAugment(run, 1.0)(IMAGES[0].double())
    assert single.shape == (1, 8, 8)
    assert single.dtype == torch.float64


def test_the_images_that_were_given_are_left_alone(run: Run) -> None:
    given = IMAGES.clone()
    TransitionAugment(run, 1.0)(given)
    assert torch.equal(given, IMAGES)


class Augmented(TensorDataset):
    """A user's set, whose images pass through a callable one by one."""

    def __init__(self, augment: TransitionAugment) -> None:
        super().__init__(IMAGES[:4].repeat(4, 1, 1, 1), torch.arange(16))
        self.augment = augment

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        image, label = super().__getitem__(place)
        return self.augment(image), label


def test_workers_draw_anew_in_each_epoch_and_by_the_loader_s_seed_the_same_again(run: Run) -> None:
    torch.set_num_threads(1)

    def epochs() -> list[Tensor]:
        generator = torch.Generator().manual_seed(0)
        augmented = Augmented(TransitionAugment(run, 1.0))
        loader = DataLoader(augmented, batch_size=16, num_workers=2, generator=generator)
        return [next(iter(loader))[0] for _ in range(2)]

    first, second = epochs()
    assert not torch.equal(first, second)
    assert torch.equal(torch.stack(epochs()), torch.stack([first, second]))


@pytest.mark.parametrize("workers", [0, 2])
def test_in_a_loader_labels_stay_with_their_images_and_workers_draw_apart(run: Run, workers: int) -> None:
    torch.set_num_threads(1)
    loader = DataLoader(Augmented(TransitionAugment(run, 1.0)), batch_size=4, num_workers=workers)
    images, labels = (torch.cat(parts) for parts in zip(*loader, strict=True))
    assert labels.tolist() == list(range(16))
    assert len({tuple(image.flatten().tolist()) for image in images}) == 16


def test_what_cannot_be_is_refused_with_the_mend(run: Run, tmp_path: Path) -> None:
    noise = train(Experiment(images=64), tmp_path, data=PICTURES, device="cpu")
    with pytest.raises(UsageError, match=r"start from noise; augmentation needs transitions \(VCD\)"):
        TransitionAugment(noise)
    with pytest.raises(UsageError, match="probability=2: expected a number between 0 and 1"):
        TransitionAugment(run, 2)
    with pytest.raises(UsageError, match=r"limits=\(1, 0\): expected the lower end"):
        TransitionAugment(run, limits=(1, 0))
    with pytest.raises(UsageError, match=r"images are torch.uint8; expected floats within \(-1.0, 1.0\)"):
        TransitionAugment(run)(torch.tensor(PICTURES))
