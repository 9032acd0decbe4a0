"""`ebgan calibrate RECIPE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse

EPOCHS, LEAST = 5, 100_000


@dataclass(frozen=True)
class Calibrate:
    """Train a recipe's auto-encoder alone on the data and suggest a margin (EBGAN, appendix E)."""

    recipe: Annotated[Positional[str], arg(metavar="RECIPE")]  # a name from `ebgan recipes`, or a config.yaml
    source: Annotated[str | None, arg(name="data")] = None  # a folder or file in place of the recipe's data
    images: int | None = None  # images to train on; by default 5 epochs, and 100,000 at least
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] | None = None  # of matrix products; by default the recipe's


def main(argv: list[str]) -> None:
    """Print the energy curve, the energies of constant outputs, and a margin."""
    chosen = parse(Calibrate, "calibrate", argv)
    from dataclasses import replace

    from ebgan.calibration import calibrate
    from ebgan.cli.train import find_device, find_experiment
    from ebgan.trainer import open_images

    experiment = find_experiment(chosen.recipe)
    experiment = replace(experiment, precision=chosen.precision or experiment.precision)
    data = open_images(experiment, chosen.source)
    images = chosen.images or max(EPOCHS * len(data), LEAST)
    print("images seen     E(x)")
    found = calibrate(
        experiment,
        data,
        images,
        device=find_device(chosen.device),
        report=lambda record: print(f"{record['images']:>11,}  {record['energy_real']:7.3f}", flush=True),
    )
    print(f"\noutput of zeros   {found.zero_output:.3f}  where an untrained net begins")
    print(f"mean image        {found.mean_image:.3f}  what knows nothing of the single image")
    print(
        f"auto-encoder      {found.reached:.3f}  what the net fits{'' if found.settled else ' so far: still falling'}"
    )
    print(
        f"\nmargin            {found.margin:g}  suggested: halfway between the last two. Much above the mean image the "
        "hinge never rests and training\n                  is unstable; near what the net fits modes are dropped."
    )
    if not found.settled:
        print(f"The energy still falls: run longer with --images {2 * images}.")
