import pytest
import torch

from ebgan.metrics import fitting
from ebgan.metrics.fitting import fit_classifier, scaled


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


def test_every_image_is_read_once_an_epoch(monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 0)
    places = torch.cat(list(fitting._batches(320)))
    assert places.view(4, 320).sort(-1).values.equal(torch.arange(320).expand(4, 320))
    assert not places[:320].equal(places[320:640])


def test_shifts_reach_both_ways_and_in_the_middle_leave_the_image() -> None:
    images = torch.rand(2, 1, 28, 28)
    offsets = torch.tensor(fitting._offsets(1000, 28))
    assert offsets.unique().tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(fitting._shifted(images, 2, 2), images)
    assert torch.equal(fitting._shifted(images, 0, 4)[..., 2:, :-2], images[..., :-2, 2:])


@pytest.mark.parametrize("samples", [1, 31])
def test_fewer_images_than_a_batch_still_train(samples: int, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 0)
    images = torch.randint(0, 255, (samples, 1, 8, 8), dtype=torch.uint8)
    assert not fit_classifier(images, torch.arange(samples), samples).logits.weight.requires_grad
