import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.cli.main import run
from ebgan.data import Packed, write_packed
from ebgan.recipes.catalogue import entries
from ebgan.storage.runfolder import RunFolder, read_records


def test_recipes_lists_each_with_paper_and_figure(capsys):
    assert run(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for entry, text in zip([*entries("recipe").values(), *entries("grid").values()], lines, strict=True):
        assert text.startswith(entry.name)
        assert entry.source in text


def test_train_fills_the_run_folder(trained):
    folder = RunFolder(trained)
    assert folder.report.stat().st_size > 10_000
    assert folder.real.exists()
    assert [images for images, _ in folder.grids()][-1] == 2560
    assert len(list(folder.checkpoints.glob("[0-9]*.ckpt"))) == 2
    assert read_records(folder.evaluations)[-1]["metrics"]["i_usual"] >= 0
    assert "margin" in read_records(folder.stats)[-1]


def test_train_says_where_everything_is_and_goes_on_when_asked_again(trained, capsys):
    before = (trained / "stats.jsonl").read_text()
    assert run(["train", str(trained / "config.yaml"), str(trained), "--device", "cpu"]) == 0
    said = capsys.readouterr()
    for path in ("samples/000002560.png", "report.html", "checkpoints/000000002560.ckpt"):
        assert str(trained / path) in said.out
    assert "going on from 2,560 images" in said.err
    assert (trained / "stats.jsonl").read_text() == before


def test_a_changed_config_is_refused_with_the_difference(trained, capsys):
    assert run(["train", str(trained / "config.yaml"), str(trained), "--objective.margin", "4"]) == 2
    assert "objective.margin: 3.0, now 4.0" in capsys.readouterr().err


def test_a_run_on_pieces_scores_the_centres_of_whole_images(tmp_path, capsys):
    narrow = ["--nets.generator.width", "32", "--nets.discriminator.width", "32", "--evaluation.samples", "100"]
    pieces = ["--data.size", "8", "--data.padding", "1", "--data.crop", "6", "--data.flip"]
    out = str(tmp_path / "run")
    np.savez(tmp_path / "plain.npz", images=real_digits(200))  # without labels, of which a classifier would be made
    pieces += ["--data", str(tmp_path / "plain.npz")]
    assert run(["train", "digits", out, "--images", "640", *narrow, *pieces, "--device", "cpu"]) == 0
    pixels = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    borders = pixels.copy()
    borders[..., 1:7, 1:7] = 0
    write_packed(tmp_path / "whole", Packed(pixels))
    write_packed(tmp_path / "centre", Packed(pixels - borders))
    rankings = []
    for name in ("whole", "centre"):
        assert run(["score", out, str(tmp_path / name), "--csv", str(tmp_path / "ranking.csv")]) == 0
        rankings.append((tmp_path / "ranking.csv").read_text())
    assert rankings[0] == rankings[1]
    assert len(rankings[0].splitlines()) == 4


def test_sample_draws_the_same_grid_for_the_same_seed(trained, tmp_path):
    one, two, other = (tmp_path / f"{name}.png" for name in ("one", "two", "other"))
    for path, seed in ((one, "5"), (two, "5"), (other, "6")):
        assert run(["sample", str(trained), "--count", "9", "--seed", seed, "--grid", str(path)]) == 0
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != other.read_bytes()


def test_sample_starts_transitions_from_the_images_that_are_given(transitions, tmp_path, capsys):
    np.savez(tmp_path / "dark.npz", images=np.zeros((2, 8, 8), np.uint8))
    own, dark = tmp_path / "own.png", tmp_path / "dark.png"
    assert run(["sample", str(transitions), "--count", "4", "--grid", str(own)]) == 0
    start = ["--from", str(tmp_path / "dark.npz")]
    assert run(["sample", str(transitions), "--count", "4", "--grid", str(dark), *start]) == 0
    sheets = [np.asarray(Image.open(path)) for path in (own, dark)]
    assert sheets[0].shape == sheets[1].shape == (98, 3 * 98 + 2 * 12)  # data, reconstructions, samples
    assert sheets[0][:48, :48].max() > 0
    assert sheets[1][:48, :48].max() == 0


def test_sample_of_a_run_from_noise_refuses_images_to_start_from(trained, capsys):
    assert run(["sample", str(trained), "--from", "digits"]) == 2
    assert "--from digits: the samples of this run start from noise" in capsys.readouterr().err


def test_sample_writes_one_picture_a_sample_in_the_data_s_size(trained, tmp_path):
    assert run(["sample", str(trained), "--count", "3", "--out", str(tmp_path)]) == 0
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 3
    assert Image.open(pictures[0]).size == (8, 8)


def test_evaluate_prints_json_and_a_table(trained, capsys):
    assert run(["evaluate", str(trained), "--samples", "100", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert sum(record["histogram"]) == pytest.approx(1)
    assert run(["evaluate", str(trained), "--samples", "100"]) == 0
    assert "FID, classifier" in capsys.readouterr().out


def test_evaluate_refuses_other_data(trained, tmp_path, capsys):
    np.savez(tmp_path / "other.npz", images=np.zeros((10, 8, 8), np.uint8))
    assert run(["evaluate", str(trained), "--data", str(tmp_path / "other.npz")]) == 3
    assert "--data" in capsys.readouterr().err


def test_score_ranks_noise_above_digits_and_measures_it(trained, tmp_path, capsys):
    digits, noise = tmp_path / "images" / "digits", tmp_path / "images" / "noise"
    write_pictures(digits, real_digits(12))
    write_pictures(noise, np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8))
    ranking, maps = tmp_path / "ranking.csv", tmp_path / "maps"
    command = ["score", str(trained), str(tmp_path / "images"), "--csv", str(ranking), "--maps", str(maps)]
    assert run([*command, "--normal", "digits"]) == 0
    rows = list(csv.DictReader(ranking.open()))
    assert [float(row["energy"]) for row in rows] == sorted((float(row["energy"]) for row in rows), reverse=True)
    better = [int(a) < int(b) for a in ranks(rows, "noise") for b in ranks(rows, "digits")]
    assert np.mean(better) > 0.7
    assert f"AUROC {np.mean(better):.4f}" in capsys.readouterr().out
    assert len(list(maps.rglob("*.png"))) == 24


def test_maps_stay_in_their_folder_and_none_overwrites_another(trained, tmp_path, capsys):
    hostile = Packed(np.zeros((3, 1, 8, 8), np.uint8), names=("../out.png", str(tmp_path / "absolute.png"), "out.jpg"))
    write_packed(tmp_path / "hostile.pack", hostile)
    assert run(["score", str(trained), str(tmp_path / "hostile.pack"), "--maps", str(tmp_path / "maps")]) == 0
    assert {path.name for path in tmp_path.rglob("*.png")} == {
        "000000-out.png",
        "000001-absolute.png",
        "000002-out.png",
    }
    assert {path.parent.name for path in tmp_path.rglob("*.png")} == {"maps"}


def test_any_field_can_be_changed_the_turns_too(tmp_path, capsys):
    small = ["--images", "128", "--nets.generator.width", "8", "--evaluation.samples", "10", "--device", "cpu"]
    assert run(["train", "digits", str(tmp_path), *small, "--turns.discriminator", "2"]) == 0
    assert "  discriminator: 2" in (tmp_path / "config.yaml").read_text()


def test_images_of_several_sources_are_told_apart_and_unknown_classes_count_in_none(trained, tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name / "1.png")
    labels = np.array([-1] * 4 + [0, 1])
    np.savez(tmp_path / "some.npz", images=np.zeros((6, 8, 8), np.uint8), labels=labels)
    table = tmp_path / "ranking.csv"
    sources = [str(tmp_path / name) for name in ("a/1.png", "b", "some.npz")]
    assert run(["score", str(trained), *sources, "--csv", str(table), "--normal", "1"]) == 0
    rows = list(csv.DictReader(table.open()))
    assert {sources[0], f"{sources[1]}/1.png", f"{sources[2]}/[0]"} <= {row["image"] for row in rows}
    assert sorted(row["class"] for row in rows) == [""] * 6 + ["0", "1"]
    assert "AUROC 0.5000 of 1" in capsys.readouterr().out


def test_a_run_scores_the_images_that_it_was_trained_on_if_these_are_not_square(tmp_path, capsys):
    np.savez(tmp_path / "wide.npz", images=np.zeros((40, 8, 12), np.uint8))
    wide, out = str(tmp_path / "wide.npz"), str(tmp_path / "run")
    assert run(["train", "digits", out, "--data", wide, "--images", "128", "--evaluation.grid", "4"]) == 0
    assert run(["score", out, wide]) == 0


def test_a_set_of_which_no_classifier_can_be_made_trains_without_metrics(tmp_path, capsys):
    np.savez(tmp_path / "one.npz", images=np.zeros((40, 8, 8), np.uint8), labels=np.ones(40, int))
    command = ["train", "digits", str(tmp_path / "run"), "--data", str(tmp_path / "one.npz"), "--images", "128"]
    assert run([*command, "--evaluation.grid", "4"]) == 0
    assert "samples have no metrics" in capsys.readouterr().err
    assert run(["evaluate", str(tmp_path / "run")]) == 3
    assert "all labels are of one class" in capsys.readouterr().err


def test_a_size_counts_for_what_depends_on_it(tmp_path, capsys):
    Image.fromarray(np.zeros((12, 12), np.uint8)).save(tmp_path / "1.png")
    Image.fromarray(np.ones((12, 12), np.uint8)).save(tmp_path / "2.png")
    command = ["train", "digits", str(tmp_path / "run"), "--data", str(tmp_path), "--size", "12", "--data.crop", "8"]
    assert run([*command, "--images", "128", "--evaluation.grid", "4"]) == 0


def test_a_folder_that_is_no_run_has_no_report(tmp_path, capsys):
    (tmp_path / "report.html").write_text("mine")
    assert run(["report", str(tmp_path)]) == 2
    assert "neither a run nor a sweep" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_run_without_a_best_checkpoint_says_so(tmp_path, capsys):
    np.savez(tmp_path / "plain.npz", images=np.zeros((40, 8, 8), np.uint8))
    out = str(tmp_path / "run")
    command = ["train", "digits", out, "--data", str(tmp_path / "plain.npz"), "--images", "128"]
    assert run([*command, "--evaluation.grid", "4"]) == 0
    assert run(["sample", out, "--best"]) == 4
    assert "leave out --best" in capsys.readouterr().err


def test_score_names_the_classes_there_are(trained, tmp_path, capsys):
    assert run(["score", str(trained), "digits", "--normal", "cat"]) == 2
    assert "--normal cat: no such class; there are 0, 1" in capsys.readouterr().err


def test_calibrate_suggests_a_margin_between_what_fits_and_the_mean_image(capsys):
    assert run(["calibrate", "digits", "--images", "6400", "--device", "cpu"]) == 0
    said = capsys.readouterr().out

    def value(name: str) -> float:
        return float(re.search(rf"{name} +([\d.]+)", said)[1])

    assert value("auto-encoder") < value("margin") < value("mean image") < value("output of zeros")


def test_report_is_written_anew(trained, capsys):
    (trained / "report.html").unlink()
    assert run(["report", str(trained)]) == 0
    assert Path(capsys.readouterr().out.strip()).stat().st_size > 10_000


def ranks(rows: list[dict[str, str]], kind: str) -> list[str]:
    return [row["rank"] for row in rows if row["class"] == kind]


def write_pictures(folder: Path, images: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for place, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{place}.png")


def real_digits(count: int) -> np.ndarray:
    from ebgan.data import open_data

    return np.asarray(open_data("digits").images[:count, 0])


def test_names_that_are_no_text_are_told_escaped(trained, tmp_path, capsys):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.new("L", (8, 8), 99).save(path)
    assert run(["score", str(trained), str(path), "--csv", str(tmp_path / "out.csv"), "--device", "cpu"]) == 0
    assert "caf\\udce9.png" in (tmp_path / "out.csv").read_text("utf-8")
    odd = tmp_path / os.fsdecode(b"dir\xe9")
    odd.mkdir()
    shutil.copy(path, odd / "a.png")
    assert run(["train", "digits", str(tmp_path / "run"), "--data", str(odd), "--size", "8", "--device", "cpu"]) == 3
    assert "dir\\udce9: the name is not UTF-8" in " ".join(capsys.readouterr().err.split())
