"""What lies between the samples of a run, one of whose generators takes noise at several sizes."""

import numpy as np
import pytest
import torch

from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.report import grid
from ebgan.runs.loading import assemble
from ebgan.runs.run import DataFacts, Run
from ebgan.runs.walks import COLUMNS, FRAMES, between, strip, walk
from ebgan.samplers import Prior, Replay

GENERATORS = [MLPGenerator(width=8, noise=4, std=0.5), NoisyGenerator(width=4, noise=8, planes=3, std=0.2)]


@pytest.fixture(scope="module", params=GENERATORS, ids=["one noise", "noise at every size"])
def run(request: pytest.FixtureRequest) -> Run:
    nets = Nets(generator=request.param, discriminator=MLPAutoencoder(width=8))
    experiment = Experiment(nets=nets, sampler=Replay(sampler=Prior()))
    return assemble(experiment, DataFacts((1, 16, 16), (), ""), "cpu")


def test_the_ways_lead_from_each_sample_to_the_next_and_from_the_last_to_the_first(run: Run) -> None:
    samples = run.sample(3, seed=2)
    images = between(run, run.noise(3, seed=2), [0, 0.5, 1]).unflatten(0, (3, 3))
    torch.testing.assert_close(images[:, 0], samples)
    torch.testing.assert_close(images[:, 2], samples.roll(-1, 0))
    assert (images[:, 1] - samples).flatten(1).norm(dim=1).min() > 0.01


def test_every_noise_of_the_generator_moves_on_the_way(run: Run) -> None:
    first, *planes = run.noise(2)
    for place in range(len(planes)):
        still = [first[:1].expand(2, -1), *(plane[:1].expand_as(plane) for plane in planes)]
        still[place + 1] = planes[place]
        start, middle = between(run, still, [0, 0.5])[:2]
        assert not torch.allclose(start, middle)


def test_a_strip_is_a_row_for_each_sample(run: Run) -> None:
    noise = run.noise(3)
    assert strip(run, noise).size == grid(torch.zeros(3 * COLUMNS, 1, 16, 16), COLUMNS).size
    cell = np.asarray(strip(run, noise))[:48, :48]
    assert np.abs(cell.astype(int) - np.asarray(grid(run.generate(noise)[:1])).astype(int)).max() <= 1


def test_a_walk_goes_round_in_steps_of_one_size_enlarged(run: Run) -> None:
    frames = walk(run, run.noise(2))
    assert len(frames) == 2 * FRAMES
    assert {frame.size for frame in frames} == {(192, 192)}
    pixels = np.stack([np.asarray(frame, dtype=float) for frame in (*frames, frames[0])])
    steps = np.abs(np.diff(pixels, axis=0)).mean((1, 2))
    assert 0 < steps.max() < np.abs(pixels[FRAMES] - pixels[0]).mean()


def test_a_way_of_one_sample_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="expected a count of at least 2"):
        strip(run, run.noise(1))
