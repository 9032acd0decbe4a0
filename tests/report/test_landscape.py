import numpy as np
import pytest
from PIL import Image

from ebgan.report import Landscape, grid, landscape, landscapes, save_png, write_animation
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


def test_the_pictures_of_a_run_become_an_animation_that_the_report_shows(tmp_path) -> None:
    folder = RunFolder(tmp_path)
    write_animation(folder)
    assert not folder.animation.exists()
    for images in range(0, 700, 10):
        save_png(grid(np.full((1, 1, 8, 8), images / 350 - 1)), folder.grid(images))
    write_animation(folder)
    with Image.open(folder.animation) as animation:
        assert (animation.n_frames, animation.info["loop"]) == (60, 0)
        first = animation.convert("L").getpixel((0, 0))
        animation.seek(59)
        assert first == 0
        assert animation.convert("L").getpixel((0, 0)) > 240
    assert "data:image/gif;base64," in write_report(folder).read_text()
