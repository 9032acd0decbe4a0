"""To look at a run does not change it: pictures and evaluations, however often, leave every bit as it would be."""

from dataclasses import replace

import torch

import ebgan
from ebgan.experiment import Evaluation
from ebgan.metrics import TrainedClassifier
from ebgan.nets.classifier import ConvClassifier
from ebgan.runs.examiners import images as examiner
from ebgan.samplers import Prior
from ebgan.storage.runfolder import RunFolder, read_records
from ebgan.training.state import state

CLOCKS = ("seconds", "images_per_second")  # what a record holds besides what was computed
OFTEN = {
    "after each step": Evaluation(samples=8, grid=4, every=1, pictures=1),
    "after each seventh step": Evaluation(samples=8, grid=4, every=7 * 12, pictures=7 * 12),
    "never but at the end": Evaluation(samples=8, grid=4, every=1_000_000, pictures=1_000_000),
}


def records(folder: RunFolder) -> list[dict[str, float]]:
    """What was computed, without clocks."""
    return [{name: record[name] for name in record if name not in CLOCKS} for record in read_records(folder.stats)]


def test_a_run_is_the_same_however_often_it_is_looked_at(experiment, a_run, labelled, inside, digest_of, monkeypatch):
    measure = TrainedClassifier(ConvClassifier(1, 2).eval().requires_grad_(False), 0.5, "none")
    monkeypatch.setattr(examiner, "digit_classifier", lambda *images, **options: measure)
    looked, digests, written = [], [], []
    for evaluation in OFTEN.values():
        training = inside(a_run(replace(experiment, evaluation=evaluation), labelled))
        folder = training.log.folder
        looked.append((len(folder.grids()), len(read_records(folder.evaluations))))
        digests.append(digest_of(state(training.course)))
        written.append(records(folder))
    steps = training.course.step
    assert looked == [(steps, steps), (3, 3), (1, 1)]
    assert digests[0] == digests[1] == digests[2]
    assert written[0] == written[1] == written[2] != []


def test_a_resumed_run_writes_the_records_of_one_that_was_left_alone(ebgan_pt, a_run, inside) -> None:
    run = a_run(ebgan_pt)
    folder = inside(run).log.folder
    whole = records(folder)
    max(folder.checkpoints.glob("0*.ckpt")).unlink()
    run.train()
    assert records(folder) == whole


def test_samples_are_of_no_noise_that_a_step_was_trained_on(ebgan_pt, a_run, monkeypatch) -> None:
    drawn: list[torch.Tensor] = []
    noise = Prior.noise

    def recorded(prior: Prior, *given: object) -> list[torch.Tensor]:
        found = noise(prior, *given)
        drawn.append(found[0].detach().clone())
        return found

    monkeypatch.setattr(Prior, "noise", recorded)
    run = a_run(ebgan_pt)
    run.train()
    trained = {tuple(row.tolist()) for rows in drawn if len(rows) == run.experiment.batch for row in rows}
    assert len(trained) >= run.experiment.images
    for seed in (run.experiment.seed, 1):
        sampled = ebgan.load(run.folder).noise(50, seed=seed)[0]
        assert not trained & {tuple(row.tolist()) for row in sampled}
