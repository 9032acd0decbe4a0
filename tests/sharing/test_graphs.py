"""Parts of a run as ONNX models and as programs of torch.export: the same numbers, for every net."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ebgan
from ebgan.cli.main import run
from ebgan.detection.of_run import kept
from ebgan.energies import AutoencoderEnergy, Energy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import REGISTRY, Data, Experiment, Nets
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.class_head import ClassHead
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.objectives import EBGAN, GAN, VCD, ClassConditional, LeastSquaresGAN, LossSensitiveGAN, SemiSupervised
from ebgan.runs.loading import assemble
from ebgan.runs.run import DataFacts, Run
from ebgan.runs.sharing.programs import save_onnx, save_pt2
from ebgan.samplers import Transition
from ebgan.schedules import Linear

for library in ("onnx", "onnxscript"):
    pytest.importorskip(library, reason="the extra onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

SHAPE = (1, 16, 16)
GENERATORS = {
    "mlp": MLPGenerator(width=16, noise=4),
    "conv": ConvGenerator(width=4, noise=5),
    "noisy": NoisyGenerator(width=4, noise=5, planes=4),
    "began": BEGANGenerator(width=4, noise=6, skip=True, carry=Linear(start=1.0, end=0.0, finish=100)),
    "vgan": VGANGenerator(width=4, hidden=8, noise=5),
}
TRANSITIONS = {"mlp": MLPTransition(width=16, code=8), "vgan": VGANTransition(width=4, code=8)}
ENERGIES: dict[str, tuple[DiscriminatorSpec, Energy]] = {
    "mlp": (MLPAutoencoder(width=16), AutoencoderEnergy()),
    "dropout": (MLPAutoencoder(width=16, dropout=0.5, output="limits"), AutoencoderEnergy(unit="l1")),
    "spherical": (SphericalAutoencoder(width=16, code=4), AutoencoderEnergy(unit="mse")),
    "bottleneck": (BottleneckAutoencoder(width=16, code=4), AutoencoderEnergy(unit="mse")),
    "conv": (ConvAutoencoder(encoder="(4)4c2s-(8)4c2s"), AutoencoderEnergy()),
    "began": (BEGANAutoencoder(width=4, code=6, carry=Linear(start=1.0, end=0.0, finish=100)), AutoencoderEnergy()),
    "ladder": (Ladder(widths=(16, 8)), AutoencoderEnergy(unit="sse")),
    "whole ladder": (Ladder(widths=(16, 8), combinator="vanilla"), LadderEnergy(weights=(1000.0, 10.0, 0.1))),
    "class head": (ClassHead(net=MLPAutoencoder(width=16)), AutoencoderEnergy()),
    "logistic": (MLPDiscriminator(width=16), LogisticEnergy()),
    "scalar": (MLPDiscriminator(width=16), ScalarEnergy(nonnegative=True)),
    "conv logistic": (ConvDiscriminator(width=4), LogisticEnergy()),
    "vgan logistic": (VGANDiscriminator(width=4, hidden=8), LogisticEnergy()),
    "experts": (MLPExperts(width=16, experts=8), ExpertsEnergy()),
    "vgan experts": (VGANExperts(width=4, hidden=8, experts=8), ExpertsEnergy()),
}
LEARNING = {"ladder", "whole ladder", "class head"}  # nets that also tell classes apart


def made(
    generator: GeneratorSpec = GENERATORS["mlp"], energy: str = "mlp", limits: tuple[float, float] | None = (-1.0, 1.0)
) -> Run:
    """A run of small nets, whose weights and statistics are not those that training begins with."""
    spec, kind = ENERGIES[energy]
    objective = {"logistic": GAN(), "scalar": LossSensitiveGAN(), "experts": VCD()}.get(energy.rpartition(" ")[2])
    if energy in LEARNING:
        objective = SemiSupervised(inner=Experiment().objective)
    sampler = {"sampler": Transition()} if generator in TRANSITIONS.values() else {}
    experiment = Experiment(
        data=Data(limits=limits),
        nets=Nets(generator=generator, discriminator=spec),
        energy=kind,
        objective=objective if objective and (sampler or not isinstance(objective, VCD)) else LeastSquaresGAN(),
        **sampler,
    )
    found = assemble(experiment, DataFacts(SHAPE, ("a", "b", "c"), "0" * 64), "cpu")
    randomise(found.generator, found.discriminator)
    return found


@torch.no_grad()
def randomise(*nets: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    for net in nets:
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                noise = torch.randn(value.shape, generator=generator)
                fan = math.prod(value.shape[1:]) if value.dim() > 1 else 4
                value.copy_(1 + noise.abs() if "variance" in name else value + noise / math.sqrt(max(fan, 1)))


def pictures(count: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=generator)


def outputs(path: Path, **inputs: torch.Tensor) -> list[np.ndarray]:
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return found


def near(found: np.ndarray, expected: torch.Tensor) -> bool:
    assert found.shape == tuple(expected.shape)
    return bool((np.abs(found - expected.numpy()) <= 1e-5 * np.maximum(1, np.abs(expected.numpy()))).all())


def test_every_net_of_the_package_is_among_those_tried():
    of_nets = {kind for kind in REGISTRY.values() if issubclass(kind, GeneratorSpec | DiscriminatorSpec)}
    tried = [*GENERATORS.values(), *TRANSITIONS.values(), *(spec for spec, _ in ENERGIES.values())]
    assert {type(each) for each in tried} | {ClassGenerator, ClassAutoencoder} == of_nets
    assert {type(energy) for _, energy in ENERGIES.values()} == {k for k in REGISTRY.values() if issubclass(k, Energy)}


@pytest.mark.parametrize("part", ["generator", "energy"])
def test_nets_by_class_are_exported_one_class_at_a_time(tmp_path, part):
    nets = Nets(
        generator=ClassGenerator(net=GENERATORS["mlp"]), discriminator=ClassAutoencoder(net=MLPAutoencoder(width=16))
    )
    experiment = Experiment(nets=nets, objective=ClassConditional(inner=EBGAN(margin=2.0)))
    whole = assemble(experiment, DataFacts(SHAPE, ("a", "b", "c"), "0" * 64), "cpu")
    randomise(whole.generator, whole.discriminator)
    with pytest.raises(UsageError, match=f"{part}: its nets are by class"):
        save_onnx(whole, tmp_path / "whole.onnx", part)
    net, images = ebgan.of_class(whole, "b"), pictures()
    save_onnx(net, tmp_path / "b.onnx", part)
    if part == "energy":
        assert near(outputs(tmp_path / "b.onnx", images=images)[0], net.energy(images))
    else:
        noise = net.noise(5)
        assert near(outputs(tmp_path / "b.onnx", noise=noise[0])[0], net.generate(noise))


QUICK = {"mlp", "conv"}


def names(of: dict[str, object]) -> list[object]:
    return [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in of]


@pytest.mark.parametrize("name", names(GENERATORS))
def test_onnxruntime_makes_the_samples_of_torch(tmp_path, name):
    net = made(GENERATORS[name], limits=(0.0, 1.0))
    save_onnx(net, tmp_path / "g.onnx", "generator")
    for count in (1, 5):
        noise = net.noise(count, seed=count)
        given = {f"noise{place or ''}": each for place, each in enumerate(noise)}
        assert near(outputs(tmp_path / "g.onnx", **given)[0], net.generate(noise))


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in TRANSITIONS])
def test_onnxruntime_makes_the_transitions_of_torch(tmp_path, name):
    net = made(TRANSITIONS[name], "experts", limits=(0.0, 1.0))
    save_onnx(net, tmp_path / "g.onnx", "generator")
    images = pictures(5)
    kept, noise = torch.rand(5, 8) < 0.5, torch.rand(5, 8) * 2 - 1
    decoded = net.generator.decode(torch.where(kept, net.generator.encode(images.float() / 255), noise))
    assert near(outputs(tmp_path / "g.onnx", images=images, noise=noise, kept=kept)[0], decoded * 2 - 1)


@pytest.mark.parametrize("name", names(ENERGIES))
def test_onnxruntime_reads_the_energies_of_torch(tmp_path, name):
    net = made(energy=name, limits=(0.0, 1.0))
    save_onnx(net, tmp_path / "e.onnx", "energy")
    for count in (1, 5):
        images = pictures(count)
        assert near(outputs(tmp_path / "e.onnx", images=images)[0], net.energy(images))


@pytest.mark.slow
@pytest.mark.parametrize("name", ENERGIES)
def test_onnxruntime_reads_the_codes_and_the_labels_of_torch(tmp_path, name):
    net, images = made(energy=name), pictures()
    save_onnx(net, tmp_path / "code.onnx", "encoder")
    assert near(outputs(tmp_path / "code.onnx", images=images)[0], net.encode(images))
    threshold = float(net.energy(images).median())
    save_onnx(net, tmp_path / "d.onnx", "detector", threshold=threshold + 1e-3)
    energy, anomalous = outputs(tmp_path / "d.onnx", images=images)
    assert near(energy, net.energy(images))
    assert anomalous.tolist() == (net.energy(images) > threshold + 1e-3).tolist()
    if name in LEARNING:
        save_onnx(net, tmp_path / "c.onnx", "classifier")
        found = outputs(tmp_path / "c.onnx", images=images)[0]
        assert near(found, net.classify(images))
        assert (found.argmax(-1) == net.classify(images).argmax(-1).numpy()).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ENERGIES)
def test_programs_of_torch_export_read_the_same(tmp_path, name):
    net = made(energy=name)
    save_pt2(net, tmp_path / "e.pt2", "energy")
    module = torch.export.load(tmp_path / "e.pt2").module()
    for count in (1, 5):
        assert near(module(pictures(count)).numpy(), net.energy(pictures(count)))


def test_a_program_of_torch_export_makes_the_same_samples_and_says_what_it_is(tmp_path):
    net = made()
    save_pt2(net, tmp_path / "g.pt2", "generator")
    facts = {"ebgan.json": ""}
    module = torch.export.load(tmp_path / "g.pt2", extra_files=facts).module()
    for count in (1, 5):
        assert near(module(*net.noise(count)).numpy(), net.sample(count))
    assert json.loads(facts["ebgan.json"])["inputs"] == {"noise": "normal (0, 1)"}


def test_a_detector_has_threshold_and_metadata_within_and_needs_neither_torch_nor_ebgan(trained, tmp_path, capsys):
    path = tmp_path / "detector.onnx"
    assert run(["export", str(trained), str(path), "--onnx", "detector", "--contamination", "0.1"]) == 0
    loaded = ebgan.load(trained)
    threshold = kept(loaded).threshold(0.1)
    assert f"threshold {threshold:.6g}" in capsys.readouterr().out
    images = np.random.default_rng(5).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    program = (
        "import sys, json, numpy, onnxruntime\n"
        "session = onnxruntime.InferenceSession('detector.onnx')\n"
        "energy, anomalous = session.run(None, {'images': numpy.load('images.npy')})\n"
        "assert 'torch' not in sys.modules and 'ebgan' not in sys.modules\n"
        "facts = json.loads(session.get_modelmeta().custom_metadata_map['ebgan'])\n"
        "shape = session.get_inputs()[0].shape\n"
        "print(json.dumps([energy.tolist(), anomalous.tolist(), facts, shape]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    energy, anomalous, facts, shape = json.loads(done.stdout)
    expected = loaded.energy(images)
    assert near(np.array(energy), expected)
    assert anomalous == (expected.double() > threshold).tolist()
    assert shape == ["batch", 1, 8, 8]
    assert (facts["threshold"], facts["shape"], facts["data"]) == (threshold, [1, 8, 8], "digits")
    assert facts["outputs"]["energy"] == "L2 norm of image less reconstruction"
    assert facts["inputs"]["images"] == "images, uint8 from 0 (black) to 255 (white)"
    assert facts["classes"] == list("0123456789")


def test_points_go_in_as_they_are(tmp_path):
    assert (
        run(["train", "toy.ring.ebgan", str(tmp_path / "ring"), "--images", "128", "--quiet", "--device", "cpu"]) == 0
    )
    net = ebgan.load(tmp_path / "ring")
    save_onnx(net, tmp_path / "e.onnx", "energy")
    points = torch.randn(5, 2, 1, 1) * 3
    assert near(outputs(tmp_path / "e.onnx", images=points)[0], net.energy(points))


class Drawing(nn.Module):
    """A net of a user's own that draws numbers."""

    def __init__(self, net: nn.Module, *, branching: bool) -> None:
        super().__init__()
        self.net, self.branching = net, branching

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        code, reconstruction = self.net(images)
        if self.branching and float(code.sum()) > 0:
            return code, reconstruction
        return code, reconstruction + torch.rand_like(reconstruction)


@pytest.mark.parametrize("save", [save_onnx, save_pt2])
def test_what_cannot_be_exported_is_refused_by_name(tmp_path, save):
    path = tmp_path / f"e.{'onnx' if save is save_onnx else 'pt2'}"
    drawing, branching = made(), made()
    drawing.discriminator = Drawing(drawing.discriminator, branching=False)
    with pytest.raises(UsageError, match=r"energy: the graph differs from the run by .*nets that draw numbers"):
        save(drawing, path, "energy")
    branching.discriminator = Drawing(branching.discriminator, branching=True)
    with pytest.raises(UsageError, match="energy: MLPAutoencoder cannot be exported as a graph: "):
        save(branching, path, "energy")
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["e.onnx", "--onnx", "classifier"], "tells no classes apart"),
        (["e.onnx", "--onnx", "detector"], "--contamination: belongs to a detector"),
        (["e.onnx", "--onnx", "energy", "--contamination", "0.1"], "--contamination: belongs to a detector"),
        (["e.pt2", "--onnx", "energy"], "ends in .onnx"),
        (["e.onnx", "--pt2", "energy"], "ends in .pt2"),
        (["e.onnx", "--onnx", "energy", "--pt2", "energy"], "export twice"),
        (["e.onnx", "--onnx", "energy", "--license", "mit"], "are about a folder"),
        (["e.onnx", "--onnx", "decoder"], "decoder"),
        (["e.onnx", "--onnx", "detector", "--contamination", "0.001"], "less than one"),
    ],
)
def test_what_a_run_has_not_is_refused_by_name(trained, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(trained), *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_what_to_install(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert run(["export", str(trained), str(tmp_path / "e.onnx"), "--onnx", "energy"]) == 2
    assert "pip install 'ebgan[onnx]'" in capsys.readouterr().err
