"""A run in use, from its folder alone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan import load, train
from ebgan.energies import ExpertsEnergy, LogisticEnergy
from ebgan.errors import CheckpointError, DataError, UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.experiment.sources import with_source
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import GAN, VCD
from ebgan.runs.run import CHUNK
from ebgan.samplers import Transition

GENERATOR = MLPGenerator(depth=3, width=16, noise=4, std=0.3)
EBGAN_RUN = Experiment(
    nets=Nets(generator=GENERATOR, discriminator=MLPAutoencoder(width=12, std=0.1)),
    images=40,
    batch=8,
    evaluation=Evaluation(grid=4),
)
GAN_RUN = replace(
    EBGAN_RUN,
    nets=Nets(generator=GENERATOR, discriminator=MLPDiscriminator(depth=3, width=12, std=0.1)),
    energy=LogisticEnergy(),
    objective=GAN(),
    data=Data(limits=(0.0, 1.0)),
    precision="bf16",
    ema=16,
)
VCD_RUN = replace(
    EBGAN_RUN,
    nets=Nets(generator=MLPTransition(width=16, code=4, std=0.3), discriminator=MLPExperts(width=12, experts=4)),
    energy=ExpertsEnergy(),
    sampler=Transition(),
    objective=VCD(rho=0.5),
    data=Data(limits=(0.0, 1.0)),
)
PICTURES = np.random.default_rng(0).integers(0, 256, (24, 3, 5, 4), dtype=np.uint8)
IMAGES = torch.tensor(PICTURES) / 127.5 - 1


@pytest.fixture(scope="module")
def ebgan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ebgan"
    train(EBGAN_RUN, folder, data=PICTURES, device="cpu")
    return folder


@pytest.fixture(scope="module")
def gan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "gan"
    train(GAN_RUN, folder, data=PICTURES, device="cpu")
    return folder


@pytest.fixture(params=["ebgan", "gan"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{request.param}_folder")


@pytest.fixture
def as_users_run_it() -> Iterator[None]:
    """Without the checks of signatures, which users do not have."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_samples_are_images_in_minus_1_to_1_whatever_the_runs_range(folder: Path) -> None:
    images = load(folder, device="cpu").sample(200, seed=0)
    assert images.shape == (200, 3, 5, 4)
    assert images.dtype == torch.float32
    assert -1 <= images.min() < -0.1
    assert 0.1 < images.max() <= 1


def test_samples_can_be_trained_through(folder: Path) -> None:
    samples = load(folder).sample(4).requires_grad_()
    samples.square().sum().backward()
    assert samples.grad is not None


def test_the_same_seed_gives_the_same_samples_and_another_one_others(folder: Path) -> None:
    run = load(folder, device="cpu")
    assert torch.equal(run.sample(5, seed=3), load(folder, device="cpu").sample(5, seed=3))
    assert not torch.equal(run.sample(5, seed=3), run.sample(5, seed=4))
    torch.testing.assert_close(run.sample(CHUNK + 3)[:5], run.sample(5))
    assert run.sample(0).shape == (0, 3, 5, 4)


def test_energies_codes_and_reconstructions_have_their_shapes(ebgan_folder: Path) -> None:
    run = load(ebgan_folder, device="cpu")
    assert run.energy(IMAGES).shape == (24,)
    assert run.encode(IMAGES).shape == (24, 12)
    assert run.reconstruct(IMAGES).shape == IMAGES.shape
    torch.testing.assert_close(run.energy(IMAGES), (run.reconstruct(IMAGES) - IMAGES).flatten(1).norm(dim=1))


def test_energies_do_not_depend_on_what_else_is_asked_for(folder: Path) -> None:
    run = load(folder, device="cpu")
    many = IMAGES.repeat(CHUNK // 24 + 1, 1, 1, 1)
    torch.testing.assert_close(run.energy(many)[-24:], run.energy(IMAGES))
    torch.testing.assert_close(run.energy(IMAGES[3:4]), run.energy(IMAGES)[3:4])
    assert run.energy(IMAGES[:0]).shape == (0,)


def test_images_are_brought_to_the_range_that_the_run_was_trained_on(gan_folder: Path) -> None:
    run = load(gan_folder, device="cpu")
    expected = run.experiment.energy.read(run.discriminator, torch.tensor(PICTURES) / 255).energy
    torch.testing.assert_close(run.energy(IMAGES), expected)


def test_a_run_is_used_in_float32_whatever_it_was_trained_in(gan_folder: Path) -> None:
    exact, coarse = (load(gan_folder, device="cpu", precision=precision) for precision in ("fp32", "bf16"))
    assert {parameter.dtype for parameter in exact.generator.parameters()} == {torch.float32}
    assert torch.bfloat16 in {parameter.dtype for parameter in coarse.generator.parameters()}
    assert not torch.equal(exact.sample(8), coarse.sample(8))
    torch.testing.assert_close(exact.sample(8), coarse.sample(8), atol=0.05, rtol=0)


def test_what_train_returns_is_what_load_finds(tmp_path: Path) -> None:
    run = train(EBGAN_RUN, tmp_path / "run", data=torch.tensor(PICTURES), device="cpu")
    found = load(tmp_path / "run", device="cpu")
    assert found.experiment == run.experiment == replace(EBGAN_RUN, precision="fp32")
    assert found.data == run.data
    assert torch.equal(found.sample(6), run.sample(6))
    assert torch.equal(found.energy(IMAGES), run.energy(IMAGES))


def test_samples_come_from_the_average_where_the_run_keeps_one(tmp_path: Path) -> None:
    kept, plain = (
        train(replace(EBGAN_RUN, ema=ema), tmp_path / str(ema), data=PICTURES, device="cpu") for ema in (1000, None)
    )
    assert torch.equal(kept.energy(IMAGES), plain.energy(IMAGES))
    assert not torch.equal(kept.sample(4), plain.sample(4))


@pytest.mark.parametrize("images", [IMAGES[0, :2], IMAGES[:, :1], IMAGES.flatten(1), torch.zeros(3, 3, 4, 5)])
def test_images_of_another_shape_are_refused_with_the_shape_expected(
    ebgan_folder: Path, images: Tensor, as_users_run_it: None
) -> None:
    run = load(ebgan_folder, device="cpu")
    for ask in (run.energy, run.encode, run.reconstruct):
        with pytest.raises(UsageError, match=r"images are \[.*\]; expected \[count, 3, 5, 4\]"):
            ask(images)


def test_a_run_without_an_autoencoder_reconstructs_nothing(gan_folder: Path) -> None:
    run = load(gan_folder, device="cpu")
    assert run.encode(IMAGES).shape == (24, 12)
    with pytest.raises(UsageError, match="has no auto-encoder"):
        run.reconstruct(IMAGES)


def test_a_folder_without_a_run_and_a_run_without_a_checkpoint_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: not a run: expected a folder with a config\.yaml"):
        load(tmp_path / "nowhere")
    (tmp_path / "config.yaml").write_text(EBGAN_RUN.to_yaml())
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load(tmp_path)


def test_the_best_checkpoint_of_a_run_that_has_none_is_said(ebgan_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"best\.ckpt"):
        load(ebgan_folder, best=True)


@pytest.fixture(scope="module")
def vcd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    np.savez(folder / "pictures.npz", images=PICTURES)
    train(VCD_RUN, folder / "vcd", data=folder / "pictures.npz", device="cpu")
    return folder / "vcd"


def test_samples_of_transitions_start_from_images_that_are_given_in_turn(vcd_folder: Path) -> None:
    run = load(vcd_folder, device="cpu")
    one, other = run.sample(5, source=IMAGES[:2]), run.sample(5, source=IMAGES[[0, 3]])
    assert one.shape == (5, 3, 5, 4)
    assert -1 <= one.min() < one.max() <= 1
    assert [torch.equal(*pair) for pair in zip(one, other, strict=True)] == [True, False, True, False, True]
    assert not torch.equal(one[0], one[2])  # the same image with another noise
    torch.testing.assert_close(run.sample(CHUNK + 3, source=IMAGES)[CHUNK:], run.sample(CHUNK + 3, source=IMAGES)[-3:])


def test_samples_of_transitions_start_from_the_runs_own_data_if_none_are_given(vcd_folder: Path) -> None:
    run = load(vcd_folder, device="cpu")
    starts = run.sources(60, seed=3)
    assert starts is not None
    assert {tuple(image.flatten().tolist()) for image in starts[:24]} == {tuple(i.flatten().tolist()) for i in IMAGES}
    assert torch.equal(run.sample(6, seed=3), run.sample(6, seed=3, source=starts[:6]))
    assert not torch.equal(starts, run.sources(60, seed=4))


def test_a_run_with_transitions_reconstructs_what_it_is_given(vcd_folder: Path) -> None:
    run = load(vcd_folder, device="cpu")
    expected = run.generator(torch.tensor(PICTURES) / 255) * 2 - 1
    torch.testing.assert_close(run.reconstruct(IMAGES), expected)


def test_samples_from_noise_need_no_images(ebgan_folder: Path) -> None:
    run = load(ebgan_folder, device="cpu")
    assert run.sources(4) is None
    assert torch.equal(run.sample(4), run.sample(4, source=IMAGES))


def test_data_that_is_no_longer_there_or_other_data_is_said_with_the_mend(vcd_folder: Path, tmp_path: Path) -> None:
    run = load(vcd_folder, device="cpu")
    others = np.zeros_like(PICTURES)
    np.savez(tmp_path / "others.npz", images=others)
    for source, said in (("others.npz", "not the data .* give images by --from"), ("gone.npz", "unless given: .*gone")):
        moved = replace(run, experiment=with_source(run.experiment, tmp_path / source))
        with pytest.raises(DataError, match=said):
            moved.sample(4)
        assert moved.sample(4, source=IMAGES).shape == (4, 3, 5, 4)


def test_a_run_on_an_array_draws_pictures_and_metrics_from_it(tmp_path: Path) -> None:
    run = train(VCD_RUN, tmp_path / "run", data=PICTURES, device="cpu")
    assert run.folder.grids()
    assert run.sample(3, source=IMAGES).shape == (3, 3, 5, 4)


def test_images_to_start_from_of_another_shape_are_refused(vcd_folder: Path, as_users_run_it: None) -> None:
    with pytest.raises(UsageError, match=r"images are \[24, 1, 5, 4\]; expected \[count, 3, 5, 4\]"):
        load(vcd_folder, device="cpu").sample(4, source=IMAGES[:, :1])


def test_samples_are_made_of_a_noise_that_can_be_had_and_changed(folder: Path) -> None:
    run = load(folder, device="cpu")
    noise = run.noise(CHUNK + 3, seed=3)
    assert [each.shape for each in noise] == [(CHUNK + 3, 4)]
    assert torch.equal(run.generate(noise), run.sample(CHUNK + 3, seed=3))
    (truncated,) = run.noise(CHUNK + 3, seed=3, truncation=0.1)
    assert 0.09 < truncated.abs().max() <= 0.1
    assert run.generate([truncated]).std(0).mean() < 0.5 * run.generate(noise).std(0).mean()


def test_a_run_whose_samples_start_from_images_has_no_noise_of_its_own(vcd_folder: Path) -> None:
    with pytest.raises(UsageError, match="its samples start from images of the data, not from noise"):
        load(vcd_folder, device="cpu").noise(4)


def test_a_damaged_newest_checkpoint_is_named_by_whoever_loads_the_one_before(
    ebgan_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = Path(shutil.copytree(ebgan_folder, tmp_path / "run"))
    *_, before, last = sorted((copy / "checkpoints").glob("[0-9]*.ckpt"))
    content = bytearray(last.read_bytes())
    content[-1] ^= 1
    last.write_bytes(content)
    load(copy, device="cpu")
    (said,) = caplog.messages
    assert str(last) in said
    assert f"Using the one of {int(before.stem)} images seen" in said


def test_a_run_on_another_device_is_another_run(ebgan_folder: Path) -> None:
    run = load(ebgan_folder, device="cpu")
    moved = run.to("meta")
    assert (run.device.type, moved.device.type) == ("cpu", "meta")
    assert {value.device.type for value in moved.state_dict().values()} == {"meta"}
    assert torch.equal(run.to("cpu").sample(4), run.sample(4))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "cpu:x", "0", "cuda:-1", "CPU"])
def test_a_device_that_is_not_here_is_refused_with_those_that_may_be(
    ebgan_folder: Path, device: str, tmp_path: Path
) -> None:
    run = load(ebgan_folder, device="cpu")
    for ask in (
        lambda: load(ebgan_folder, device=device),
        lambda: run.to(device),
        lambda: train(EBGAN_RUN, tmp_path / "run", data=PICTURES, device=device),
    ):
        with pytest.raises(UsageError, match=rf"device={device}: not available: expected cpu, or cuda"):
            ask()
    assert not (tmp_path / "run").exists()


def test_the_weights_of_both_nets_have_names(ebgan_folder: Path) -> None:
    run = load(ebgan_folder, device="cpu")
    state = run.state_dict()
    assert torch.equal(state["generator.output.weight"], run.generator.state_dict()["output.weight"])
    assert len(state) == len(run.generator.state_dict()) + len(run.discriminator.state_dict())


def test_a_run_is_shown_in_a_line_and_in_notebooks_with_samples(ebgan_folder: Path, vcd_folder: Path) -> None:
    run = load(ebgan_folder, device="cpu")
    assert repr(run) == f"<Run {ebgan_folder}: EBGAN of 3x5x4 images, on cpu>"
    assert '<img alt="samples" src="data:image/png;base64,' in run._repr_html_()
    moved = with_source(load(vcd_folder, device="cpu").experiment, ebgan_folder / "gone.npz")
    shown = replace(load(vcd_folder, device="cpu"), experiment=moved)._repr_html_()
    assert "gone.npz" in shown
    assert "<img" not in shown
