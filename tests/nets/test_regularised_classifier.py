import pytest
import torch
from torch import nn

from ebgan.nets.regularised_classifier import RegularisedClassifier


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (1, 8)])
def test_images_become_one_logit_a_class(channels: int, size: int) -> None:
    net = RegularisedClassifier(channels, 10, divide=16)
    assert net(torch.rand(5, channels, size, size)).shape == (5, 10)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (1, [(64, 3)] * 6),
        (3, [(96, 3)] * 3 + [(192, 3)] * 4 + [(192, 1)] * 2),
    ],
)
def test_it_has_the_authors_layers(channels: int, expected: list[tuple[int, int]]) -> None:
    net = RegularisedClassifier(channels, 10)
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    assert [(layer.out_channels, layer.kernel_size[0]) for layer in convolutions] == expected
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == len(expected)
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.5] * 2
    assert sum(isinstance(module, nn.MaxPool2d) for module in net.modules()) == 2


def test_noise_and_dropout_are_for_training_alone() -> None:
    net, images = RegularisedClassifier(1, 10, divide=16), torch.rand(5, 1, 8, 8)
    assert not torch.equal(net(images), net(images))
    assert torch.equal(net.eval()(images), net(images))
