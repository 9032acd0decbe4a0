import pytest
import torch

from ebgan.metrics.probe import probe_error


def clouds(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points around three corners of a triangle, on axes of very different lengths, and which corner is theirs."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    corners = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    points = corners[labels] + torch.randn(count, 2, generator=generator)
    return torch.cat((points * torch.tensor([1e-3, 1e3]), torch.ones(count, 1)), -1), labels


def test_classes_that_lines_part_are_named_rightly_whatever_the_scale_of_the_features() -> None:
    assert probe_error(*clouds(300, 0), *clouds(300, 1)) < 0.02


def test_features_that_say_nothing_leave_chance() -> None:
    (_, labels), (_, tested) = clouds(300, 0), clouds(300, 1)
    noise = torch.randn(600, 5, generator=torch.Generator().manual_seed(0))
    assert probe_error(noise[:300], labels, noise[300:], tested) == pytest.approx(2 / 3, abs=0.12)
    assert probe_error(torch.zeros(300, 5), labels, torch.zeros(300, 5), tested) == pytest.approx(2 / 3)


def test_the_error_is_that_of_the_test_images() -> None:
    features, labels = clouds(300, 0)
    assert probe_error(features, labels, features, (labels + 1) % 3) > 0.98
