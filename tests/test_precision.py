"""Precision finds itself: bf16 where the hardware multiplies it and the nets are large; found once, said, and kept."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ebgan import load, train
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets, Precision, read_experiment
from ebgan.experiment.building import build, count_weights
from ebgan.experiment.precision import LARGE, emulation_warning, multiplies_bf16, product_speed, suited
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.recipes import RECIPES, find
from ebgan.storage.runfolder import Record

IMAGES = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
LARGE_NETS = Nets(generator=MLPGenerator(depth=2, width=2000), discriminator=MLPAutoencoder(depth=2, width=3000))
SMALL = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8), discriminator=MLPAutoencoder(depth=2, width=8)),
    images=16,
    batch=8,
    evaluation=Evaluation(grid=4),
)
WIDE = dataclasses.replace(SMALL, nets=LARGE_NETS)


class Hearing:
    """An observer that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def record(self, record: Record) -> None: ...

    def notice(self, text: str) -> None:
        self.said.append(text)

    @property
    def warnings(self) -> list[str]:
        return [text for text in self.said if "emulates" in text]


def play(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    """Have this be a machine that multiplies bf16 itself, or one that emulates it."""
    monkeypatch.setattr("ebgan.experiment.precision.processor_multiplies_bf16", lambda: native)


def trained_in(experiment: Experiment, out: Path, heard: Hearing | None = None) -> Precision | None:
    """The precision that config.yaml holds after a run."""
    train(experiment, out, data=IMAGES, device="cpu", observer=heard)
    return read_experiment(out / "config.yaml").precision


@pytest.mark.parametrize(
    ("experiment", "native", "expected"),
    [(WIDE, True, "bf16"), (WIDE, False, "fp32"), (SMALL, True, "fp32"), (SMALL, False, "fp32")],
)
def test_a_run_computes_in_what_suits_machine_and_nets_and_its_first_line_and_config_say_so(
    experiment, native, expected, tmp_path, monkeypatch
) -> None:
    play(monkeypatch, native)
    heard = Hearing()
    assert trained_in(experiment, tmp_path, heard) == expected
    assert heard.said[0] == f"images: 16 images; {expected} on cpu"
    assert heard.warnings == []


@pytest.mark.parametrize("native", [True, False])
def test_what_is_built_computes_in_what_suits_the_machine(native, monkeypatch) -> None:
    play(monkeypatch, native)
    weights = [next(build(each, (1, 8, 8))[0].generator.net.parameters()) for each in (WIDE, SMALL)]
    assert [weight.dtype for weight in weights] == [torch.bfloat16 if native else torch.float32, torch.float32]


@pytest.mark.parametrize("began_on_native", [True, False])
def test_the_same_command_goes_on_elsewhere_in_the_precision_that_the_run_has(
    began_on_native, tmp_path, monkeypatch
) -> None:
    play(monkeypatch, began_on_native)
    began = trained_in(WIDE, tmp_path)
    wider, heard = dataclasses.replace(WIDE, batch=2 * WIDE.batch), Hearing()
    play(monkeypatch, not began_on_native)
    with pytest.raises(UsageError, match="batch") as refused:
        train(wider, tmp_path, data=IMAGES, device="cpu")
    assert "precision" not in str(refused.value)
    assert trained_in(WIDE, tmp_path, heard) == began
    assert "going on from 16 images seen" in heard.said
    assert [f"The run in {tmp_path} keeps the precision that it began with" in said for said in heard.warnings] == (
        [True] if began_on_native else []
    )


def test_a_precision_that_is_asked_for_is_taken_with_one_warning_of_how_much_slower_it_is(
    tmp_path, monkeypatch
) -> None:
    play(monkeypatch, False)
    monkeypatch.setattr(
        "ebgan.experiment.precision.product_speed", lambda precision, *_: {"fp32": 8e10, "bf16": 2.5e9}[precision]
    )
    heard = Hearing()
    assert trained_in(dataclasses.replace(SMALL, precision="bf16"), tmp_path, heard) == "bf16"
    assert heard.warnings == [
        "precision=bf16: the processor here has no instructions for bf16 and emulates it: a product of matrices takes "
        "32 times as long as in fp32. A new run takes fp32 here unless --precision says otherwise"
    ]


def test_a_run_is_used_in_fp32_and_bf16_is_warned_of_where_it_is_emulated(tmp_path, monkeypatch, caplog) -> None:
    play(monkeypatch, True)
    train(WIDE, tmp_path, data=IMAGES, device="cpu")
    play(monkeypatch, False)
    assert next(load(tmp_path, device="cpu").generator.parameters()).dtype == torch.float32
    assert caplog.text == ""
    assert next(load(tmp_path, device="cpu", precision="bf16").generator.parameters()).dtype == torch.bfloat16
    assert "emulates it" in caplog.text


def test_a_folder_whose_config_cannot_be_read_is_refused_and_gone_on_with_by_override(tmp_path, monkeypatch) -> None:
    play(monkeypatch, True)
    trained_in(WIDE, tmp_path)
    (tmp_path / "config.yaml").write_text("no: such field\n")
    with pytest.raises(UsageError, match="started with another config"):
        trained_in(WIDE, tmp_path)
    train(WIDE, tmp_path, data=IMAGES, device="cpu", override_config=True)
    assert read_experiment(tmp_path / "config.yaml").precision == "bf16"


def test_no_warning_of_other_precisions_or_of_hardware_that_multiplies_bf16(monkeypatch) -> None:
    play(monkeypatch, False)
    assert [emulation_warning(precision, "cpu") for precision in ("fp32", "fp64", None)] == [None] * 3
    assert emulation_warning("bf16", "meta") is None
    play(monkeypatch, True)
    assert emulation_warning("bf16", "cpu") is None


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("avx512_bf16", [True, False])
@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "aarch64"])
def test_a_processor_multiplies_bf16_where_onednn_says_so_and_x86_has_the_instructions(
    onednn, avx512_bf16, machine, monkeypatch
) -> None:
    """OneDNN says so of every AVX512, of which many emulate bf16."""
    ops = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: onednn)
    monkeypatch.setattr("torch.ops.mkldnn", ops)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert multiplies_bf16("cpu") == (onednn and (avx512_bf16 or machine == "aarch64"))


def test_a_torch_without_onednn_computes_in_fp32(monkeypatch) -> None:
    monkeypatch.setattr("torch.ops.mkldnn", object())
    assert not multiplies_bf16("cpu")


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_is_asked_without_its_emulation_and_other_devices_take_fp32(here, native, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: here)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **options: asked.append(options) or native)
    assert multiplies_bf16("cuda") == (here and native)
    assert asked == ([{"including_emulation": False}] if here else [])
    assert not multiplies_bf16("mps")
    assert not multiplies_bf16("meta")


def test_large_begins_where_it_is_said_to() -> None:
    assert [suited(weights, native=True) for weights in (LARGE - 1, LARGE)] == ["fp32", "bf16"]
    assert suited(10 * LARGE, native=False) == "fp32"


def test_weights_are_counted_as_they_are_built() -> None:
    game, _ = build(SMALL, (1, 8, 8))
    built = sum(weight.numel() for net in (game.generator.net, game.discriminator.net) for weight in net.parameters())
    assert count_weights(SMALL, (1, 8, 8)) == built


def test_no_recipe_fixes_a_precision() -> None:
    assert {name for name in RECIPES if find(name).make().precision is not None} == set()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_speed_of_a_product_is_measured_in_little_more_than_the_time_given(precision) -> None:
    assert 1e7 < product_speed(precision, "cpu", 0.02) < 1e15
