import pytest
import torch
from torch import nn

from ebgan.nets.regularised_classifier import RegularisedClassifier


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (1, 8)])
def test_images_become_one_logit_a_class(channels: int, size: int) -> None:
    net = RegularisedClassifier(channels, 10, width=4)
    assert net(torch.rand(5, channels, size, size)).shape == (5, 10)


def test_it_has_the_authors_layers() -> None:
    net = RegularisedClassifier(1, 10)
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == [(1, 64), *[(64, 64)] * 5]
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == 6
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.5] * 3


def test_noise_and_dropout_are_for_training_alone() -> None:
    net, images = RegularisedClassifier(1, 10, width=4), torch.rand(5, 1, 8, 8)
    assert not torch.equal(net(images), net(images))
    assert torch.equal(net.eval()(images), net(images))
