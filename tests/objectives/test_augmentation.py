"""Augmentation: what each change does to a picture, and that data, samples, stacks and resumed runs see one draw."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.experiment import Data, Experiment, Nets
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, Augmentation, Regularised
from ebgan.objectives.augmentation import DRAWS, coloured, cut_out, translated
from ebgan.records import Batch
from ebgan.training.step import train_step

PLAIN = {"translation": 0.0, "cutout": 0.0, "colour": 0.0}
BASE = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, batch_norm=False, std=0.5),
        discriminator=MLPAutoencoder(depth=2, width=8, batch_norm=False, std=0.5),
    ),
    objective=Augmentation(inner=EBGAN(margin=2.0), translation=0.25),
    precision="fp64",
)


def pictures(count: int = 4, size: int = 8, channels: int = 3) -> Tensor:
    numbers = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, size, size, generator=numbers, dtype=torch.float64) + 0.1  # no zeros


def numbers(*values: float) -> Tensor:
    """The same numbers for each picture, shaped as the changes take them."""
    return torch.tensor(values, dtype=torch.float64).expand(4, 1, 1, 1, len(values))


@pytest.mark.parametrize(("u", "v", "down", "right"), [(1.0, 1.0, -2, -2), (0.5, 0.5, 0, 0), (1e-7, 0.99, 2, -2)])
def test_a_translation_moves_by_whole_pixels_and_leaves_zeros(u: float, v: float, down: int, right: int) -> None:
    moved = translated(pictures(), numbers(u, v), 0.25)
    expected = torch.zeros_like(moved)
    for row in range(8):
        for column in range(8):
            if 0 <= row - down < 8 and 0 <= column - right < 8:
                expected[..., row, column] = pictures()[..., row - down, column - right]
    assert torch.equal(moved, expected)


def test_every_translation_is_as_likely() -> None:
    draws = ((torch.arange(5000, dtype=torch.float64) + 1) / 5000).view(-1, 1, 1, 1, 1).repeat(1, 1, 1, 1, 2)
    ramp = torch.arange(1.0, 9.0, dtype=torch.float64).expand(5000, 1, 8, 8)
    shifts = translated(ramp, draws, 0.25)[:, 0, 4, 4]
    assert shifts.unique(return_counts=True)[1].tolist() == pytest.approx([1000] * 5, abs=1)


@pytest.mark.parametrize(
    ("u", "rows"), [(1.0, slice(0, 2)), (1e-7, slice(6, 8)), (0.5, slice(2, 6))]
)  # half a square hangs over each edge
def test_a_cutout_is_a_square_of_zeros_that_may_hang_over_the_edge(u: float, rows: slice) -> None:
    cut = cut_out(pictures(), numbers(u, 0.5), 0.5)
    expected = pictures()
    expected[..., rows, 2:6] = 0
    assert torch.equal(cut, expected)


def test_colours_keep_what_they_should() -> None:
    images = pictures()
    torch.testing.assert_close(coloured(images, numbers(0.5, 0.5, 0.5), 1.0), images)
    torch.testing.assert_close(coloured(images, numbers(1.0, 0.5, 0.5), 1.0), images + 0.5)
    grey = images.mean(-3, keepdim=True).expand_as(images)
    torch.testing.assert_close(coloured(images, numbers(0.5, 0.0, 0.5), 1.0), grey)
    mean = images.mean((-3, -2, -1), keepdim=True)
    torch.testing.assert_close(coloured(images, numbers(0.5, 0.5, 1.0), 1.0), mean + 1.5 * (images - mean))
    torch.testing.assert_close(coloured(images, numbers(0.9, 0.1, 0.7), 0.0), images)


def test_without_any_share_pictures_are_left_as_they_are() -> None:
    plain = Augmentation(inner=EBGAN(), **PLAIN)
    images = pictures()
    assert torch.equal(plain.shown((), images, torch.rand(4, DRAWS)), images)


def test_the_gradient_passes_through_every_change() -> None:
    images = pictures().requires_grad_(True)
    shown = Augmentation(inner=EBGAN(), cutout=0.25).shown((), images, torch.rand(4, DRAWS).double())
    (gradient,) = torch.autograd.grad(shown.square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.flatten(1).any(-1).all()


def test_data_and_samples_of_a_turn_are_changed_alike_and_each_picture_and_turn_in_its_own_way() -> None:
    game, progress = build(BASE, (3, 8, 8))
    images, state = pictures(), progress.objective
    one = game.shown(state, images, 16, 0)
    assert torch.equal(game.shown(state, images, 16, 0), one)
    assert torch.equal(game.shown(state, images, torch.tensor(16), 0), one)  # where the host does not know the place
    assert torch.equal(game.shown(state, images[1:], 17, 0), one[1:])  # of another rank, or after a resume
    for other in (game.shown(state, images, 20, 0), game.shown(state, images, 16, 1)):
        assert (other != one).flatten(1).any(-1).all()


@pytest.mark.parametrize("turns", [(1, 1), (2, 1), (1, 0)])
def test_all_that_the_discriminator_reads_was_changed(turns: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    black = replace(BASE, objective=Augmentation(inner=Regularised(inner=EBGAN(), data=1.0), **PLAIN | {"cutout": 1.0}))
    monkeypatch.setattr(Augmentation, "shown", lambda self, state, images, numbers: images * 0 + 7)
    game, progress = build(black, (3, 8, 8))
    read: list[Tensor] = []
    energy = type(game.energy).read
    monkeypatch.setattr(
        type(game.energy), "read", lambda self, net, images: (read.append(images), energy(self, net, images))[1]
    )
    train_step(game, progress, lambda: Batch(pictures()), turns)
    assert len(read) == {(1, 1): 3, (2, 1): 5, (1, 0): 1}[turns]
    assert all((images == 7).all() for images in read)


def test_each_model_of_a_stack_fares_as_it_does_alone() -> None:
    models = [
        replace(BASE, seed=seed, objective=Augmentation(inner=EBGAN(margin=2.0), translation=share, cutout=share / 2))
        for seed, share in enumerate((0.125, 0.25, 0.5))
    ]
    together = weights(stacked(models))
    for index, model in enumerate(models):
        for name, value in weights(model).items():
            torch.testing.assert_close(together[name][index], value, rtol=1e-9, atol=1e-10)


def weights(experiment: Experiment) -> dict[str, Tensor]:
    """The weights after some steps."""
    game, progress = build(experiment, (3, 8, 8))
    batch = Batch(pictures(8).expand(*game.randomness.seeds.shape, 8, 3, 8, 8))
    for step in range(4):
        progress, outcome = train_step(game, progress, lambda: batch, seen=8 * step)
        assert outcome.finite.all()
    return {f"D {name}": value for name, value in game.discriminator.weights().items()} | game.generator.weights()


def test_what_it_is_not_meant_for_is_refused() -> None:
    with pytest.raises(UsageError, match=r"objective.inner: changes pictures already: use Augmentation once"):
        Augmentation(inner=Regularised(inner=Augmentation(inner=EBGAN())))
    for data in (Data(limits=(0.0, 1.0)), Data(source="toy.ring", limits=None)):
        with pytest.raises(UsageError, match=r"data.limits=.*: Augmentation changes pictures whose grey is 0"):
            replace(BASE, data=data)
