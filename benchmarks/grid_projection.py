"""What the whole grid of table 1 would take on one GPU, by arithmetic: nothing is measured here, and no GPU is needed.

    python benchmarks/grid_projection.py [--images 300000] [--rate 67e12] [--bandwidth 4.8e12] [--launch 5e-6]

A step of a stack of each fourth shape is taken on the meta device, which knows shapes and computes nothing. Each
operation counts with the operations of its product and the bytes that it reads and writes, and takes the longest of
three: the product at the device's rate, the bytes at its bandwidth, and the launch. The defaults are an H200's
published float32 rate and bandwidth, and a launch as eager PyTorch takes it from a quick host. Real kernels reach a
part of such rates, and caches spare a part of the bytes: this tells where the time would go, not how long it takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from ebgan.experiment import Experiment
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.recipes import find_grid
from ebgan.recipes.mnist_grid import DEPTHS, DISCRIMINATOR_WIDTHS, GENERATOR_WIDTHS
from ebgan.records import Batch
from ebgan.sweeps.stack import groups
from ebgan.training.step import train_step

AHEAD = 40  # steps whose noise is drawn at once, as `Randomness` does for noise of 100 on a device
SHAPE = (1, 32, 32)
SHARE = 4  # one shape in so many is counted, and stands for all


@dataclass
class Cost:
    """What a step launches, multiplies and moves."""

    launches: float = 0.0
    operations: float = 0.0  # of products
    bytes: float = 0.0
    device: float = 0.0  # seconds, if no launch had to be waited for
    eager: float = 0.0  # seconds, each operation waiting for its launch or the device, whichever is longer

    def times(self, factor: float) -> Cost:
        """So many of these."""
        return Cost(*(factor * each for each in self._values()))

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(one + two for one, two in zip(self._values(), other._values(), strict=True)))

    def _values(self) -> tuple[float, ...]:
        return self.launches, self.operations, self.bytes, self.device, self.eager


class Counting(TorchDispatchMode):
    """Adds up what passes; views, which launch nothing, are free."""

    def __init__(self, rate: float, bandwidth: float, launch: float) -> None:
        super().__init__()
        self.rate, self.bandwidth, self.launch, self.cost = rate, bandwidth, launch, Cost()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        fused = func.overloadpacket is torch.ops.aten._fused_adam_  # has no kernel for shapes alone
        found = None if fused else func(*args, **kwargs)
        read = _tensors((args, kwargs))
        made = _tensors(found) or _tensors(args[:1] if not fused else (args[0], args[2], args[3]))
        if not func.is_view and any(each.is_meta for each in made):
            moved = sum(map(_bytes, read + made))
            counted = flop_registry.get(func.overloadpacket)
            operations = counted(*args, **kwargs, out_val=found) if counted else 0
            device = max(operations / self.rate, moved / self.bandwidth)
            self.cost += Cost(1, operations, moved, device, max(device, self.launch))
        return found


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _bytes(tensor: Tensor) -> int:
    """What there is of it in memory: an axis that is only expanded counts once."""
    numbers = 1
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        numbers *= length if stride else 1
    return numbers * tensor.element_size()


def step_cost(experiments: Sequence[Experiment], counting: Counting) -> Cost:
    """The mean cost of a step of a stack."""
    lead = (len(experiments),) if len(experiments) > 1 else ()
    experiment = stacked(experiments) if lead else experiments[0]
    game, progress = build(experiment, SHAPE, "meta", 10)
    batch = Batch(torch.empty(*lead, experiment.batch, *SHAPE, device="meta"))
    found = []
    for place in range(3):  # the first begins, the second draws noise for many, the third has it
        counting.cost = Cost()
        with counting:
            progress, _ = train_step(game, progress, lambda: batch, seen=place * experiment.batch)
        found.append(counting.cost)
    return (found[1] + found[2].times(AHEAD - 1)).times(1 / AHEAD)


def stacks(images: int) -> Iterator[list[Experiment]]:
    """All trials of one shape together, of one shape in SHARE: any three of a shape's four axes take all their values.

    Each value of an axis has a place from 0 to 3, and the places of a shape that is taken add up to a multiple of 4.
    """
    grid = find_grid("mnist_grid").make("paper").with_base(images=images)
    for members in groups(list(grid.trials())):
        generator, discriminator = members[0].experiment.nets.generator, members[0].experiment.nets.discriminator
        assert isinstance(generator, MLPGenerator)
        assert isinstance(discriminator, MLPAutoencoder | MLPDiscriminator)
        places = (
            DEPTHS.index(generator.depth) + DEPTHS.index(discriminator.depth),
            GENERATOR_WIDTHS.index(generator.width) + DISCRIMINATOR_WIDTHS.index(discriminator.width),
        )
        if sum(places) % SHARE == 0:
            yield [trial.experiment for trial in members]


def main() -> None:
    """Print the whole grid's cost in stacks and one by one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=300_000)
    parser.add_argument("--rate", type=float, default=67e12, help="products' operations a second")
    parser.add_argument("--bandwidth", type=float, default=4.8e12, help="bytes a second")
    parser.add_argument("--launch", type=float, default=5e-6, help="seconds")
    chosen = parser.parse_args()
    counting = Counting(chosen.rate, chosen.bandwidth, chosen.launch)
    whole = {name: Cost() for name in ("EBGAN, stacks", "EBGAN, one by one", "GAN, stacks", "GAN, one by one")}
    count = dict.fromkeys(whole, 0)
    for members in stacks(chosen.images):
        family = type(members[0].objective).__name__
        steps = SHARE * members[0].images / members[0].batch
        whole[f"{family}, stacks"] += step_cost(members, counting).times(steps)
        alone = step_cost([replace(members[0], seed=0)], counting)
        whole[f"{family}, one by one"] += alone.times(steps * len(members))
        count[f"{family}, stacks"] += SHARE
        count[f"{family}, one by one"] += SHARE * len(members)
    print("| | runs | launches, 10^9 | PFLOP | PB moved | hours, the device alone | hours, eager |")
    print("|---|---|---|---|---|---|---|")
    for name, cost in whole.items():
        each = f"{cost.launches / 1e9:.2f} | {cost.operations / 1e15:.0f} | {cost.bytes / 1e15:.1f}"
        print(f"| {name} | {count[name]:,} | {each} | {cost.device / 3600:.1f} | {cost.eager / 3600:.1f} |")


if __name__ == "__main__":
    main()
