from pathlib import Path

import pytest

import ebgan
from ebgan import Experiment, Run
from ebgan.errors import DivergedError
from ebgan.objectives import LossSensitiveGAN
from ebgan.recipes import find
from ebgan.recipes.methods import METHODS
from ebgan.reproductions import comparison as contest_module
from ebgan.reproductions.comparison import STAGES, Comparison, pictures, spread
from ebgan.storage.runfolder import RunFolder, read_records


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return Comparison(tmp_path_factory.mktemp("contest"), seeds=2, images=256)


def test_an_entry_holds_one_number_a_seed_for_each_measure_of_its_stage(contest: Comparison) -> None:
    entry = contest.entry("toy.ring", "magan")
    assert list(entry.measures) == [*STAGES["toy.ring"], "seconds"]
    assert {len(numbers) for numbers in entry.measures.values()} == {2}
    folder = RunFolder(contest.out / "toy.ring.magan" / "seed1")
    assert read_records(folder.evaluations)[-1]["metrics"]["reverse_kl"] == entry.measures["reverse_kl"][1]
    assert entry.measures["reverse_kl"][0] != entry.measures["reverse_kl"][1]
    assert entry.row()[0] == "MAGAN"


def test_a_second_call_reads_what_is_trained(contest: Comparison) -> None:
    first = contest.entry("toy.ring", "gan")
    kept = sorted((contest.out / "toy.ring.gan" / "seed0" / "checkpoints").glob("0*.ckpt"))
    before = [path.stat().st_mtime_ns for path in kept]
    assert contest.entry("toy.ring", "gan").measures == first.measures
    assert [path.stat().st_mtime_ns for path in kept] == before != []


def test_a_short_run_has_a_pretraining_no_longer_than_itself(contest: Comparison) -> None:
    contest.entry("toy.ring", "magan")
    folder = RunFolder(contest.out / "toy.ring.magan" / "seed0")
    assert read_records(folder.stats)[-1]["images"] == 2 * 256


def test_the_pictures_of_a_stage_stand_side_by_side(contest: Comparison) -> None:
    entries = [contest.entry("toy.ring", rival) for rival in ("gan", "magan")]
    both = pictures(entries)
    assert both.width > 2 * entries[0].picture.width
    assert both.height > entries[0].picture.height


def test_a_spread_is_a_mean_and_a_standard_deviation() -> None:
    assert spread([1.0, 3.0]) == "2 +- 1.4"
    assert spread([0.25]) == "0.25"


@pytest.mark.parametrize("stage", STAGES)
def test_all_objectives_meet_on_the_same_data_with_the_same_generator_for_as_many_images(stage: str) -> None:
    made = [find(f"{stage}.{rival}").make() for rival in METHODS]
    assert len({(each.data, each.nets.generator, each.batch, each.images - each.pretraining) for each in made}) == 1
    assert len({each.objective for each in made}) == len(METHODS) - 1  # VGAN enters twice, with 1 and 3 turns


def test_a_run_that_diverges_is_told_and_left_out_and_the_others_go_on(tmp_path: Path, monkeypatch) -> None:
    def train(experiment: Experiment, out: Path) -> Run:
        if experiment.seed == 0 or isinstance(experiment.objective, LossSensitiveGAN):
            raise DivergedError("diverged in the step before 64 images seen")
        return ebgan.train(experiment, out)

    monkeypatch.setattr(contest_module, "train", train)
    heard: list[str] = []
    made = Comparison(tmp_path, seeds=2, images=256)
    some, none = (made.entry("toy.ring", rival, heard.append) for rival in ("ebgan_pt", "loss_sensitive"))
    assert (some.row()[0], len(some.measures["modes_covered"])) == ("EBGAN-PT (1 diverged)", 1)
    assert none.row() == ["The loss-sensitive GAN (2 diverged)", "", "", "", ""]
    assert heard.count("diverged in the step before 64 images seen") == 3
    assert pictures([some, none]).tobytes() == pictures([some]).tobytes()


@pytest.mark.parametrize("stage", ["toy.ring", "mnist_comparison"])
def test_the_learning_rates_of_all_fall_at_the_same_point_of_the_game(stage: str) -> None:
    made = [find(f"{stage}.{rival}").make() for rival in METHODS]
    falls = [(each.optimisers.generator.decay, each.pretraining) for each in made]
    if stage == "mnist_comparison":
        assert {fall for fall, _ in falls} == {None}
    else:
        assert len({(fall.begin - first, fall.finish - first) for fall, first in falls}) == 1
