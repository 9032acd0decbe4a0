"""What every test has: signatures that are checked while it runs, one thread, and a cache folder of the tests' own."""

import math
import os
import re
import signal
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

# Before NumPy and torch start their threads: two workers of two threads each would wait for each other on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook
from torch import distributed

from ebgan import packages

# Before any test imports the package: shapes and types of these rooms' signatures are then checked at each call.
CHECKED = ("nets", "energies", "samplers", "objectives", "training", "metrics", "randomness", "schedules", "run")
NUMBER = "beartype.typing.Union[float, int, 'torch.Tensor']"  # a float field may hold a tensor [*models]
OVERRIDES = f"beartype.BeartypeHintOverrides({{float: {NUMBER}}})"
install_import_hook(
    [f"ebgan.{room}" for room in CHECKED],
    f"beartype.beartype(conf=beartype.BeartypeConf(hint_overrides={OVERRIDES}))",
)

# The same examples in every run, however slow the machine, and none kept in the checkout.
settings.register_profile("steady", max_examples=25, deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

REWRITE = "--rewrite-golden"
CORE_MINUTES = 52  # that all tests took of one core of an Intel Xeon at 2.0 GHz, which other work shared in part
MOST_WORKERS = 8  # each takes up to 1 GB of memory


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(REWRITE, action="store_true", help="store the losses of the golden runs instead of comparing them")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests themselves run under nohup
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def pytest_xdist_auto_num_workers() -> int:
    """One worker for each core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say how long all tests will take, where all were asked for."""
    config = session.config
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if everything and config.option.markexpr == "not slow" and terminal and not hasattr(config, "workerinput"):
        workers = max(len(config.option.tx), 1)
        each = f"{workers} worker{'s' * (workers > 1)}"
        terminal.write_line(f"all tests but the slow ones: about {math.ceil(CORE_MINUTES / workers)} min with {each}")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that goes with the session: no test reads or writes the user's."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: $EBGAN_DATA, or `shared/data` beside the checkout."""
    named = os.environ.get("EBGAN_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: set EBGAN_DATA")
    return folder


@pytest.fixture
def package_of_the_docs(tmp_path: Path) -> Path:
    """A folder with the package of docs/extending.md, as `pip install --target` would leave it."""
    page = (Path(__file__).parents[1] / "docs" / "extending.md").read_text("utf-8")
    folder = tmp_path / "site"
    for name, text in re.findall(r'^```python title="(.*?)"\n(.*?)^```', page, re.DOTALL | re.MULTILINE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (project,) = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    announce(folder, "relative", tomllib.loads(project)["project"]["entry-points"])
    return folder


def announce(folder: Path, package: str, entry_points: dict[str, dict[str, str]]) -> None:
    """Write what an installer writes of a package: its name, and its entry points by group."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    groups = [
        f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in names.items()) for group, names in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install packages for one test: `install("name", {group: {name: value}}, module="text of module.py")`."""
    folder, before = tmp_path / "installed", set(sys.modules)
    monkeypatch.syspath_prepend(folder)
    packages.offered.cache_clear()

    def one(package: str, entry_points: dict[str, dict[str, str]], **modules: str) -> Path:
        announce(folder, package, entry_points)
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text, "utf-8")
        packages.offered.cache_clear()
        return folder

    yield one
    packages.offered.cache_clear()
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def folder_of_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder of a user who writes Python files; what they load is forgotten afterwards."""
    folder = tmp_path / "my code"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class Ranks:
    """Forked processes that train together, with one thread each."""

    UNEXPECTED = 99  # how one ends that meets an error that is not for a user

    def __init__(self, folder: Path) -> None:
        self.folder, self.meetings = folder, count()

    def __call__(self, ranks: int, work: Callable[..., object], timeout: float = 100.0, limit: int = 100) -> list[int]:
        """The exit codes of processes that did `work(rank)`; `timeout` and `limit`, for all, are in seconds."""
        return self.ended(self.started(ranks, work, timeout, limit))

    def started(self, ranks: int, work: Callable[..., object], timeout: float = 100.0, limit: int = 100) -> list[int]:
        """The process ids of such processes, which are under way."""
        store = self.folder / f"meeting {next(self.meetings)}"
        children = []
        for index in range(ranks):
            pid = os.fork()
            if pid == 0:
                signal.alarm(limit)  # one that waits for ever for another ends
                os._exit(self._joined(index, ranks, work, store, timeout))
            children.append(pid)
        return children

    def ended(self, children: list[int]) -> list[int]:
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]

    def _joined(self, index: int, ranks: int, work: Callable[..., object], store: Path, timeout: float) -> int:
        from ebgan.distributed import RankLostError, rank
        from ebgan.distributed.alone import prepare
        from ebgan.errors import EbganError

        torch.set_num_threads(1)
        distributed.init_process_group(
            "gloo", init_method=f"file://{store}", rank=index, world_size=ranks, timeout=timedelta(seconds=timeout)
        )
        prepare(timeout / 60)
        code = 0
        try:
            work(rank())
        except EbganError as error:
            code = error.exit_code
        except BaseException:
            traceback.print_exc()
            return self.UNEXPECTED
        if code != RankLostError.exit_code:
            with suppress(RuntimeError):  # the others may have ended
                distributed.barrier()
        distributed.destroy_process_group()
        return code


@pytest.fixture
def on_ranks(tmp_path: Path) -> Ranks:
    """What does the same work in several processes that train together."""
    return Ranks(tmp_path)
