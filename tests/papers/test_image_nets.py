"""The convolutional nets of EBGAN, DCGAN, BEGAN, MAGAN and VGAN: parameters to the digit, sizes, first weights."""

import pytest
import torch
from torch import Tensor, nn

from ebgan.energies import AutoencoderEnergy
from ebgan.nets import magan
from ebgan.nets.base import BuildContext, DiscriminatorSpec, GeneratorSpec
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.convolutions import Convolution, Deconvolution, ImageNorm
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.notation import show
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.randomness import Randomness

DEEP = "(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s"
COUNTS = [
    (ConvGenerator(), 64, 3_576_704),
    (ConvDiscriminator(), 64, 2_765_568),
    (ConvAutoencoder(), 64, 1_318_659),
    (ConvAutoencoder(batch_norm=False), 64, 1_317_507),
    (ConvAutoencoder(encoder=DEEP), 128, 5_515_267),
    (ConvAutoencoder(encoder=DEEP), 256, 5_515_267),
    (ConvAutoencoder(encoder=DEEP, batch_norm=False), 128, 5_512_579),
    (NoisyGenerator(), 128, 13_553_347),
    (NoisyGenerator(bias=False), 128, 13_551_296),
    (NoisyGenerator(), 256, 49_450_691),
    (NoisyGenerator(bias=False), 256, 49_446_592),
    (BEGANGenerator(width=64), 32, 489_539),
    (BEGANAutoencoder(width=64), 32, 2_421_507),
    (BEGANGenerator(width=64, skip=True), 32, 563_267),
    (BEGANAutoencoder(width=64, skip=True), 32, 2_495_235),
    (BEGANGenerator(), 64, 1_716_611),
    (BEGANAutoencoder(), 64, 13_552_451),
    (BEGANGenerator(skip=True), 64, 2_158_979),
    (BEGANAutoencoder(skip=True), 64, 13_994_819),
    (BEGANGenerator(), 128, 2_011_779),
    (BEGANAutoencoder(), 128, 22_335_939),
    (magan.MNIST_GENERATOR, 28, 445_889),
    (magan.MNIST_AUTOENCODER, 28, 468_240),
    (magan.CIFAR10_GENERATOR, 32, 5_249_923),
    (magan.CIFAR10_AUTOENCODER, 32, 5_256_451),
    (magan.CELEBA_GENERATOR, 64, 5_623_747),
    (magan.CELEBA_AUTOENCODER, 64, 5_512_579),
    (VGANExperts(width=64, experts=128), 28, 3_447_616),
    (VGANTransition(width=64, code=256), 28, 1_824_385),
    (VGANExperts(width=128, experts=128), 32, 8_940_288),
    (VGANTransition(width=256, code=2048), 32, 70_481_667),
    (VGANTransition(width=128, code=2048), 32, 34_424_707),
    (VGANExperts(), 32, 8_940_288 - 28 * 1025),  # K = 100
    (VGANDiscriminator(), 32, 8_940_288 - 127 * 1025),  # one logit
    (VGANGenerator(), 32, 101 * 1024 + 2 * 1024 + 1025 * 8192 + 2 * 8192 + 409_728 + 2 * 128 + 9_603),
]


def no_draw(net: nn.Module, randomness: Randomness, *_: object, **__: object) -> nn.Module:
    """In place of the initial draw, which parameters can be counted without."""
    return net.to(randomness.seeds.device)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("dcgan", "imagenet", "began", "mlp", "vgan"):
        monkeypatch.setattr(f"ebgan.nets.{file}.initialise", no_draw)


def context(size: int, device: str = "cpu") -> BuildContext:
    return BuildContext((1 if size == 28 else 3, size, size), (-1.0, 1.0), Randomness.of(0, device))


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("spec", "size", "count"), COUNTS, ids=[f"{size} {spec}" for spec, size, _ in COUNTS])
def test_a_net_has_its_number_of_parameters(spec: GeneratorSpec | DiscriminatorSpec, size: int, count: int) -> None:
    net = spec.build(context(size, "meta"))
    assert sum(parameter.numel() for parameter in net.parameters()) == count


def sizes(net: nn.Module, *given: Tensor) -> list[int]:
    """The heights of what each convolution makes, in order."""
    heights: list[int] = []
    for module in net.modules():
        if isinstance(module, Convolution | Deconvolution):
            module.register_forward_hook(lambda _, __, out: heights.append(out.shape[-1]))
    net(*given)
    return heights


def noise(shapes: tuple[tuple[int, ...], ...]) -> list[Tensor]:
    return [torch.zeros(2, *shape, device="meta") for shape in shapes]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("size", "trace", "planes"),
    [
        (128, [4, 8, 16, 32, 64, 128, 128], [64, 32, 16, 8, 4]),
        (256, [4, 8, 16, 32, 64, 128, 256, 256], [64, 32, 16, 8, 4, 2]),
    ],
)
def test_the_imagenet_generators_double_and_take_their_noise_at_every_size(
    size: int, trace: list[int], planes: list[int]
) -> None:
    net = NoisyGenerator().build(context(size, "meta"))
    assert net.noise == ((100,), *((count, side, side) for count, side in zip(planes, trace, strict=False)))
    assert sizes(net, *noise(net.noise)) == trace


@pytest.mark.usefixtures("undrawn")
def test_the_other_nets_have_the_papers_sizes() -> None:
    images = {size: torch.zeros(2, 3, size, size, device="meta") for size in (64, 128, 256)}
    generator = ConvGenerator().build(context(64, "meta"))
    assert sizes(generator, *noise(generator.noise)) == [4, 8, 16, 32, 64]
    assert sizes(ConvDiscriminator().build(context(64, "meta")), images[64]) == [32, 16, 8, 4, 1]
    assert sizes(ConvAutoencoder().build(context(64, "meta")), images[64]) == [32, 16, 8, 16, 32, 64]
    for size, code in ((128, 512 * 8 * 8), (256, 512 * 16 * 16)):
        net = ConvAutoencoder(encoder=DEEP).build(context(size, "meta"))
        assert net(images[size])[0].shape == (2, code)
    assert ConvAutoencoder().build(context(64, "meta"))(images[64])[0].shape == (2, 256 * 8 * 8)
    began = BEGANAutoencoder().build(context(64, "meta"))
    assert sizes(began, images[64]) == [64, 64, 32, 32, 16, 16, 8, 8, 8, *(8, 8, 16, 16, 32, 32, 64, 64, 64)]
    assert began(images[64])[0].shape == (2, 64)


def test_the_papers_notation_of_the_nets_is_what_is_built() -> None:
    shape = (3, 64, 64)
    assert show(ConvAutoencoder().layers_for(shape)[0]) == "(64)4c2s-(128)4c2s-(256)4c2s"
    assert show(ConvAutoencoder().layers_for(shape)[1]) == "(128)4c2s-(64)4c2s-(3)4c2s"
    deep = ConvAutoencoder(encoder=DEEP)
    assert show(deep.layers_for((3, 128, 128))[1]) == "(256)4c2s-(128)4c2s-(64)4c2s-(3)4c2s"
    assert show(NoisyGenerator().layers_for((3, 128, 128))) == (
        "(1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c"
    )
    assert show(NoisyGenerator().layers_for((3, 256, 256))) == (
        "(2048)4c-(1024)4c2s-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c"
    )
    assert show(magan.CIFAR10_GENERATOR.layers_for((3, 32, 32))) == "(512)4c-(256)4c2s-(128)4c2s-(3)4c2s"


@pytest.mark.parametrize(("spec", "std"), [(ConvGenerator(), 0.02), (ConvAutoencoder(), 0.002)])
def test_initial_weights_have_the_papers_spread_and_biases_are_0(
    spec: GeneratorSpec | DiscriminatorSpec, std: float
) -> None:
    net = spec.build(context(64))
    layers = [module for module in net.modules() if isinstance(module, Convolution | Deconvolution)]
    for layer in layers:
        assert layer.weight.mean().item() == pytest.approx(0, abs=0.1 * std)
        assert layer.weight.std().item() == pytest.approx(std, rel=0.05)
        assert layer.bias is None or not layer.bias.any()
    for norm in (module.places for module in net.modules() if isinstance(module, ImageNorm)):
        assert torch.equal(norm.scale, torch.ones_like(norm.scale))
        assert not norm.shift.any()


def test_before_training_the_energy_of_an_image_is_its_own_length() -> None:
    images = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    energy = AutoencoderEnergy().read(ConvAutoencoder().build(context(64)), images).energy
    torch.testing.assert_close(energy, images.flatten(1).norm(dim=1), rtol=1e-2, atol=0)
