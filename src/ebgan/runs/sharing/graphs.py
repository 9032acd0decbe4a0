"""The parts of a run as nets that stand alone: tensors in, tensors out, with nothing to be done before or after.

    generator    noise, ...              -> samples [batch, C, H, W] in [-1, 1]
                 images, noise, kept     -> the same, of a run with transitions (`samplers.transition`)
    energy       images                  -> energy [batch]
    encoder      images                  -> code [batch, features]
    detector     images                  -> energy [batch], anomalous [batch]: whether the energy is above a threshold
    classifier   images                  -> probabilities [batch, classes]

Images are uint8 [batch, C, H, W], 0 black and 255 white, of the run's size: what brings them to the range of the nets
is inside. Points are float32 [batch, dims, 1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from ebgan.data import scaled
from ebgan.energies import AutoencoderEnergy, Energy, ExpertsEnergy, LogisticEnergy
from ebgan.errors import UsageError
from ebgan.nets.base import ByClass, Classifier, Generator, TransitionGenerator
from ebgan.randomness import Randomness
from ebgan.runs.reading import from_limits, to_limits
from ebgan.runs.run import Run
from ebgan.runs.sharing.export import public_source
from ebgan.samplers import Prior

Part = Literal["generator", "energy", "encoder", "detector", "classifier"]
PARTS: tuple[Part, ...] = get_args(Part)
_Limits = tuple[float, float] | None
_READ = "images, uint8 from 0 (black) to 255 (white)"


class Graph(NamedTuple):
    """A part of a run, with what its inputs and outputs are."""

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: dict[str, Any]  # what a user of the file has to know
    shapes: tuple[tuple[int, ...], ...]  # of a single image, noise, ... of each input
    kinds: tuple[torch.dtype, ...]

    def batch(self, count: int, seed: int = 0) -> tuple[Tensor, ...]:
        """Inputs that the graph could be given, drawn by a seed."""
        randomness = Randomness.of(seed)
        return tuple(
            _drawn(randomness.uniform(name, count, *shape), kind)
            for name, shape, kind in zip(self.inputs, self.shapes, self.kinds, strict=True)
        )


def graph_of(run: Run, part: Part, threshold: float | None = None) -> Graph:
    """A part of a run, on the CPU. `threshold` is the detector's: the energy above which an image is anomalous.

    Raises UsageError for a part that the run has not.
    """
    _refuse(run, part, threshold)
    run = run.to("cpu")
    if part == "generator":
        return _generator(run)
    outputs, module = _readers(run, threshold)[part]
    shape, kind = run.data.shape, _image_kind(run)
    facts = _facts(run, part, {"images": _what_is_read(run)}, outputs)
    if part == "detector":
        facts["threshold"] = threshold
    return Graph(module.eval(), ("images",), tuple(outputs), facts, (shape,), (kind,))


def _refuse(run: Run, part: Part, threshold: float | None) -> None:
    if part not in PARTS:
        raise UsageError(f"{part!r}: no part of a run: expected {', '.join(PARTS)}")
    if isinstance(run.generator, ByClass) or isinstance(run.discriminator, ByClass):
        raise UsageError(
            f"{run.name}: {part}: its nets are by class, which graphs are not: export one class in Python, "
            "`save_onnx(ebgan.of_class(run, NAME), ...)`"
        )
    if part == "generator" and run.experiment.turns.generator == 0:
        raise UsageError(f"{run.name}: generator: was not trained (turns.generator=0): export the energy")
    if part == "classifier" and not isinstance(run.discriminator, Classifier):
        raise UsageError(f"{run.name}: classifier: its discriminator tells no classes apart: export the energy")
    if part == "detector" and threshold is None:
        raise UsageError(f"{run.name}: detector: needs a threshold (`ebgan export` takes it from --contamination)")


def _generator(run: Run) -> Graph:
    net, limits = run.generator, run.experiment.data.limits
    outputs = {"samples": "in [-1, 1]" if limits else "points"}
    if isinstance(net, TransitionGenerator):
        keep = getattr(run.experiment.sampler, "keep", 0.5)
        inputs = {
            "images": f"{_what_is_read(run)}: where a transition starts",
            "noise": "uniform in [-1, 1]",
            "kept": f"whether a number of the code is kept: true with probability {keep:g}",
        }
        facts = _facts(run, "generator", inputs, outputs)
        return Graph(
            _Transition(net, limits).eval(),
            tuple(inputs),
            tuple(outputs),
            facts,
            shapes=(run.data.shape, (net.code,), (net.code,)),
            kinds=(_image_kind(run), torch.float32, torch.bool),
        )
    assert isinstance(net, Generator)
    prior: Prior = run.prior
    drawn = "normal (0, 1)" if prior.distribution == "normal" else "uniform in [-1, 1]"
    inputs = {f"noise{index or ''}": drawn for index in range(len(net.noise))}
    facts = _facts(run, "generator", inputs, outputs)
    kinds = (torch.float32,) * len(inputs)
    return Graph(_Generator(net, limits).eval(), tuple(inputs), tuple(outputs), facts, net.noise, kinds)


def _readers(run: Run, threshold: float | None) -> dict[str, tuple[dict[str, str], nn.Module]]:
    """The parts that read images, by name: what comes out of each, and the net."""
    parts = run.discriminator, run.experiment.energy, run.experiment.data.limits
    energy = unit_of(run.experiment.energy)
    return {
        "energy": ({"energy": energy}, _Energy(*parts)),
        "encoder": ({"code": "features from which the energy is computed"}, _Encoder(*parts)),
        "classifier": ({"probabilities": "of each class"}, _Classifier(*parts)),
        "detector": (
            {"energy": energy, "anomalous": "whether the energy is above the threshold"},
            _Detector(*parts, threshold or 0.0),
        ),
    }


def unit_of(energy: Energy) -> str:
    """The unit of an energy, in words."""
    units = {"norm": "L2 norm", "sse": "sum of squares", "mse": "mean square", "l1": "mean absolute value"}
    if isinstance(energy, AutoencoderEnergy):
        return f"{units[energy.unit]} of image less reconstruction"
    return "nats" if isinstance(energy, LogisticEnergy | ExpertsEnergy) else "no unit"


def _facts(run: Run, part: Part, inputs: dict[str, str], outputs: dict[str, str]) -> dict[str, Any]:
    return {
        "ebgan": version("ebgan"),
        "part": part,
        "objective": type(run.experiment.objective).__name__,
        "data": public_source(run),
        "data_sha256": run.data.checksum,
        "shape": list(run.data.shape),
        "range_of_the_nets": run.experiment.data.limits,
        "inputs": inputs,
        "outputs": outputs,
        "classes": list(run.data.classes),
    }


def _image_kind(run: Run) -> torch.dtype:
    return torch.float32 if run.experiment.data.limits is None else torch.uint8


def _what_is_read(run: Run) -> str:
    return "points, float32" if run.experiment.data.limits is None else _READ


def _drawn(uniform: Tensor, kind: torch.dtype) -> Tensor:
    """Numbers of a kind, from those in [0, 1): all bytes, or from -2 to 2, or true and false."""
    if kind == torch.bool:
        return uniform < 0.5
    return (uniform * 256).to(torch.uint8) if kind == torch.uint8 else uniform * 4 - 2


def _finished(images: Tensor, limits: _Limits) -> Tensor:
    """What a generator made, as users have it."""
    return images if limits is None else from_limits(images, limits).clamp(-1, 1)


def _read(images: Tensor, limits: _Limits) -> Tensor:
    """Bytes in the range of the nets; points as they are."""
    return images if limits is None else to_limits(scaled(images, (-1.0, 1.0)), limits)


class _Generator(nn.Module):
    def __init__(self, net: Generator, limits: _Limits) -> None:
        super().__init__()
        self.net, self.limits = net, limits

    def forward(self, *noise: Tensor) -> Tensor:
        return _finished(self.net(*noise), self.limits)


class _Transition(nn.Module):
    def __init__(self, net: TransitionGenerator, limits: _Limits) -> None:
        super().__init__()
        self.net, self.limits = net, limits

    def forward(self, images: Tensor, noise: Tensor, kept: Tensor) -> Tensor:
        code = self.net.encode(_read(images, self.limits))
        return _finished(self.net.decode(torch.where(kept, code, noise)), self.limits)


class _Energy(nn.Module):
    def __init__(self, net: nn.Module, energy: Energy, limits: _Limits) -> None:
        super().__init__()
        self.net, self.energy, self.limits = net, energy, limits

    def forward(self, images: Tensor) -> Any:
        return self.energy.read(self.net, _read(images, self.limits)).energy


class _Encoder(_Energy):
    def forward(self, images: Tensor) -> Any:
        return self.energy.features(self.net, _read(images, self.limits))


class _Classifier(_Energy):
    def forward(self, images: Tensor) -> Any:
        assert isinstance(self.net, Classifier)
        return self.net.classify(_read(images, self.limits)).softmax(-1)


class _Detector(_Energy):
    def __init__(self, net: nn.Module, energy: Energy, limits: _Limits, threshold: float) -> None:
        super().__init__(net, energy, limits)
        self.threshold: Tensor
        self.register_buffer("threshold", torch.tensor(threshold, dtype=torch.float32))

    def forward(self, images: Tensor) -> Any:
        energy = super().forward(images)
        return energy, energy > self.threshold


def tensors(value: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """The outputs of a graph, of which there may be one."""
    return [value] if isinstance(value, Tensor) else list(value)
