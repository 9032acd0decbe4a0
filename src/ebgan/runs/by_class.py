"""One class of a run whose nets are by class."""

from __future__ import annotations

from dataclasses import replace

import torch

from ebgan.errors import UsageError
from ebgan.nets.base import ByClass
from ebgan.runs.run import Run


def of_class(run: Run, name: str) -> Run:
    """The run of one class, by its name: its samples are of that class, and so is its energy.

    Raises UsageError for a run without classes, and for a class that its data does not have.
    """
    generator, discriminator = run.generator, run.discriminator
    if not isinstance(generator, ByClass) or not isinstance(discriminator, ByClass):
        raise UsageError(f"class {name}: {run.name} makes no samples by class; ClassGenerator and ClassAutoencoder do")
    if name not in run.data.classes:
        raise UsageError(f"class {name}: {run.name} has none of that name; it has {', '.join(run.data.classes)}")
    label = torch.tensor(run.data.classes.index(name), device=run.device)
    nets = (net.of(label).eval().requires_grad_(False) for net in (generator, discriminator))
    return replace(run, data=run.data._replace(classes=(name,)), generator=next(nets), discriminator=next(nets))
