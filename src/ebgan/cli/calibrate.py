"""`ebgan calibrate RECIPE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from ebgan.cli.arguments import Named, ReadsClasses, parse

IMAGES = 300_000  # real images seen by default: five epochs of MNIST


@dataclass(frozen=True)
class CalibrateOptions(ReadsClasses):
    """Train only a recipe's auto-encoder on the data, and suggest a margin (EBGAN, appendix E)."""

    source: Annotated[str | None, arg(name="data", help="a folder or file in place of the recipe's data")] = None
    size: Annotated[int | None, arg(help="height and width of the data's pictures: short for --data.size")] = None
    device: Annotated[str | None, arg(help="cpu, cuda, cuda:1 or mps; by default the accelerator, if any")] = None


@dataclass(frozen=True)
class Calibrate(CalibrateOptions, Named):
    """Train only a recipe's auto-encoder on the data, and suggest a margin (EBGAN, appendix E).

    `ebgan calibrate RECIPE --help` lists every field of the recipe that can be changed by --FIELD VALUE. Training sees
    300,000 images, or --images.
    """


def main(argv: list[str]) -> None:
    """Print the energy curve, the energies of constant outputs, and a margin."""
    if not argv or argv[0].startswith("-"):
        parse(Calibrate, "calibrate", argv)
    from dataclasses import replace

    from ebgan.cli.experiment import find_device, find_experiment, with_fields
    from ebgan.runs.calibration import calibrate

    base = replace(find_experiment(argv[0], argv[1:]), images=IMAGES)
    chosen, experiment = with_fields(CalibrateOptions, f"calibrate {argv[0]}", base, argv[1:])
    data = experiment.data.open()
    print("images seen     E(x)")
    found = calibrate(
        experiment,
        data,
        device=find_device(chosen.device),
        report=lambda record: print(f"{record['images']:>11,}  {record['energy_real']:7.3f}", flush=True),
    )
    print(f"\noutput of zeros   {found.zero_output:.3f}  energy of an untrained net")
    print(f"mean image        {found.mean_image:.3f}  energy if every image is reconstructed as the mean image")
    print(
        f"auto-encoder      {found.reached:.3f}  energy of the trained net{'' if found.settled else ', still falling'}"
    )
    print(
        f"\nmargin            {found.margin:g}  suggested: halfway between the last two. Far above the mean image's "
        "energy training\n                  is unstable; near the trained net's, modes are dropped."
    )
    if not found.settled:
        print(f"The energy still falls: run longer with --images {2 * experiment.images}.")
