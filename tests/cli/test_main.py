import os
import re
import resource
import subprocess
import sys

import pytest

from ebgan.cli.arguments import NO_CACHE
from ebgan.cli.main import VERBS, main, run
from ebgan.data import cache_folder


def line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that was said on stderr."""
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_help_names_every_verb(capsys):
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


def test_help_does_not_load_torch_and_is_quick():
    command = "import sys; from ebgan.cli.main import run; run(['--help']); sys.exit('torch' in sys.modules)"
    times = []
    for _ in range(3):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime  # the processor's: others may use it too
        assert subprocess.run([sys.executable, "-c", command], check=False, capture_output=True).returncode == 0
        times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begun)
    assert min(times) < 0.5


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_of_its_own(verb, capsys):
    with pytest.raises(SystemExit) as leaving:
        run([verb, "--help"])
    assert leaving.value.code in (0, None)
    assert f"ebgan {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verb", "order"),
    [
        ("train", "RECIPE [OUT]"),
        ("calibrate", "RECIPE"),
        ("score", "RUN IMAGES..."),
        ("classify", "RUN IMAGES..."),
        ("sweep", "GRID [OUT]"),
        ("reproduce", "[NAME] [OUT]"),
        ("pack", "SRC DEST"),
        ("data", "get NAME"),
    ],
)
def test_the_help_has_the_arguments_in_the_order_in_which_they_are_given(verb, order, capsys):
    with pytest.raises(SystemExit):
        run([verb, "--help"])
    usage = capsys.readouterr().out.partition("\n\n")[0]
    words = re.sub(r"\[-h\]|\[OPTIONS\]|\[--[^\]]*\]", "", usage).split()
    assert " ".join(words) == f"usage: ebgan {verb} {order}"


@pytest.mark.parametrize(("given", "spins"), [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7")])
def test_threads_do_not_hold_a_core_that_others_need(given, spins, monkeypatch, capsys):
    environment = dict(given)
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(sys, "argv", ["ebgan", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert environment["GOMP_SPINCOUNT"] == spins


def test_no_verb_at_all_is_a_usage_error():
    assert run([]) == 2


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["trian", "digits"], 2, "did you mean 'train'"),
        (["train"], 2, "RECIPE"),
        (["train", "digitz"], 2, "did you mean digits"),
        (["train", "mnist.lsgan"], 2, "recipes NAME.loss_sensitive), and the least-squares GAN of Mao et al., 2017"),
        (["train", "LS-GAN"], 2, "two objectives go by that name"),
        (["reproduce", "lsgan"], 2, "two objectives go by that name"),
        (["train", "runs/a", "digits"], 2, "the recipe comes first: `ebgan train digits runs/a`"),
        (["train", "digits", "--data.flip", "False"], 2, "False: read as the run folder"),
        (["train", "digits", "--objective.margn", "3"], 2, "--objective.margin"),
        (["train", "digits", "--images", "many"], 2, "--images"),
        (["train", "digits", "--images", "0"], 2, "images=0"),
        (["train", "digits", "--energy.unit", "norms"], 2, "norm"),
        (["train", "digits", "--nets.generator.depth", "1"], 2, "depth=1"),
        (["train", "digits", "--device", "tpu"], 2, "--device tpu"),
        (["train", "digits", "--data.channels", "4"], 2, "data.channels=4: expected 1 (grey) or 3 (colour)"),
        (["train", "digits", "--devices", "0"], 2, "devices=0: expected at least 1"),
        (["train", "digits", "--seed", "18446744073709551616"], 2, "seed=18446744073709551616"),
        (["train", "digits", "--data.crop", "8", "--size", "0"], 2, "data.size=0"),
        (["train", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["train", "digits", "--data", "nowhere"], 3, "nowhere"),
        (["train", "semisupervised.folder"], 3, "pictures: these are your own pictures: give their folder or archive"),
        (["train", "folder.ebgan_pt"], 3, "by --data PATH"),
        (["sample", "nowhere"], 2, "nowhere"),
        (["sample"], 2, "RUN"),
        (["evaluate", "nowhere"], 2, "nowhere"),
        (["evaluate", "nowhere", "--samples", "1"], 2, "--samples 1: expected at least 2"),
        (["score", "nowhere", "digits"], 2, "nowhere"),
        (["report", "nowhere"], 2, "nowhere"),
        (["calibrate", "mnist.gan", "--data", "digits"], 2, "LogisticEnergy"),
        (["data", "get", "imagenet"], 2, "imagenet"),
    ],
)
def test_a_wrong_command_gets_one_line_and_its_exit_code(command, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(command) == code
    assert words in line(capsys)


def test_what_the_system_refuses_is_one_line(capsys, monkeypatch):
    def refuse(argv):
        raise PermissionError(13, "Permission denied", "/closed/photos")

    monkeypatch.setattr("ebgan.cli.recipes.main", refuse)
    assert run(["recipes"]) == 3
    assert line(capsys).strip() == "ebgan: /closed/photos: Permission denied"


def test_a_wrong_field_of_a_config_names_file_and_line(capsys, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("data:\n  source: digits\nimagez: 100\n")
    assert run(["train", str(config), str(tmp_path / "run")]) == 2
    said = line(capsys)
    assert f"{config}, line 3: imagez" in said
    assert "did you mean 'images'" in said


@pytest.mark.parametrize(
    "verb", ["train", "calibrate", "sample", "evaluate", "score", "chain", "classify", "sweep", "reproduce"]
)
def test_every_verb_that_opens_data_can_do_without_the_cache(verb, capsys):
    with pytest.raises(SystemExit):
        run([verb, "--help"])
    assert "--no-cache" in capsys.readouterr().out


@pytest.mark.parametrize(("flags", "expected"), [(["--no-cache"], "1"), ([], None)])
def test_no_cache_is_told_to_all_processes(flags, expected, tmp_path, monkeypatch, capsys):
    assert NO_CACHE == cache_folder.NO_CACHE
    monkeypatch.setenv(NO_CACHE, "")  # so that it is put back
    monkeypatch.delenv(NO_CACHE)
    assert run(["train", "digits", str(tmp_path / "run"), "--images", "0", *flags]) == 2
    assert "images=0: expected at least 1" in line(capsys)
    assert run(["evaluate", str(tmp_path / "nowhere"), *flags]) != 0
    assert os.environ.get(NO_CACHE) == expected
