"""Figure 10 of the EBGAN paper: samples of EBGAN-LN after the generator's training has ended, for several seeds.

The runs are those of table 2 with 100 labels, in the same folders. The paper turns the generator off as soon as the
energy of the data "had already been low" and samples "exhibit good quality". Here "low" means below the energy of
images whose noise is not removed at all, noise^2 times the number of pixels; "good quality" means that all classes
occur among the samples.
"""

from __future__ import annotations

from statistics import fmean

from ebgan.data import Packed
from ebgan.nets.ladder import Ladder
from ebgan.recipes.index import Scale
from ebgan.report import gallery, grid
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.labels.table2 import experiment_of, folder_of
from ebgan.reproductions.verdicts import holds_of_each, within
from ebgan.runs.examiners.images import Examiner
from ebgan.runs.run import Run
from ebgan.runs.trainer import train
from ebgan.storage.runfolder import read_records

KIND, LABELS = "EBGAN-LN", 100
SHOWN, MEASURED = 100, 2000  # samples in a panel, and for the metrics
SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 1, "paper": 2}


def reproduce(asked: Request) -> Findings:
    """Samples of EBGAN-LN, one panel per seed, and whether all digits occur among them."""
    runs = [_trained(seed, asked) for seed in range(asked.seeds or SEEDS[asked.scale])]
    pictures = [(f"seed {seed}", grid(run.sample(SHOWN))) for seed, run in enumerate(runs)]
    seen = [_measured(run) for run in runs]
    rows = [["seed", "I'", "I' of real images", "classes covered", "energy of the data at the generator's last turn"]]
    for seed, (run, found) in enumerate(zip(runs, seen, strict=True)):
        scores = (f"{found[name]:.3g}" for name in ("i_usual", "i_usual_real"))
        rows.append([str(seed), *scores, f"{found['classes_covered']:.0%}", f"{energy_at_rest(run):.3g}"])
    return Findings(
        [_varied(seen), _low(runs)],
        {"figure10": gallery(pictures, 2)},
        {f"samples of EBGAN-LN, {LABELS} labels": rows},
    )


def energy_at_rest(run: Run) -> float:
    """The data's mean energy at the generator's last turn."""
    return float([record["energy_real"] for record in _play(run)][-1])


def _trained(seed: int, asked: Request) -> Run:
    asked.note(f"{KIND}, {LABELS} labels, seed {seed}")
    run = train(experiment_of(KIND, LABELS, seed, asked.scale), asked.out / folder_of(KIND, LABELS, seed))
    assert _play(run)
    return run


def _measured(run: Run) -> dict[str, float]:
    data = run.reopened()
    assert isinstance(data, Packed)
    return Examiner(run, data, MEASURED).quick_metrics()


def _play(run: Run) -> list[dict[str, float]]:
    return [record for record in read_records(run.folder.stats) if "energy_fake" in record]


def _varied(seen: list[dict[str, float]]) -> Claim:
    """The claim that all classes occur among the samples of every seed."""
    covered = min(found["classes_covered"] for found in seen)
    verdict = holds_of_each([found["classes_covered"] == 1 for found in seen])
    return Claim("samples of good quality: all classes are among them", "100 %", f"{covered:.0%}", *verdict)


def _low(runs: list[Run]) -> Claim:
    """The claim that the data's energy fell below that of the noise before the generator was turned off."""
    channels, height, width = runs[0].data.shape
    net = runs[0].experiment.nets.discriminator
    assert isinstance(net, Ladder)
    noise = net.noise**2 * channels * height * width
    energies = [energy_at_rest(run) for run in runs]
    what = "the energy of the data is low when the generator is turned off"
    return within(energies, high=noise).claim(what, f"below {noise:.3g}, the noise's", f"{fmean(energies):.3g}")
