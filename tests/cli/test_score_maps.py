"""`ebgan score --maps`: smoothed errors, marks by a threshold of normal images, and MVTec's masks."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

import ebgan
from ebgan.cli.main import run
from ebgan.data import open_data
from ebgan.detection.maps import error_maps, marked, peaks
from ebgan.detection.of_run import kept
from ebgan.metrics import auroc
from ebgan.metrics.regions import region_overlap

DIGITS = open_data("digits").images[:, 0]
DEFECT = np.s_[2:5, 2:5]
MASK = np.zeros((8, 8), bool)
MASK[DEFECT] = True


def write(folder: Path, images: np.ndarray, ending: str = ".png") -> None:
    folder.mkdir(parents=True)
    for place, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{place:03d}{ending}")


@pytest.fixture
def broken() -> np.ndarray:
    images = DIGITS[220:228].copy()
    images[:, *DEFECT] = 255 - images[:, *DEFECT]
    return images


@pytest.fixture
def mvtec(tmp_path: Path, broken: np.ndarray) -> Path:
    category = tmp_path / "bottle"
    write(category / "train" / "good", DIGITS[:20])
    write(category / "test" / "good", DIGITS[200:210])
    write(category / "test" / "broken", broken)
    write(category / "ground_truth" / "broken", np.stack([MASK] * len(broken)).astype(np.uint8) * 255, "_mask.png")
    write(tmp_path / "kept_out", DIGITS[300:400])
    return category


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def floats(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images[:, None]).float() / 127.5 - 1


def test_errors_are_the_smoothed_residual_and_peaks_their_highest(own: Path) -> None:
    loaded, images = ebgan.load(own), floats(DIGITS[200:203])
    residual = (loaded.reconstruct(images) - images).double().numpy()[:, 0]
    expected = np.sqrt(np.stack([gaussian_filter(each**2, 8 / 64) for each in residual]))
    np.testing.assert_allclose(error_maps(loaded, images), expected)
    np.testing.assert_array_equal(peaks(expected), expected.reshape(3, -1).max(1))


def test_what_is_above_is_red_and_all_else_is_as_it_was() -> None:
    images = floats(DIGITS[:2])
    found = marked(images, np.stack([MASK, ~MASK]))
    assert torch.equal(found[0][:, ~MASK], images[0].expand(3, -1, -1)[:, ~MASK])
    assert (found[0, 0][MASK] > found[0, 1][MASK]).all()
    assert (found[1, 0][~MASK] > found[1, 2][~MASK]).all()


def test_masks_of_mvtec_s_layout_are_met_and_marks_are_drawn(own, mvtec, tmp_path, broken, capsys) -> None:
    command = [
        "score",
        str(own),
        str(mvtec),
        "--split",
        "test",
        "--contamination",
        "0.1",
        "--maps",
        str(tmp_path / "maps"),
    ]
    assert run([*command, "--normals", str(tmp_path / "kept_out")]) == 0
    said = capsys.readouterr().out
    loaded = ebgan.load(own)
    maps = error_maps(loaded, floats(np.concatenate((broken, DIGITS[200:210]))))
    masks = np.concatenate((np.stack([MASK] * len(broken)), np.zeros((10, 8, 8), bool)))
    area = auroc(torch.from_numpy(maps.ravel()), torch.from_numpy(masks.ravel()))
    assert f"pixels: AUROC {area:.4f}, per-region overlap {region_overlap(maps, masks):.4f}" in said
    assert area > 0.6
    normal = error_maps(loaded, floats(DIGITS[300:400]))
    threshold = kept(loaded).pixel_threshold(0.1)
    assert threshold is not None
    assert (peaks(normal) > threshold).sum() == 10
    pictures = sorted((tmp_path / "maps").glob("*.png"))
    assert len(pictures) == 18
    whole = np.asarray(Image.open(pictures[0]).convert("RGB")).astype(int)
    assert (whole[..., 0] > whole[..., 1] + 50).any() == bool((maps[0] > threshold).any())


def test_a_mask_that_is_missing_is_named(own, mvtec, tmp_path, capsys) -> None:
    (mvtec / "ground_truth" / "broken" / "003_mask.png").unlink()
    assert run(["score", str(own), str(mvtec), "--split", "test", "--maps", str(tmp_path / "maps")]) == 3
    assert "003_mask.png" in capsys.readouterr().err


def test_without_masks_and_a_threshold_maps_are_as_they_were(own, mvtec, tmp_path, capsys) -> None:
    shutil.rmtree(mvtec / "ground_truth")
    assert run(["score", str(own), str(mvtec), "--split", "test", "--maps", str(tmp_path / "maps")]) == 0
    assert "pixels" not in capsys.readouterr().out
    with Image.open(next((tmp_path / "maps").glob("*.png"))) as picture:
        assert picture.mode == "L"
