"""What a run does not go on from, and what it says of it; and the exit code of each."""

import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ebgan
from ebgan.cli.main import run as command
from ebgan.errors import CheckpointError, RunLockedError, StorageError, UsageError
from ebgan.experiment import Optimisers
from ebgan.objectives import EBGAN
from ebgan.training.lock import run_lock
from ebgan.training.loop import Training
from ebgan.training.optim import SGD


def files(folder: Path) -> list[Path]:
    """The checkpoints by their age, the newest first."""
    return sorted((folder / "checkpoints").glob("0*.ckpt"), reverse=True)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_changed_config_is_refused_with_its_differences_unless_it_is_wanted(ebgan_pt, a_run) -> None:
    run = a_run(replace(ebgan_pt, objective=EBGAN(margin=12.0, pulling_away=0.1)))
    run.train()
    config, digest = (run.folder / "config.yaml").read_text(), run.digest()
    changed = replace(run, experiment=replace(ebgan_pt, objective=EBGAN(margin=11.0, pulling_away=0.1), images=264))
    with pytest.raises(UsageError, match=r"another config: objective.margin: 12.0, now 11.0\. .*--override-config"):
        changed.train()
    assert ((run.folder / "config.yaml").read_text(), run.digest()) == (config, digest)
    notices = changed.told(override_config=True)
    assert "now 11.0" in notices[0]
    assert "--override-config waives this check" in notices[0]
    assert "changed since the run was started: images: 240, now 264" in notices[1]
    assert "another config" in notices[-2]
    assert notices[-1] == "going on from 240 images seen"
    assert changed.newest().images == 264
    assert changed.told()[1:] == ["going on from 264 images seen"]


def test_other_nets_cannot_be_gone_on_with_even_if_wanted(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.train()
    nets = replace(ebgan_pt.nets, generator=replace(ebgan_pt.nets.generator, width=11))
    with pytest.raises(CheckpointError, match=r"no generator.hidden.0.weight of shape \[11, 5\] but one of \[10, 5\]"):
        replace(run, experiment=replace(ebgan_pt, nets=nets)).train(override_config=True)
    run.train()  # the config that fits is still there
    assert ebgan.load(run.folder).sample(2).shape == (2, 1, 8, 8)


def test_a_config_of_other_nets_beside_the_checkpoint_is_named(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.train()
    config = run.folder / "config.yaml"
    config.write_text(config.read_text().replace("width: 10", "width: 11"))
    with pytest.raises(CheckpointError, match=r"config\.yaml: describes a net with average\.hidden\.0\.weight"):
        ebgan.load(run.folder)


def test_other_data_are_refused_unless_they_are_wanted(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.train()
    others = replace(run, data=np.zeros((60, 8, 8), np.uint8))
    with pytest.raises(UsageError, match=r"other data.*--override-data"):
        others.train(override_config=True)
    told = others.told(override_data=True)
    assert any("--override-data waives this check" in each and "other data" in each for each in told)


def test_a_second_trainer_is_refused_while_the_first_is_at_work(ebgan_pt, a_run) -> None:
    run = a_run(replace(ebgan_pt, images=10**9))
    first = run.start()
    try:
        until = time.monotonic() + 30
        while not files(run.folder) and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(RunLockedError, match=f"process {first.pid} on .* trains here"):
            run.train()
    finally:
        os.kill(first.pid, signal.SIGTERM)
        assert first.end() == 143


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_is_gone_on_from(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.train()
    digest, (last, _) = run.digest(), files(run.folder)
    damage(last)
    _, damaged, going_on = run.told()
    assert str(last) in damaged
    assert "SHA-256" in damaged
    assert going_on == "going on from 216 images seen"
    assert run.digest() == digest


def test_a_run_without_a_valid_checkpoint_is_never_started_again_in_silence(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.train()
    for path in files(run.folder):
        damage(path)
    before = [path.read_bytes() for path in files(run.folder)]
    with pytest.raises(CheckpointError, match="no valid checkpoint"):
        run.train()
    assert [path.read_bytes() for path in files(run.folder)] == before


def fill_the_disk_after(images: int) -> None:
    """No file of this process may grow beyond 1,000 bytes once so many images were seen."""
    save = Training.save

    def limited(training: Training) -> None:
        if training.course.seen > images:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        save(training)

    Training.save = limited


def test_a_full_disk_costs_what_was_not_saved_and_nothing_else(ebgan_pt, a_run) -> None:
    whole, run = a_run(ebgan_pt), a_run(ebgan_pt)
    whole.train()
    assert run.start(lambda: fill_the_disk_after(48)).end() == StorageError.exit_code
    assert run.newest().images == 48
    run.train()
    assert run.digest() == whole.digest()


@pytest.fixture
def train(ebgan_pt, tmp_path, labelled, a_run, capsys) -> Callable[..., tuple[int, str]]:
    """`ebgan train` of a config with some changes: its exit code and the line that it says."""

    def trained(**changes) -> tuple[int, str]:
        data = replace(ebgan_pt.data, source=str(changes.pop("source", labelled)))
        evaluation = replace(ebgan_pt.evaluation, every=10**9, samples=8)
        config = tmp_path / "config.yaml"
        config.write_text(replace(ebgan_pt, data=data, evaluation=evaluation, **changes).to_yaml())
        code = command(["train", str(config), str(tmp_path / "out"), "--device", "cpu"])
        return code, capsys.readouterr().err.splitlines()[-1]

    return trained


def test_missing_data_end_the_command_with_3(train, tmp_path) -> None:
    code, said = train(source=tmp_path / "nowhere.npz")
    assert code == 3
    assert "nowhere.npz" in said


def test_a_run_without_a_valid_checkpoint_ends_the_command_with_4(train, tmp_path) -> None:
    folder = tmp_path / "out" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "000000000024.ckpt").write_bytes(b"")
    code, said = train()
    assert code == 4
    assert "000000000024.ckpt" in said


def test_a_divergence_ends_the_command_with_6(train, tmp_path) -> None:
    code, said = train(optimisers=Optimisers(discriminator=SGD(lr=1e30), generator=SGD(lr=1e30)))
    assert code == 6
    assert "energy_real" in said
    assert not files(tmp_path / "out")


def test_a_locked_folder_ends_the_command_with_9(train, tmp_path) -> None:
    with run_lock(tmp_path / "out" / "lock"):
        code, said = train()
    assert code == 9
    assert f"process {os.getpid()}" in said


def test_a_changed_config_ends_the_command_with_2(train, tmp_path, ebgan_pt) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.yaml").write_text(replace(ebgan_pt, batch=6).to_yaml())
    code, said = train()
    assert code == 2
    assert "batch: 6, now 12" in said
