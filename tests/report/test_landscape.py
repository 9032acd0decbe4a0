import numpy as np
import pytest
from PIL import Image, ImageSequence

from ebgan.report import Landscape, landscape, landscapes, save_landscape, write_animation
from ebgan.report.html import write_report
from ebgan.storage.runfolder import RunFolder

AXIS = np.linspace(-1, 1, 30)
POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 2))


def seen(dims: int, energy: float = 1.0) -> Landscape:
    heights = energy * np.add.outer(AXIS**2, AXIS**2) if dims == 2 else energy * AXIS**2
    return Landscape(AXIS, heights, np.ones_like(heights), POINTS[:, :dims], POINTS[:, :dims] / 2)


@pytest.mark.parametrize("dims", [1, 2])
def test_a_landscape_is_a_square_picture_that_shows_its_arrays(dims: int) -> None:
    picture = landscape(seen(dims))
    assert (picture.size, picture.mode) == ((480, 480), "RGB")
    assert picture.tobytes() == landscape(seen(dims)).tobytes()
    tilted = seen(dims)
    tilted = tilted._replace(energy=tilted.energy + AXIS)
    assert picture.tobytes() != landscape(tilted).tobytes()
    assert picture.tobytes() != landscape(seen(dims)._replace(samples=POINTS[:, :dims])).tobytes()


def test_a_flat_energy_is_drawn_too() -> None:
    for dims in (1, 2):
        assert landscape(seen(dims, energy=0.0)).size == (480, 480)


@pytest.mark.parametrize("energy", [1e-4, 0.02, 1.0, 1e4])
def test_no_word_beside_a_map_is_cut_off(energy: float) -> None:
    pixels = np.asarray(landscape(seen(2, energy)))
    border = [pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]]
    assert all((side == 255).all() for side in border)


def test_maps_side_by_side_share_a_scale_so_that_a_low_one_is_dark_beside_a_high_one() -> None:
    low, high = seen(2)._replace(samples=POINTS[:0]), seen(2, energy=100.0)
    picture = landscapes({"low": low, "high": high})
    assert picture.size == (960, 480)
    pixels = np.asarray(picture.convert("L"), float)
    assert pixels[200:210, 100:110].mean() < pixels[120:130, 520:530].mean()
    assert landscapes({"low": low, "higher": seen(2, energy=0.0)}).tobytes() != picture.tobytes()
    assert landscapes({"flat": seen(2, energy=0.0)}).size == (480, 480)


def frames_of(folder: RunFolder) -> list[np.ndarray]:
    """The frames of a run's animation as greys."""
    with Image.open(folder.animation) as animation:
        assert animation.info["loop"] == 0
        return [np.asarray(frame.convert("L"), float) for frame in ImageSequence.Iterator(animation)]


def test_the_landscapes_of_a_run_become_an_animation_that_the_report_shows(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ebgan.report.animation._FRAMES", 5)
    folder = RunFolder(tmp_path)
    write_animation(folder)
    assert not folder.animation.exists()
    for images in range(8):
        save_landscape(seen(2, energy=1 + images)._replace(samples=POINTS / (1 + images)), folder, images)
    assert len(folder.grids()) == 8
    write_animation(folder)
    assert len(frames_of(folder)) == 5
    assert "data:image/gif;base64," in write_report(folder).read_text()


@pytest.mark.parametrize("dims", [1, 2])
def test_the_frames_of_an_animation_share_one_scale_of_energies(dims: int, tmp_path) -> None:
    folder = RunFolder(tmp_path)
    for images, energy in enumerate([1.0, 10.0]):
        save_landscape(seen(dims, energy), folder, images)
    write_animation(folder)
    first, last = frames_of(folder)
    low, high = landscape(seen(dims)), landscape(seen(dims, energy=10.0))
    assert np.abs(last - np.asarray(high.convert("L"), float)).mean() < 10
    if dims == 2:  # the corners are the highest places of a map: dark in the frame of low energies
        assert first[120:130, 70:80].mean() < np.asarray(low.convert("L"), float)[120:130, 70:80].mean() - 100


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"], ids=["empty", "other", "cut"])
def test_a_damaged_landscape_is_left_out_of_the_animation(content: bytes, tmp_path) -> None:
    folder = RunFolder(tmp_path)
    for images in range(3):
        save_landscape(seen(2), folder, images)
    folder.landscape(1).write_bytes(content)
    write_animation(folder)
    assert len(frames_of(folder)) >= 1
    whole = folder.landscape(2).read_bytes()
    folder.landscape(2).write_bytes(whole[: len(whole) // 2])
    folder.animation.unlink()
    write_animation(folder)
    assert not folder.animation.exists()
