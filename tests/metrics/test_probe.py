import pytest
import torch

from ebgan.metrics import probe as metrics_probe
from ebgan.metrics.probe import LabelledFeatures, Probe, probe


def clouds(count: int, seed: int) -> LabelledFeatures:
    """Points around three corners of a triangle, on axes of very different lengths, and which corner is theirs."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    corners = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    points = corners[labels] + torch.randn(count, 2, generator=generator)
    return LabelledFeatures(torch.cat((points * torch.tensor([1e-3, 1e3]), torch.ones(count, 1)), -1), labels)


def test_classes_that_lines_part_are_named_rightly_whatever_the_scale_of_the_features() -> None:
    assert probe(clouds(300, 0), clouds(300, 2), clouds(300, 1)).error < 0.02


def test_features_that_say_nothing_leave_chance() -> None:
    labels = clouds(300, 0).labels
    noise = torch.randn(900, 5, generator=torch.Generator().manual_seed(0)).split(300)
    assert probe(*(LabelledFeatures(part, labels) for part in noise)).error == pytest.approx(2 / 3, abs=0.12)
    assert probe(*[LabelledFeatures(torch.zeros(300, 5), labels)] * 3).error == pytest.approx(2 / 3)


def test_the_error_is_that_of_the_test_images() -> None:
    train, wrong = clouds(300, 0), clouds(300, 0)
    turned = wrong._replace(labels=(wrong.labels + 1) % 3)
    assert probe(train, clouds(300, 2), turned).error > 0.98


def test_the_strength_is_the_best_on_the_validation_images_and_these_are_learned_from_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int, float]] = []

    def error(train: LabelledFeatures, test: LabelledFeatures, strength: float) -> float:
        asked.append((len(train.labels), len(test.labels), strength))
        return abs(strength - 0.01)

    monkeypatch.setattr(metrics_probe, "_error", error)
    assert probe(clouds(30, 0), clouds(6, 1), clouds(9, 2)) == Probe(0.0, 0.01)
    assert asked[-1] == (36, 9, 0.01)
    assert {sizes[:2] for sizes in asked[:-1]} == {(30, 6)}
