"""A part of a run as a file for other programs: an ONNX model, or a program of `torch.export`.

Both are made from one `torch.export` program with a batch of any size, and compared with the run before they are
written. ONNX needs the extra `onnx`; the model then runs wherever onnxruntime does, without torch and without ebgan.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from ebgan.errors import UsageError
from ebgan.extras import needed
from ebgan.runs.run import Run
from ebgan.runs.sharing.graphs import Graph, Part, graph_of, tensors
from ebgan.storage.files import refuse_impossible, write_atomically

TOLERANCE = 1e-5  # of a number of 1 or less; of a larger one, so large a share
FACTS = "ebgan.json"  # in a .pt2 file
_BATCHES = (3, 1, 16)  # sizes that a program is compared at

Program = Callable[[tuple[Tensor, ...]], Sequence[Tensor]]


def save_onnx(run: Run, path: str | Path, part: Part, *, threshold: float | None = None) -> float:
    """Write a part of a run as an ONNX model, and return its largest difference from the run, of all batches compared.

    `graphs` says what goes in and comes out; the model's metadata say it too, as JSON under `ebgan`. `threshold` is the
    detector's. Raises UsageError for a name that does not end in .onnx, a part that the run has not, a net that cannot
    be exported, and a missing extra.
    """
    target = _checked(path, ".onnx")
    for module in ("onnx", "onnxscript", "onnxruntime"):
        needed(module, "onnx")
    graph = graph_of(run, part, threshold)
    content = _onnx(graph, _program(run, graph))
    runtime = needed("onnxruntime", "onnx")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run_model(inputs: tuple[Tensor, ...]) -> Sequence[Tensor]:
        given = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        return [torch.from_numpy(each) for each in session.run(None, given)]

    difference = _compared(run, graph, run_model)
    write_atomically(target, content)
    return difference


def save_pt2(run: Run, path: str | Path, part: Part, *, threshold: float | None = None) -> float:
    """The same as a program of `torch.export`, which `torch.export.load(path).module()` runs without ebgan."""
    target = _checked(path, ".pt2")
    graph = graph_of(run, part, threshold)
    program = _program(run, graph)
    buffer = io.BytesIO()
    with _quiet():
        torch.export.save(program, buffer, extra_files={FACTS: json.dumps(graph.facts)})
        buffer.seek(0)
        module = torch.export.load(buffer).module()
    difference = _compared(run, graph, lambda inputs: tensors(module(*inputs)))
    write_atomically(target, buffer.getvalue())
    return difference


def _checked(path: str | Path, suffix: str) -> Path:
    target = Path(path)
    if target.suffix != suffix:
        raise UsageError(f"{path}: expected the name of a file that ends in {suffix}")
    if target.is_dir():
        raise UsageError(f"{path}: is a folder: choose the name of a file")
    refuse_impossible(target)
    return target


def _program(run: Run, graph: Graph) -> ExportedProgram:
    """The program of a graph, for a batch of any size."""
    axes = tuple({0: Dim("batch")} for _ in graph.inputs)
    # a generator takes its noise as *noise, one argument to torch.export
    varied = (axes,) if graph.facts["part"] == "generator" and "images" not in graph.inputs else axes
    with _refusals(run, graph), _quiet(), torch.no_grad():
        return torch.export.export(graph.module, graph.batch(3), dynamic_shapes=varied, strict=False)


def _onnx(graph: Graph, program: ExportedProgram) -> bytes:
    """The bytes of an ONNX model, with the batch axis named and the facts as metadata."""
    with _quiet():
        made: Any = torch.onnx.export(
            program, (), input_names=graph.inputs, output_names=graph.outputs, dynamo=True, verbose=False
        )
    model = made.model_proto
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del model.graph.value_info[:]  # which name the batch axis otherwise
    entry = model.metadata_props.add()
    entry.key, entry.value = "ebgan", json.dumps(graph.facts)
    content: bytes = model.SerializeToString()
    return content


@torch.no_grad()
def _compared(run: Run, graph: Graph, program: Program) -> float:
    """The largest difference between a program and the run. Raises UsageError where it is more than rounding."""
    largest = 0.0
    for count in _BATCHES:
        inputs = graph.batch(count, seed=count)
        for found, expected in zip(program(inputs), tensors(graph.module(*inputs)), strict=True):
            scale = expected.double().abs().clamp(min=1)
            largest = max(largest, float(((found.double() - expected.double()).abs() / scale).max()))
    if not largest <= TOLERANCE:
        raise UsageError(
            f"{run.name}: {graph.facts['part']}: the graph differs from the run by {largest:.2g}, more than "
            f"{TOLERANCE:g}: nets that draw numbers, or depend on the size of the batch, cannot be exported"
        )
    return largest


@contextmanager
def _refusals(run: Run, graph: Graph) -> Iterator[None]:
    """Name the part and the nets of a run that torch cannot export."""
    try:
        yield
    except Exception as error:  # whatever a net of the user's own raises under tracing
        nets, part = run.experiment.nets, graph.facts["part"]
        net = type(nets.generator if part == "generator" else nets.discriminator).__name__
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(f"{run.name}: {part}: {net} cannot be exported as a graph: {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters say about themselves."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    before = [each.level for each in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in loggers:
            each.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for each, level in zip(loggers, before, strict=True):
                each.setLevel(level)
