"""Nets by class: what the shift of a class does, and what they are refused for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.experiment.stacking import stacked
from ebgan.nets.base import BuildContext, ByClass
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.layers import compute_in
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.randomness import Randomness

Sites = Callable[..., BuildContext]
Numbers = Callable[..., Tensor]
CLASSES = 5
GENERATOR = MLPGenerator(depth=3, width=6, noise=4, std=0.5)
AUTOENCODER = MLPAutoencoder(depth=3, width=6, std=0.5)


def by_class(spec: ClassGenerator | ClassAutoencoder, context: BuildContext) -> ByClass:
    net = spec.build(replace(context, classes=CLASSES))
    assert isinstance(net, ByClass)
    return net.eval()


def test_a_generator_of_a_class_is_the_net_at_noise_that_is_shifted(context: Sites, numbers: Numbers) -> None:
    net, bare = by_class(ClassGenerator(net=GENERATOR), context(5)), GENERATOR.build(context(5)).eval()
    labels, noise = torch.tensor([0, 3, 3]), numbers(3, 4).float()
    shifts = dict(net.named_parameters())["shifts.rows.weight"].detach()
    assert shifts.shape == (4, CLASSES)
    torch.testing.assert_close(net.of(labels)(noise), bare(noise + shifts.T[labels]))
    torch.testing.assert_close(net.of(torch.tensor(3))(noise), bare(noise + shifts.T[3]))


def test_an_autoencoder_of_a_class_reads_a_shifted_image(context: Sites, numbers: Numbers) -> None:
    net, bare = by_class(ClassAutoencoder(net=AUTOENCODER), context(5)), AUTOENCODER.build(context(5)).eval()
    labels, images = torch.tensor([0, 3, 4]), numbers(3, 2, 3, 4).float()
    shifts = dict(net.named_parameters())["shifts.rows.weight"].detach().T.reshape(CLASSES, 2, 3, 4)
    assert float(shifts.std()) == pytest.approx(0.1, rel=0.3)
    for one, other in zip(net.of(labels)(images), bare(images + shifts[labels]), strict=True):
        torch.testing.assert_close(one, other)


def test_without_a_class_an_autoencoder_takes_that_of_the_least_error(context: Sites, numbers: Numbers) -> None:
    net, images = by_class(ClassAutoencoder(net=AUTOENCODER, std=2.0), context(5)), numbers(9, 2, 3, 4).float()
    each = [net.of(torch.tensor(label))(images) for label in range(CLASSES)]
    errors = torch.stack([(there - images).flatten(1).norm(dim=1) for _, there in each])
    code, reconstruction = net(images)
    torch.testing.assert_close((reconstruction - images).flatten(1).norm(dim=1), errors.min(0).values)
    assert len(set(errors.argmin(0).tolist())) > 1
    torch.testing.assert_close(code, torch.stack([code for code, _ in each])[errors.argmin(0), torch.arange(9)])


def test_a_generator_makes_nothing_without_a_class(context: Sites, numbers: Numbers) -> None:
    with pytest.raises(UsageError, match=r"needs a class for each sample: take ebgan.of_class"):
        by_class(ClassGenerator(net=GENERATOR), context(5))(numbers(3, 4))


def test_each_model_of_a_stack_has_shifts_of_its_own(context: Sites, numbers: Numbers) -> None:
    seeds, specs = (5, 6, 7), [ClassAutoencoder(net=AUTOENCODER, std=std) for std in (0.1, 0.5, 2.0)]
    stack = by_class(stacked(specs), context(*seeds))
    compute_in(stack, torch.float64)
    images, labels = numbers(3, 4, 2, 3, 4), torch.tensor([[0, 1, 2, 3], [4, 4, 0, 0], [1, 2, 3, 4]])
    together = stack.of(labels)(images)[1]
    for model, (seed, spec) in enumerate(zip(seeds, specs, strict=True)):
        alone = by_class(spec, context(seed))
        compute_in(alone, torch.float64)
        torch.testing.assert_close(together[model], alone.of(labels[model])(images[model])[1])


def test_convolutional_nets_and_several_noises_may_have_classes(numbers: Numbers) -> None:
    context = BuildContext((1, 16, 16), (-1.0, 1.0), Randomness.of(0), CLASSES)
    labels = torch.tensor([0, 3])
    for spec in (ConvGenerator(width=4, noise=6), NoisyGenerator(width=4, noise=6, planes=2)):
        net = ClassGenerator(net=spec).build(context).eval()
        assert isinstance(net, ByClass)
        noise = [numbers(2, *shape).float() for shape in net.noise]
        assert net.of(labels)(*noise).shape == (2, 1, 16, 16)
    read = ClassAutoencoder(net=ConvAutoencoder(encoder="(4)4c2s")).build(context).eval()
    assert isinstance(read, ByClass)
    assert read.of(labels)(numbers(2, 1, 16, 16).float())[1].shape == (2, 1, 16, 16)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ClassGenerator(net=MLPTransition()), "nets.generator.net: .* starts from noise, which MLPTransition does not"),
        (
            ClassAutoencoder(net=Ladder(widths=(6,))),
            "nets.discriminator.net: .* without a head .*, which Ladder",
        ),
    ],
)
def test_other_kinds_of_nets_are_refused(context: Sites, spec: ClassGenerator, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        by_class(spec, context(5))


@pytest.mark.parametrize("spec", [ClassGenerator(net=GENERATOR), ClassAutoencoder(net=AUTOENCODER)])
def test_data_without_classes_is_refused(context: Sites, spec: ClassGenerator) -> None:
    with pytest.raises(UsageError, match=r"needs data whose images are labelled with two classes or more"):
        spec.build(replace(context(5), classes=1))
