"""The nets of the grid search (section 4.1): parameter counts to the digit, and what they say before training."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ebgan.data import open_data
from ebgan.energies import AutoencoderEnergy
from ebgan.nets.base import BuildContext
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.randomness import Randomness
from ebgan.samplers import DrawKey, Prior

SITE = BuildContext((1, 32, 32), (-1.0, 1.0), Randomness.of(0))
COUNTS = [
    (MLPGenerator(depth=5, width=1600), 9_498_624),
    (MLPGenerator(depth=5, width=800), 2_829_824),
    (MLPGenerator(depth=2, width=400), 451_824),
    (MLPGenerator(depth=5, width=3200), 34_356_224),
    (MLPAutoencoder(depth=2, width=1024), 2_099_200),
    (MLPAutoencoder(depth=2, width=1024, output_norm=True), 2_101_248),
    (MLPAutoencoder(depth=2, width=128), 263_296),
    (MLPAutoencoder(depth=5, width=1024), 5_254_144),
    (MLPAutoencoder(depth=3, width=512), 1_313_792),
    (MLPDiscriminator(depth=2, width=1024), 1_050_625),
    (MLPDiscriminator(depth=5, width=1024), 4_205_569),
    (MLPAutoencoder(depth=3, width=512, batch_norm=False), 1_313_792 - 2 * 512),
    (MLPDiscriminator(depth=5, width=1024, batch_norm=False), 4_205_569 - 3 * 2 * 1024),
    (MLPGenerator(depth=2, width=400, batch_norm=False), 451_824 - 2 * 400),
]


def no_draw(net: nn.Module, *_: object, **__: object) -> nn.Module:
    """In place of the initial draw, which parameters can be counted without."""
    return net


@pytest.mark.parametrize(("spec", "count"), COUNTS, ids=[repr(spec) for spec, _ in COUNTS])
def test_a_net_of_the_grid_has_its_number_of_parameters(
    spec: MLPGenerator | MLPAutoencoder | MLPDiscriminator, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebgan.nets.mlp.initialise", no_draw)
    net = spec.build(SITE)
    assert sum(parameter.numel() for parameter in net.parameters()) == count


def test_codes_and_images_have_their_shapes() -> None:
    net = MLPAutoencoder(depth=2, width=1024).build(SITE)
    code, reconstruction = net(torch.zeros(3, 1, 32, 32))
    assert code.shape == (3, 1024)
    assert reconstruction.shape == (3, 1, 32, 32)
    assert MLPDiscriminator(depth=2, width=64).build(SITE)(torch.zeros(3, 1, 32, 32)).shape == (3,)


def test_before_training_the_energy_of_mnist_is_its_own_length(data_folder: Path) -> None:
    if not (data_folder / "mnist").is_dir():
        pytest.skip(f"no mnist in {data_folder}")
    packed = open_data(str(data_folder / "mnist")).padded(2)
    images = torch.tensor(packed.images[:: len(packed) // 2000]) / 127.5 - 1
    for depth in (2, 3):
        net = MLPAutoencoder(depth=depth, width=512).build(SITE)
        energy = AutoencoderEnergy().read(net, images).energy
        assert energy.mean().item() == pytest.approx(31.07, abs=0.1)


@pytest.mark.parametrize(("width", "length"), [(400, 8.4), (800, 11.2), (1600, 14.3)])
def test_before_training_the_energy_of_a_sample_is_its_length(width: int, length: float) -> None:
    generator = MLPGenerator(depth=5, width=width).build(SITE)
    discriminator = MLPAutoencoder(depth=2, width=1024).build(SITE)
    with torch.no_grad():
        images = Prior().sample(generator, DrawKey(Randomness.of(0), 0, 0, 128), list).images
        energy = AutoencoderEnergy().read(discriminator, images).energy.mean().item()
    assert images.flatten(1).norm(dim=1).mean().item() == pytest.approx(length, rel=0.05)
    assert energy == pytest.approx(length, rel=0.05)
