"""What every test has: signatures that are checked while it runs, one thread, and a cache folder of the tests' own."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(REWRITE, action="store_true", help="store the losses of the golden runs instead of comparing them")


def pytest_configure(config: pytest.Config) -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


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
