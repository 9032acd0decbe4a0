import pytest
import torch
from torch import nn

from ebgan.metrics import fitting
from ebgan.metrics.fitting import fit_classifier, scaled
from ebgan.nets.classifier import WIDTHS, ConvClassifier


def test_bytes_span_minus_one_to_one() -> None:
    assert scaled(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)).flatten().tolist() == [-1, 1]


def test_the_same_images_give_the_same_net_whatever_was_drawn_before(digits, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 600)
    nets = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        nets.append(fit_classifier(digits.images[:200], digits.labels[:200], 10))
    for name, weight in nets[0].state_dict().items():
        assert torch.equal(weight, nets[1].state_dict()[name])


def test_every_image_is_read_once_before_any_is_read_again(monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 960)
    batches = list(fitting._batches(320))
    assert {len(batch) for batch in batches} == {64}
    places = torch.cat(batches)
    assert places.view(3, 320).sort(-1).values.equal(torch.arange(320).expand(3, 320))
    assert not places[:320].equal(places[320:640])


def test_a_large_set_is_read_one_time_and_a_quarter() -> None:
    places = torch.cat(list(fitting._batches(64_000)))
    assert len(places) == 80_000
    assert places[:64_000].unique().numel() == 64_000


def test_shifts_reach_both_ways_and_in_the_middle_leave_the_image() -> None:
    images = torch.rand(2, 1, 28, 28)
    offsets = torch.tensor(fitting._offsets(1000, 28))
    assert offsets.unique().tolist() == [0, 1, 2]
    assert torch.equal(fitting._shifted(images, 1, 1), images)
    assert torch.equal(fitting._shifted(images, 0, 2)[..., 1:, :-1], images[..., :-1, 1:])


def test_small_images_stay_where_they_are() -> None:
    images = torch.rand(2, 1, 8, 8)
    assert fitting._offsets(3, 8) == [[0, 0]] * 3
    assert torch.equal(fitting._shifted(images, 0, 0), images)


@pytest.mark.parametrize("samples", [2, 31])
def test_fewer_images_than_a_batch_still_train(samples: int, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 0)
    images = torch.randint(0, 255, (samples, 1, 8, 8), dtype=torch.uint8)
    net = fit_classifier(images, torch.arange(samples), samples)
    assert not net.logits.weight.requires_grad
    assert net(scaled(images)).isfinite().all()


@pytest.mark.parametrize("size", [8, 28, 64])
def test_the_norms_that_it_learned_with_are_in_its_weights(size: int) -> None:
    images, net = torch.rand(40, 3, size, size) * 2 - 1, ConvClassifier(3, 4)
    kinds = (nn.BatchNorm2d, nn.BatchNorm2d, nn.BatchNorm1d)
    norms = nn.ModuleList(kind(width) for kind, width in zip(kinds, WIDTHS, strict=True))
    with torch.no_grad():
        for norm in norms:
            norm.bias.normal_()
        for _ in range(3):
            net(images, tuple(norms))  # which moves their means and variances
        expected = net(images, tuple(norms.eval()))
        assert not torch.allclose(net(images), expected, atol=1e-2)
        fitting._fold(net, norms)
        torch.testing.assert_close(net(images), expected, rtol=1e-4, atol=1e-4)


def test_a_long_training_says_how_far_it_has_come(monkeypatch, caplog) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(fitting.time, "monotonic", lambda: next(clock))
    caplog.set_level("INFO", "ebgan")
    assert len(list(fitting._saying([torch.arange(2)] * 10))) == 10
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["Classifier: 20%, 48 s left", "Classifier: 50%, 24 s left", "Classifier: 80%, 9 s left"]
