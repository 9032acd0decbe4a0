"""No name and no path in a run, a config or a sweep is imported: a stranger's run runs no code of its own."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import ebgan
from ebgan.cli.main import run
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets, read_experiment
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.storage.runfolder import RunFolder
from ebgan.sweeps import SweepStore, Trial

NAMES = ["trap:Mine", "trap.py:Mine", "{here}/trap.py:Mine", "trapped.inner:Mine", "trap", "trapped.inner.Mine"]
NAMES += ["os:system", "ebgan.objectives:EBGAN", "ebgan:load", "__main__:Mine", "trap.py:Mine.__init__", "trap:"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    nets = Nets(generator=MLPGenerator(width=8, noise=4), discriminator=MLPAutoencoder(width=8))
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    experiment = Experiment(nets=nets, images=64, evaluation=Evaluation(samples=20, grid=4))
    folder = tmp_path_factory.mktemp("runs") / "run"
    ebgan.train(experiment, folder, data=images, device="cpu")
    return folder


@pytest.fixture
def trapped(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the run, and modules within reach that leave a trace when they are imported."""
    shutil.copytree(trained, tmp_path / "run")
    trace = f"from pathlib import Path\nPath({str(tmp_path / 'imported')!r}).touch()\n"
    (tmp_path / "trapped").mkdir()
    for name in ("trap.py", "trapped/__init__.py", "trapped/inner.py", "run/trap.py"):
        (tmp_path / name).write_text(f"{trace}def grid(): ...\ndef make(): ...\nclass Mine: ...\n")
    (tmp_path / "run" / "code.txt").write_text(f"{tmp_path}/trap.py\ntrap.py\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(folder: Path) -> bool:
    return (folder / "imported").exists() or bool({"trap", "trap.py", "trapped", "trapped.inner"} & set(sys.modules))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["MLPAutoencoder", "EBGAN", "Prior", "AutoencoderEnergy", "Adam"])
def test_no_class_in_a_config_is_imported(trapped: Path, name: str, field: str) -> None:
    config = RunFolder(trapped / "run").config
    text = config.read_text()
    assert f"type: {field}\n" in text
    config.write_text(text.replace(f"type: {field}\n", f"type: '{name.format(here=trapped)}'\n"))
    with pytest.raises(UsageError, match=r"config.yaml, line \d+: [a-z.]+type: "):
        read_experiment(config)
    assert not imported(trapped)


VERBS = [
    *(["sample", "run"], ["score", "run", "digits"], ["evaluate", "run"], ["classify", "run", "digits"]),
    *(["chain", "run"], ["train", "run/config.yaml", "again"], ["calibrate", "run/config.yaml"]),
]


def test_no_verb_imports_what_a_run_names(trapped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = RunFolder(trapped / "run").config
    config.write_text(config.read_text().replace("type: EBGAN\n", "type: trap.py:Mine\n"))
    for words in VERBS:
        assert run(words) == UsageError.exit_code
        said = capsys.readouterr().err
        assert "objective.type: 'trap.py:Mine': a class of a file: give the file by --code trap.py" in said
        assert said.endswith(f"The run was made from {trapped}/trap.py, trap.py\n")
        assert not imported(trapped)
    assert run(["report", "run"]) == 0
    assert not imported(trapped)


@pytest.mark.parametrize("name", ["trap.py:grid", "{here}/trap.py:grid", "strange.grid"])
def test_no_grid_that_a_sweep_names_is_imported(trapped: Path, install, name: str) -> None:
    install("strange", {"ebgan.recipes": {"strange.grid": "trap:grid"}})
    with SweepStore(trapped / "sweep" / "trials.sqlite") as store:
        store.expect([Trial("one", Experiment())])
        store.state(grid=name.format(here=trapped), scale="cpu")
    assert run(["report", "sweep"]) == 0
    assert not imported(trapped)


def test_of_an_installed_package_only_what_it_announces_is_imported(trapped: Path, install) -> None:
    """Also where a config names a module of the same package, or another name in the module that is announced."""
    install("sound", {"ebgan.objectives": {"Sound": "sound:Sound"}}, sound="class Sound: ...\n")
    (trapped / "installed" / "trapped").mkdir()
    for name in ("sound.inner:Mine", "sound:Other", "trapped.inner:Mine"):
        (trapped / "mine.yaml").write_text(f"objective: {{type: '{name}'}}")
        with pytest.raises(UsageError, match=r"no installed package announces this class"):
            read_experiment(trapped / "mine.yaml")
    assert not imported(trapped)


def test_a_file_is_run_only_where_the_user_gives_it(trapped: Path) -> None:
    with pytest.raises(UsageError, match=r"trapped/inner.py: there is no such file"):
        ebgan.load("run", code="run/trapped/inner.py")
    assert not imported(trapped)
    ebgan.load("run", code="trap.py", device="cpu")
    assert (trapped / "imported").exists()
    del sys.modules["trap.py"]
