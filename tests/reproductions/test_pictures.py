"""The figures of pictures: how large each scale makes them, and what is claimed of them."""

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.cli.experiment import with_fields
from ebgan.cli.train import TrainOptions
from ebgan.data import Augmented, Packed
from ebgan.metrics import Measurement
from ebgan.metrics.inception_v3 import InceptionV3
from ebgan.recipes import RECIPES, find
from ebgan.reproductions.claims import Request
from ebgan.reproductions.pictures import checkpoints_by_third
from ebgan.reproductions.pictures.checkpoints_by_third import Thirds
from ebgan.reproductions.pictures.entry import TITLES, PictureEntry, apart, enter, real_images
from ebgan.reproductions.pictures.figures import comparisons, drawn, experiment_of, table
from ebgan.reproductions.pictures.sizes import SIZES
from ebgan.runs.loading import load
from ebgan.runs.run import Run
from ebgan.storage.runfolder import RunFolder, read_records

LENGTH = ["--images", "192000", "--checkpoint", "32000", "--evaluation.pictures", "16000"]
NARROW = {
    "dcgan": ["--nets.generator.width", "32", "--nets.discriminator.width", "32"],
    "ebgan": ["--nets.generator.width", "32", "--nets.discriminator.encoder", "(32)4c2s-(64)4c2s-(128)4c2s"],
    "ebgan_pt": ["--nets.generator.width", "32", "--nets.discriminator.encoder", "(32)4c2s-(64)4c2s-(128)4c2s"],
    "began": ["--nets.generator.width", "16", "--nets.discriminator.width", "16"],
    "magan": [
        *("--nets.generator.width", "32"),
        *("--nets.discriminator.encoder", "(32)4c2s-(64)4c2s-(128)4c2s-(256)4c2s"),
    ],
}
PICTURES = [
    name for name in RECIPES if name.startswith(("faces64", "bedrooms64", "imagenet")) and "loss_sensitive" not in name
]


@pytest.mark.parametrize("rival", NARROW)
def test_the_scale_of_a_cpu_is_a_command_of_train(rival: str) -> None:
    name = f"faces64.{rival}"
    _, by_hand = with_fields(
        TrainOptions, f"train {name}", find(name).make(), [*LENGTH, *NARROW[rival], "--ema", "None"]
    )
    assert experiment_of(name, SIZES["cpu"]).to_yaml() == by_hand.to_yaml()


@pytest.mark.parametrize("name", PICTURES)
def test_the_scale_of_the_paper_is_the_recipe_and_the_others_are_smaller(name: str) -> None:
    made = find(name).make()
    assert experiment_of(name, SIZES["paper"]) == replace(made, ema=None)
    cpu, tiny = (experiment_of(name, SIZES[scale]) for scale in ("cpu", "tiny"))
    assert tiny.images < cpu.images < made.images
    assert tiny.nets.generator.width < cpu.nets.generator.width < made.nets.generator.width
    assert tiny.pretraining < tiny.images
    assert (cpu.data, cpu.objective, cpu.optimisers) == (made.data, made.objective, made.optimisers)


def test_other_pictures_can_be_given(tmp_path: Path) -> None:
    assert experiment_of("faces64.dcgan", SIZES["cpu"], str(tmp_path)).data.source == str(tmp_path)


def test_digits_stand_in_at_any_size_and_are_cropped_as_the_recipe_says() -> None:
    tiny = SIZES["tiny"]
    pieces = tiny.open(experiment_of("bedrooms64_patches.dcgan", tiny))
    assert isinstance(pieces, Augmented)
    assert pieces.whole.shape == (1, 96, 96)
    assert pieces.shape == (1, 64, 64)
    large = tiny.open(experiment_of("imagenet256_dogs.ebgan_pt", tiny))
    assert large.shape == (1, 256, 256)
    assert np.array_equal(large.images[..., ::32, ::32], large.images[..., 31::32, 31::32])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where EBGAN-PT on faces was drawn at the scale `tiny`."""
    folder = tmp_path_factory.mktemp("pictures")
    drawn(Request("tiny", folder, lambda _: None), "figure", "faces64.ebgan_pt")
    return folder


def test_a_checkpoint_of_each_third_is_kept(out: Path) -> None:
    run = out / "faces64.ebgan_pt"
    assert [int(path.stem) for path in sorted((run / "kept").iterdir())] == [8, 16, 24]
    assert [int(path.stem) for path in sorted((run / "checkpoints").iterdir())] == [16, 24]


def test_the_first_checkpoint_of_each_third_is_kept_whatever_their_interval(tmp_path: Path) -> None:
    made = dataclasses.replace(find("faces64.dcgan").make(), images=1000, checkpoint=None)
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    for images in range(100, 1100, 100):
        (folder.checkpoints / f"{images + 7:012d}.ckpt").write_bytes(b"")
    for stopped in (64, 250, 491, 692, 799):  # where a run was stopped, and went on
        (folder.checkpoints / f"{stopped:012d}.ckpt").write_bytes(b"")
    Thirds(folder, made, print).keep()
    (tmp_path / "kept" / "000000000507.ckpt").write_bytes(b"")
    assert [int(path.stem) for path in Thirds(folder, made, print).kept()] == [407, 707, 1007]


def test_distances_are_measured_once_and_leave_the_run_at_its_end(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(run: Run, data: Packed, samples: int, net: str) -> Measurement:
        return Measurement(
            {"kid_inception": float(run.sample(2).mean())}, [], {"inception_samples": samples, "net": net}
        )

    loaded: list[str] = []
    monkeypatch.setattr(checkpoints_by_third, "inception_distances", measured)
    monkeypatch.setattr(checkpoints_by_third, "load_inception", lambda *_: loaded.append("net") or "net")
    run = load(out / "faces64.ebgan_pt", device="cpu")
    before = run.sample(2)
    counts = dict(zip(sorted((out / "faces64.ebgan_pt" / "kept").iterdir()), (12, 12, 24), strict=True))
    found = [checkpoints_by_third.distances(run, None, counts, lambda _: None) for _ in range(2)]
    assert loaded == ["net"]
    assert found[0] == found[1] == read_records(out / "faces64.ebgan_pt" / "distances.jsonl")
    assert [each["protocol"]["inception_samples"] for each in found[0]] == [12, 12, 24]
    assert len({each["metrics"]["kid_inception"] for each in found[0]}) == 3
    assert torch.equal(run.sample(2), before)


def test_without_inception_nothing_is_measured_and_it_is_said(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> InceptionV3:
        raise checkpoints_by_third.UsageError("InceptionV3 is not here")

    monkeypatch.setattr(checkpoints_by_third, "load_inception", missing)
    said: list[str] = []
    run = load(out / "faces64.ebgan_pt", device="cpu")
    assert checkpoints_by_third.distances(run, None, {Path("000000000001.ckpt"): 5}, said.append) == []
    assert said == ["FID and KID are not measured: InceptionV3 is not here"]


def test_a_second_call_trains_nothing(out: Path) -> None:
    before = (out / "faces64.ebgan_pt" / "stats.jsonl").read_text()
    said: list[str] = []
    made = experiment_of("faces64.ebgan_pt", SIZES["tiny"])
    enter(Request("tiny", out, said.append), SIZES["tiny"], "faces64.ebgan_pt", made, SIZES["tiny"].open(made))
    assert said == ["faces64.ebgan_pt: 24 images", "images: 64 images; fp32 on cpu", "going on from 24 images seen"]
    assert (out / "faces64.ebgan_pt" / "stats.jsonl").read_text() == before


def test_the_spread_is_that_of_the_data_for_samples_as_unlike_each_other() -> None:
    made = experiment_of("faces64.ebgan_pt", SIZES["tiny"])
    images = real_images(SIZES["tiny"].open(made), 64)
    same = images[:1].expand(64, -1, -1, -1)
    found = [
        dataclasses.replace(entry("dcgan", (), 0.1), apart=apart(x), apart_real=apart(images)) for x in (images, same)
    ]
    assert [each.spread for each in found] == [pytest.approx(1, abs=1e-5), pytest.approx(0, abs=1e-5)]
    assert [each.claims()[-1].holds for each in found] == [True, False]


def entry(rival: str, kernel: tuple[float, ...], similarity: float, energy: float = 3.0) -> PictureEntry:
    last = {"images": 100, "seconds": 9.0, "energy_real": energy, "energy_fake": 5.0, "code_similarity": similarity}
    found = [{"metrics": {"fid_inception": 50.0, "kid_inception": each}} for each in kernel]
    mean_image, energies = None if rival == "dcgan" else 4.0, [energy - 0.1, energy, energy + 0.1]
    distances = [0.7, 0.8, 0.9], [0.9, 1.0, 1.1]
    return PictureEntry(f"faces64.{rival}", last, mean_image, energies, *distances, found, Image.new("RGB", (1, 1)))


def test_claims_are_made_of_what_was_measured() -> None:
    good, bad = entry("ebgan_pt", (0.3, 0.2, 0.1), 0.2), entry("ebgan", (0.1, 0.2, 0.1), 0.4, energy=5.0)
    assert [claim.holds for claim in good.claims()] == [True, True, None]  # KID: one run
    assert [claim.holds for claim in bad.claims()] == [False, True, None]
    assert [each.claims()[-1].evidence for each in (good, bad)] == [
        f"n = 1 run, {way} there" for way in ("falls", "rises")
    ]
    assert len(entry("dcgan", (), 0.1).claims()) == len(entry("dcgan", (0.1,), 0.1).claims()) == 1
    dcgan = entry("dcgan", (0.3, 0.2, 0.05), 0.1)
    assert [claim.holds for claim in comparisons([dcgan, good])] == [None]
    assert [claim.evidence for claim in comparisons([bad, good])] == ["n = 1 run, difference +0.2, error not known"]
    assert len(comparisons([dcgan, bad, good])) == 2
    assert comparisons([entry("dcgan", (), 0.1), good]) == []


def test_the_table_has_a_column_for_each_run() -> None:
    rows = {row[0]: row[1:] for row in table([entry("dcgan", (), 0.1), entry("ebgan_pt", (0.3, 0.2, 0.1), 0.2)])}
    assert rows[""] == ["DCGAN", "EBGAN-PT"]
    assert rows["E of the mean image"] == ["", "4"]
    assert rows["FID"] == ["not measured", "50.0"]
    assert rows["KID, by thirds"] == ["not measured", "0.300, 0.200, 0.100"]
    assert list(TITLES) == ["dcgan", "ebgan", "ebgan_pt", "began", "magan"]
