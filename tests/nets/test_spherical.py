"""The auto-encoder with codes on the sphere: their length, its decoder alone, its weights counted."""

import torch

from ebgan.nets.base import BuildContext, Spherical
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.randomness import Randomness


def build(*models: int) -> Spherical:
    seeds = Randomness.of(torch.arange(*models) if models else 0)
    net = SphericalAutoencoder(width=7, code=3).build(BuildContext((1, 4, 5), (0.0, 1.0), seeds))
    assert isinstance(net, Spherical)
    return net


def test_codes_have_length_one_and_the_reconstruction_is_the_decoder_s() -> None:
    net, images = build(), torch.rand(6, 1, 4, 5)
    code, reconstruction = net(images)
    torch.testing.assert_close(torch.linalg.vector_norm(code, dim=-1), torch.ones(6))
    assert torch.equal(reconstruction, net.decode(code))
    assert reconstruction.shape == images.shape
    assert ((reconstruction > 0) & (reconstruction < 1)).all()


def test_a_stack_is_its_models() -> None:
    images = torch.rand(2, 6, 1, 4, 5)
    code, reconstruction = build(2)(images)
    assert code.shape == (2, 6, 3)
    alone_code, alone = build()(images[0])
    torch.testing.assert_close(code[0], alone_code)
    torch.testing.assert_close(reconstruction[0], alone)


def test_it_has_as_many_weights_as_its_layers() -> None:
    weights = (20 * 7 + 7) + (7 * 3 + 3) + (3 * 7 + 7) + (7 * 20 + 20)
    assert sum(each.numel() for each in build().parameters()) == weights
