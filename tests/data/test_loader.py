import multiprocessing
import os
import signal
import time
from itertools import islice

import numpy as np
import pytest
import torch

from ebgan.data import Loader, Packed, host, loader, open_packed, write_packed
from ebgan.randomness import Randomness

WAYS = [{"resident": True}, {"resident": False}]


def make(data, batch=5, seed=0, **options):
    return Loader(data, batch=batch, randomness=Randomness.of(seed), **options)


def take(data, count, first=0, **options):
    """So many batches, one after the other."""
    batches = list(islice(make(data, **options).batches(first), count))
    return torch.cat([batch.images for batch in batches], -4), torch.cat([batch.labels for batch in batches], -1)


def places(images):
    """Which images of the small set were served: their first byte says so."""
    return images[..., 0, 0, 0].add(1).mul(127.5).round().int().tolist()


@pytest.mark.parametrize("way", WAYS)
def test_each_epoch_is_an_order_of_its_own_and_batches_straddle_epochs(small, way):
    images, labels = take(small, 12, **way)
    served = places(images)
    randomness = Randomness.of(0)
    assert served == torch.cat([randomness.permutation("data", 12, epoch) for epoch in range(5)]).tolist()
    assert labels.tolist() == [place % 3 for place in served]
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", [0, 1, 11, 12, 13, 30, 1_000_003])
def test_a_run_resumes_at_any_image_count(small, way, first):
    whole, _ = take(small, 1, first=first - first % 12, batch=60, **way)
    resumed, _ = take(small, 3, first=first, batch=7, **way)
    assert torch.equal(resumed, whole[first % 12 :][:21])


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_of_another_purpose_follows_from_its_place_and_moves_nothing(small, way):
    whole, labels = take(small, 3, batch=8, purpose="source", **way)
    served = make(small, batch=8, **way)
    batches = served.batches(0)
    plain = [places(next(batches).images), *(places(served.at(first, "source").images) for first in (16, 0, 8))]
    assert plain[1:] == [places(whole)[first : first + 8] for first in (16, 0, 8)]
    assert places(next(batches).images) == places(take(small, 2, batch=8, **way)[0])[8:]
    assert torch.equal(served.at(5, "source").labels, labels[5:13])
    assert torch.equal(served.at(5, "source").images, whole[5:13])


@pytest.mark.parametrize("way", WAYS)
def test_the_ranks_share_a_batch_of_another_purpose_as_well(small, way):
    parts = [make(small, batch=6, rank=rank, ranks=3, **way).at(9, "source").images for rank in range(3)]
    assert torch.equal(torch.cat(parts), make(small, batch=6, **way).at(9, "source").images)


def test_a_batch_may_be_larger_than_the_set(small):
    images, _ = take(small, 1, batch=30)
    assert sorted(places(images)[:24]) == sorted([*range(12)] * 2)


@pytest.mark.parametrize("way", WAYS)
def test_the_ranks_share_each_batch_in_order(small, way):
    whole, labels = take(small, 4, batch=6, **way)
    parts = [take(small, 4, batch=6, rank=rank, ranks=3, **way) for rank in range(3)]
    joined = torch.stack([images.unflatten(0, (4, 2)) for images, _ in parts], 1).flatten(0, 2)
    assert torch.equal(joined, whole)
    assert torch.equal(torch.stack([numbers.unflatten(0, (4, 2)) for _, numbers in parts], 1).flatten(), labels)


def test_a_batch_that_the_ranks_cannot_share_is_refused(small):
    with pytest.raises(ValueError, match="a batch of 5 cannot be divided among 2 ranks"):
        make(small, ranks=2)


@pytest.mark.parametrize(("limits", "exact"), [((-1.0, 1.0), [-1, 1]), ((0.0, 1.0), [0, 1]), ((0.25, 4.0), [0.25, 4])])
def test_black_and_white_become_the_limits_exactly(limits, exact):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    images = next(make(Packed(levels), batch=1, limits=limits).batches(0)).images.flatten()
    assert [images[0], images[255]] == exact
    torch.testing.assert_close(images, torch.linspace(*limits, 256))


def test_an_unlabelled_set_has_no_labels(small):
    for way in WAYS:
        assert next(make(Packed(small.images), **way).batches(0)).labels is None


def test_seeds_and_purposes_order_differently(small):
    orders = [take(small, 2, **options)[0] for options in ({}, {"seed": 1}, {"purpose": "probe"})]
    assert len({str(places(images)) for images in orders}) == 3


def test_a_stack_of_models_follows_each_model_alone(small):
    images, labels = take(small, 5, seed=torch.tensor([3, 8]))
    assert images.shape == (2, 25, 3, 4, 5)
    for model, seed in enumerate((3, 8)):
        alone, numbers = take(small, 5, seed=seed)
        assert torch.equal(images[model], alone)
        assert torch.equal(labels[model], numbers)


def test_a_stack_needs_the_set_on_the_device(small):
    with pytest.raises(ValueError, match="resident=True"):
        make(small, seed=torch.tensor([0, 1]), resident=False)


def test_small_sets_are_resident_by_default(small, monkeypatch):
    assert make(small).resident
    monkeypatch.setattr(loader, "RESIDENT_BYTES", small.images.size)
    assert not make(small).resident


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_workers_serve_the_same_from_memory_and_from_a_file(small, tmp_path):
    write_packed(tmp_path / "small", small)
    mapped = open_packed(tmp_path / "small")
    expected, numbers = take(small, 6, first=4)
    before = torch.random.get_rng_state()
    for data, workers in ((mapped, 0), (mapped, 3), (small, 1)):
        images, labels = take(data, 6, first=4, workers=workers, resident=False)
        assert torch.equal(images, expected)
        assert torch.equal(labels, numbers)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not multiprocessing.active_children()


def signalled(batches, number):
    """Serve batches, and send the worker a signal after the first."""
    for place, batch in enumerate(batches):
        if place == 0:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid, number)
                time.sleep(0.2)
        yield batch


@pytest.mark.parametrize(("number", "timeout"), [(signal.SIGKILL, 60.0), (signal.SIGSTOP, 4.0)])
def test_a_worker_that_is_killed_or_stopped_is_an_error_and_is_gone(small, monkeypatch, number, timeout):
    monkeypatch.setattr(host, "TIMEOUT", timeout)
    left = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # by a DataLoader of another test
    try:
        batches = signalled(make(small, workers=1, resident=False).batches(0), number)
        with pytest.raises(host.LoaderLostError, match="small: a data worker was lost") as raised:
            list(islice(batches, 1000))
    finally:
        signal.signal(signal.SIGCHLD, left)
    assert raised.value.exit_code == 8
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_workers_outlive_the_signals_that_end_a_run(small, number):
    batches = signalled(make(small, workers=1, resident=False).batches(0), number)
    assert len(list(islice(batches, 20))) == 20
    batches.close()
    assert not multiprocessing.active_children()
