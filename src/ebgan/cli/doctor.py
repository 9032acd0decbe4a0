"""`ebgan doctor`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import FlagCreatePairsOff

from ebgan.cli.arguments import parse

Facts = dict[str, Any]
SECONDS = 0.5  # duration of the speed measurement, for each precision on each device


@dataclass(frozen=True)
class Doctor:
    """Print versions, processor, memory, devices, data sets and speed of this machine, for a bug report.

    A check that fails is printed with its reason, and the others still run.
    """

    json: FlagCreatePairsOff[bool] = False  # print one JSON object


def main(argv: list[str]) -> None:
    """Run the checks, and print each result and the warnings; or all of them as JSON."""
    chosen = parse(Doctor, "doctor", argv)
    import json

    found: Facts = {}
    for name, check in CHECKS.items():
        found[name] = _outcome(check)
        if not chosen.json:
            print(f"{name.replace('_', ' '):<12}{_words(found[name])}", flush=True)
    found["warnings"] = _warnings(found)
    if chosen.json:
        print(json.dumps(found))
        return
    for warning in found["warnings"]:
        print(f"{'warning':<12}{warning}")


def _outcome(check: Callable[[], Facts]) -> Facts:
    """The result of a check, or why it failed: a failing check must not stop the others."""
    try:
        return check()
    except Exception as error:
        reason = str(error).strip() or "no reason given"
        return {"failed": f"{type(error).__name__}: {reason.splitlines()[0]}"}


def _words(facts: Facts) -> str:
    """Facts on one line: facts that are None are left out, and a single fact is shown without its name."""
    known = {name.replace("_", " "): _text(value) for name, value in facts.items() if value is not None}
    single = len(facts) == 1 and "failed" not in facts
    return "; ".join(value if single else f"{name} {value}" for name, value in known.items())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} ({each})" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _versions() -> Facts:
    import platform

    import ebgan

    return {"ebgan": ebgan.__version__, "python": platform.python_version(), "system": platform.platform()}


def _processor() -> Facts:
    """The model of the processor on Linux; elsewhere its architecture."""
    import platform

    known = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if platform.system() == "Linux" else []
    models = [line.partition(":")[2].strip() for line in known if line.startswith("model name")]
    return {"model": models[0] if models else platform.processor() or platform.machine()}


def _torch() -> Facts:
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    return {"version": torch.__version__, "cuda": torch.version.cuda, "cpu_kernels": capability}


def _threads() -> Facts:
    import torch

    return {"torch_takes": torch.get_num_threads()}


def _cores() -> Facts:
    from ebgan.machine import cores

    found = cores()
    return {"usable": found.usable, "machine": found.machine, "affinity": found.affinity, "quota": found.quota}


def _memory() -> Facts:
    from ebgan.machine import memory

    return {f"{name}_gb": _gigabytes(value) for name, value in memory()._asdict().items()}


def _devices() -> Facts:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = {}
    for index in range(count):
        each = torch.cuda.get_device_properties(index)
        found[f"cuda:{index}"] = f"{each.name}, {_gigabytes(each.total_memory):g} GB"
    if torch.backends.mps.is_available():
        found["mps"] = "memory shared with the processor"
    return {"accelerators": found}


def _bf16() -> Facts:
    from ebgan.experiment.precision import multiplies_bf16

    return {str(device): "native" if multiplies_bf16(device) else "emulated" for device in _kinds()}


def _speed() -> Facts:
    """The speed of matrix products in GFLOP/s."""
    from ebgan.experiment.precision import product_speed

    return {
        f"{device}_{precision}_gflops": float(f"{product_speed(precision, device, SECONDS) / 1e9:.3g}")
        for device in _kinds()
        for precision in ("fp32", "bf16")
    }


def _kinds() -> list[Any]:
    """The CPU, and the accelerator that is used by default."""
    import torch

    from ebgan.distributed import default_device

    return list(dict.fromkeys((torch.device("cpu"), default_device())))


def _cache() -> Facts:
    from platformdirs import user_cache_dir

    folder = Path(user_cache_dir("ebgan"))
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return {"folder": str(folder), "free_gb": _gigabytes(shutil.disk_usage(existing).free)}


def _data() -> Facts:
    from ebgan.data.sources import located_sets

    return {"here": located_sets()}


def _classifiers() -> Facts:
    from platformdirs import user_cache_dir

    folder = Path(user_cache_dir("ebgan")) / "classifiers"
    return {"trained": len(list(folder.iterdir())) if folder.exists() else 0}


def _gigabytes(count: int | None) -> float | None:
    return None if count is None else round(count / 1e9, 1)


def _warnings(found: Facts) -> list[str]:
    """Warnings about settings that make runs slow, with what to do."""
    takes, usable = found["threads"].get("torch_takes"), found["cores"].get("usable")
    if not takes or not usable or takes <= usable:
        return []
    return [f"torch uses {takes} threads on {usable} cores: `export OMP_NUM_THREADS={usable}`"]


CHECKS: dict[str, Callable[[], Facts]] = {
    "versions": _versions,
    "processor": _processor,
    "torch": _torch,
    "cores": _cores,
    "threads": _threads,
    "memory": _memory,
    "devices": _devices,
    "bf16": _bf16,
    "cache": _cache,
    "data_sets": _data,
    "classifiers": _classifiers,
    "speed": _speed,
}
