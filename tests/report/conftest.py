import numpy as np
import pytest
from sklearn.datasets import load_digits

from ebgan.report import grid, save_png
from ebgan.storage.runfolder import RunFolder, append_record


@pytest.fixture(scope="session")
def digits():
    return (load_digits().images[:, None] / 8 - 1).astype(np.float32)


@pytest.fixture
def stats():
    return [
        {
            "images": 100 * step,
            "seconds": step / 4,
            "images_per_second": 400.0 + step,
            "loss_discriminator": 5 / step,
            "loss_generator": 1 + step / 40,
            "energy_real": 4 / step,
            "energy_fake": 1 + step / 40,
            "energy_fake_before": 1.2 + step / 40,
            "margin": 2.5,
            "hinge_share": 1 - step / 60,
            "discriminator/real": 4 / step,
            "discriminator/hinge": 1 / step,
            "generator/fake": 1 + step / 40,
            "state/k": step / 100,
        }
        for step in range(1, 41)
    ]


@pytest.fixture
def evaluations():
    metrics = {"i_usual": 1.5, "i_usual_real": 2.21, "fid_classifier": 12.0, "classes_covered": 0.9}
    protocol = {"samples": 2000, "classifier_accuracy": 0.991}
    return [
        {"images": images, "metrics": {**metrics, "i_usual": score}, "histogram": [0.1] * 10, "protocol": protocol}
        for images, score in ((2000, 1.5), (4000, 1.987))
    ]


@pytest.fixture
def run(tmp_path, digits, stats, evaluations):
    """A finished run of 4,000 images."""
    folder = RunFolder(tmp_path / "digits")
    for images in range(0, 4001, 200):
        save_png(grid(digits[images % 100 :][:16]), folder.grid(images))
    save_png(grid(digits[-16:]), folder.real)
    for record in stats:
        append_record(folder.stats, record)
    for record in evaluations:
        append_record(folder.evaluations, record)
    append_record(folder.alarms, {"images": 300, "alarm": "dead hinge", "message": "Raise the margin."})
    folder.config.write_text("images: 4000\nobjective:\n  margin: 2.5\n")
    return folder
