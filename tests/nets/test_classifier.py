import pytest
import torch

from ebgan.nets.classifier import ConvClassifier


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 16), (1, 28), (3, 32), (3, 64), (3, 128)])
def test_any_image_size_gives_128_features_and_a_logit_a_class(channels: int, size: int) -> None:
    net = ConvClassifier(channels, 7)
    images = torch.rand(3, channels, size, size) * 2 - 1
    assert net.features(images).shape == (3, 128)
    assert net(images).shape == (3, 7)
    assert torch.equal(net(images), net.logits(net.features(images)))


def test_it_has_three_convolutions_and_one_linear_layer() -> None:
    weights = [weight for weight in ConvClassifier(1, 10).parameters() if weight.dim() > 1]
    assert [tuple(weight.shape) for weight in weights] == [(16, 1, 3, 3), (32, 16, 3, 3), (128, 32, 3, 3), (10, 128)]
