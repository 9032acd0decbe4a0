"""The page of a sweep: what it shows of finished and unfinished trials, from the store alone."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.recipes import find_grid
from ebgan.recipes.grid_figures import BOUNDS, FIGURES
from ebgan.report import png
from ebgan.report.shares import share_columns, shares
from ebgan.report.sweep import write_sweep_page
from ebgan.report.trials import SweepRecord, TrialRecord
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import Grid, Halving, Result, SweepStore
from ebgan.sweeps.summary import trial_records, write_sweep_report
from ebgan.training.optim import SGD, Adam

GRID: Grid = find_grid("mnist_grid").make("tiny")


def picture(shade: int) -> bytes:
    return png(Image.fromarray(np.full((4, 4), shade, np.uint8)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    """A sweep whose scores follow from the depth of the generator; some trials diverged, failed, or are to come."""
    made = SweepFolder(tmp_path_factory.mktemp("sweep"))
    with SweepStore(made.trials) as store:
        trials = list(GRID.trials())
        store.state(grid="mnist_grid", scale="tiny")
        store.expect(trials)
        for place, trial in enumerate(trials[:-10]):
            score = trial.experiment.nets.generator.depth / 2.0
            result = Result("done", score, {"i_usual": score, "i_usual_real": 2.2}, 1.5, 100.0, picture(place % 256))
            store.finish({trial.id: Result("diverged", error="at 640") if place == 40 else result})
        store.finish({trials[-1].id: Result("failed", error="no memory <b>")})
    return made


@pytest.fixture(scope="module")
def page(folder: SweepFolder) -> str:
    return write_sweep_report(folder, FIGURES).read_text("utf-8")


def test_the_head_counts_the_trials(page: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "mnist_grid tiny" in text
    assert "Trials finished 406 of 416" in text
    assert "Diverged 1" in text
    assert "Failed 1" in text


def test_every_trial_is_in_the_table_with_its_words_escaped(page: str) -> None:
    table = page[page.index('<table id="trials">') :]
    assert table.count("<tr>") == 417
    assert "no memory &lt;b&gt;" in table


def test_the_page_asks_nothing_of_anyone(page: str) -> None:
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "default-src 'none'" in page


def test_there_is_a_panel_for_all_one_for_shallow_nets_and_twelve_for_the_optimisers(page: str) -> None:
    titles = re.findall(r"<figcaption><strong>(.*?)</strong>", page)
    assert titles[0] == "All trials: n = 32 EBGAN (paper 512), 374 GAN (paper 6,144)"
    titles = [title.partition(": n = ")[0] for title in titles]
    assert titles[:3] == ["All trials", "At most 3 weight layers in either net", "GAN: D Adam, G Adam, lr 0.01"]
    assert sum(title.startswith("GAN: D ") for title in titles) == 12


def test_panels_of_optimisers_have_one_order_whichever_trials_are_there(tmp_path: Path, page: str) -> None:
    made = SweepFolder(tmp_path)
    with SweepStore(made.trials) as store:
        trials = list(find_grid("mnist_grid.gan").make("tiny").trials())[::-7]
        store.expect(trials)
        store.finish({trial.id: Result("done", 1.0, {"i_usual": 1.0, "i_usual_real": 2.2}) for trial in trials})
    some, whole = (
        re.findall(r"<strong>(GAN: D .*?)(?:: n = .*)?</strong>", text)
        for text in (write_sweep_report(made, FIGURES).read_text(), page)
    )
    assert some == whole


def test_the_paper_stands_beside_each_share(page: str) -> None:
    (line,) = re.findall(r"<tr><td>failed: I&#39; under 0.23</td>(.*?)</tr>", page)
    assert re.findall(r">([\d.]+ %.*?)<", line) == ["0 % (0 to 11)", "62 %", "0.267 % (0 to 1)", "91 %"]


def test_samples_are_those_of_the_best_median_and_worst_of_each_family(page: str) -> None:
    titles = re.findall(r"<figcaption><strong>(E?B?GAN, \w+: [\w.]+)</strong>", page)
    assert titles == [
        *("EBGAN, best: 2.000", "EBGAN, median: 1.000", "EBGAN, worst: 1.000"),
        *("GAN, best: 2.000", "GAN, median: 1.000", "GAN, worst: diverged"),
    ]


def test_trials_that_diverged_are_ranked_last_and_have_no_samples(tmp_path: Path) -> None:
    made = SweepFolder(tmp_path)
    trials = list(find_grid("mnist_grid.ebgan").make("tiny").trials())[:5]
    with SweepStore(made.trials) as store:
        store.expect(trials)
        for place, trial in enumerate(trials):
            good = Result("done", 1.0 + place, {"i_usual": 1.0 + place, "i_usual_real": 2.2}, picture=picture(place))
            store.finish({trial.id: good if place < 2 else Result("diverged")})
    page = write_sweep_report(made).read_text("utf-8")
    assert re.findall(r"<strong>(EBGAN, .*?)</strong>", page) == [
        "EBGAN, best: 2.000",
        "EBGAN, median: diverged",
        "EBGAN, worst: diverged",
    ]
    assert page.count("<img") == 1


def test_one_trial_has_its_best_title_alone(tmp_path: Path) -> None:
    made = SweepFolder(tmp_path)
    with SweepStore(made.trials) as store:
        trials = list(GRID.trials())[:1]
        store.expect(trials)
        store.finish({trials[0].id: Result("done", 1.0, {"i_usual": 1.0, "i_usual_real": 2.2}, picture=picture(0))})
    page = write_sweep_report(made).read_text("utf-8")
    assert re.findall(r"<strong>(E?B?GAN, .*?)</strong>", page) == ["EBGAN, best: 1.000"]


def test_a_field_that_only_some_trials_have_is_an_axis_too(tmp_path: Path) -> None:
    either = (Adam(lr=0.01), SGD(lr=0.01), SGD(lr=0.01, momentum=0.9))
    for order in (either, either[::-1]):
        made = SweepFolder(tmp_path / type(order[0]).__name__)
        grid = Grid(base=GRID.base, axes={"optimisers.discriminator": order})
        with SweepStore(made.trials) as store:
            store.expect(grid.trials())
            settings = [tuple(record.settings.items()) for record in trial_records(store.rows())]
        assert len(set(settings)) == 3
        assert "momentum" in write_sweep_report(made).read_text("utf-8")


def swept(out: Path, **axes: tuple[object, ...]) -> SweepFolder:
    """A sweep whose trials all have a result."""
    made = SweepFolder(out)
    trials = list(Grid(base=GRID.base, axes={path.replace("__", "."): axes[path] for path in axes}).trials())
    with SweepStore(made.trials) as store:
        store.expect(trials)
        store.finish({trial.id: Result("done", 1.0, {"i_usual": 1.0, "i_usual_real": 2.2}) for trial in trials})
    return made


def test_an_axis_of_tuples_has_its_place_on_the_page(tmp_path: Path) -> None:
    page = write_sweep_report(swept(tmp_path, data__limits=((0.0, 1.0), (-1.0, 1.0)))).read_text("utf-8")
    assert "[-1.0, 1.0]" in page


def test_axes_of_one_name_are_told_by_their_whole_paths(tmp_path: Path) -> None:
    made = swept(tmp_path, batch=(8, 16), labelled__batch=(10, 20))
    with SweepStore(made.trials) as store:
        found = [dict(record.settings) for record in trial_records(store.rows())]
    assert found == [{"batch": b, "labelled.batch": c} for b in (8, 16) for c in (10, 20)]


def test_shares_stand_under_the_name_of_their_family_whatever_the_order_of_trials() -> None:
    def trial(family: str, images: int, score: float) -> TrialRecord:
        metrics = {"i_usual": score, "i_usual_real": 2.2}
        return TrialRecord(f"{family}{images}", family, "done", {}, score, metrics, 1.0, "", images)

    trials = [trial("GAN", 640, 0.1), trial("EBGAN", 64, 2.0), trial("GAN", 64, 0.1)]
    record = SweepRecord("", trials, [], [], BOUNDS, "1 of 10 goes on")
    assert share_columns(record) == ["GAN, n = 1 (95 % interval)", "EBGAN, n = 1 (95 % interval)"]
    assert next(line.cells for line in shares(record) if line.label == "I' above 1.0") == [
        "0 % (0 to 79)",
        "100 % (21 to 100)",
    ]


def test_an_axis_is_a_field_that_differs_within_its_family_named_once(folder: SweepFolder) -> None:
    with SweepStore(folder.trials) as store:
        records = trial_records(store.rows())
    nets = ["generator.depth", "generator.width", "discriminator.depth", "discriminator.width", "discriminator.dropout"]
    ebgan = next(record for record in records if record.family == "EBGAN")
    gan = next(record for record in records if record.family == "GAN")
    assert sorted(ebgan.settings) == sorted(nets)
    assert sorted(gan.settings) == sorted([*nets, "optimisers.discriminator", "optimisers.generator", "lr"])


def test_a_sweep_without_any_result_has_a_page_too(tmp_path: Path) -> None:
    with SweepStore(SweepFolder(tmp_path).trials) as store:
        store.expect(list(GRID.trials())[:3])
    page = write_sweep_report(SweepFolder(tmp_path)).read_text("utf-8")
    assert "of 3" in page


def test_each_setting_is_looked_up_a_few_times_however_many_trials_there_are(tmp_path: Path) -> None:
    lookups = 0

    class Settings(dict[str, int]):
        def get(self, key: str, default: int | None = None) -> int | None:
            nonlocal lookups
            lookups += 1
            return super().get(key, default)

    trials = [TrialRecord(f"{at}", "GAN", "done", Settings(depth=at % 4), 1.0, {}, 1.0, "", 640) for at in range(200)]
    write_sweep_page(tmp_path / "report.html", SweepRecord("grid", trials, [], []))
    assert lookups < 20 * len(trials)


def test_pictures_are_whole(folder: SweepFolder) -> None:
    with SweepStore(folder.trials) as store:
        content = store.picture(store.rows()[0].id)
    assert content is not None
    assert Image.open(io.BytesIO(content)).size == (4, 4)


def test_trials_that_were_halved_are_drawn_rung_by_rung_and_the_first_speaks_for_the_grid(tmp_path: Path) -> None:
    trials = list(find_grid("mnist_grid.ebgan").make("tiny").trials())[:9]
    made = SweepFolder(tmp_path)
    halving = Halving(eta=3, rungs=2)
    with SweepStore(made.trials) as store:
        store.state(grid="mnist_grid.ebgan", halving=str(halving))
        for rung in halving.climb(trials, store.scores):
            store.add(rung.trials)
            for place, trial in enumerate(rung.trials):
                metrics = {"i_usual": 0.1 * place, "i_usual_real": 2.2}
                store.finish({trial.id: Result("done", 0.1 * place + 1.0 * (not rung.above), metrics)})
    page = write_sweep_report(made, FIGURES).read_text("utf-8")
    titles = re.findall(r"<figcaption><strong>(.*?)</strong>", page)
    assert titles[:2] == ["9 trials of 853 images", "3 trials of 2,560 images"]
    assert "images" not in titles
    (line,) = re.findall(r"<tr><td>I&#39; above 0.5</td>(.*?)</tr>", page)
    assert re.findall(r">([\d.]+ %.*?)<", line) == ["33.3 % (12 to 65)"]
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Halving 1 of 3 goes on, 2 rungs shares and effects are of the first rung" in text
    assert "With 853 images 9 of 9 With 2,560 images 3 of 3" in text
    assert "<th>images</th>" in page
    assert "EBGAN, paper" not in page


@pytest.mark.parametrize(("metrics", "label"), [({}, "score"), ({"i_usual": 1.0, "i_usual_real": 2.2}, "I'")])
def test_a_sweep_of_any_score_has_its_histogram_and_no_bounds_of_a_paper(
    tmp_path: Path, metrics: dict[str, float], label: str
) -> None:
    made = SweepFolder(tmp_path)
    trials = list(Grid(base=GRID.base, axes={"seed": (0, 1, 2)}).trials())
    with SweepStore(made.trials) as store:
        store.expect(trials)
        store.finish({trial.id: Result("done", -10.0 * place, metrics) for place, trial in enumerate(trials)})
    page = write_sweep_report(made).read_text("utf-8")
    assert re.findall(r"<figcaption><strong>(.*?)</strong>", page)[0] == "All trials"
    assert "EBGAN, 3" in page
    assert f">{label}<" in page
    assert "failed: I" not in page


def test_trials_without_scores_have_no_histogram(tmp_path: Path) -> None:
    made = SweepFolder(tmp_path)
    trials = list(GRID.trials())[:2]
    with SweepStore(made.trials) as store:
        store.expect(trials)
        store.finish({trials[0].id: Result("done", None), trials[1].id: Result("diverged")})
    assert "All trials" not in write_sweep_report(made).read_text("utf-8")
