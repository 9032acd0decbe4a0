"""Alarms: find from the records what looks wrong in a run, and say what to do about it.

A symptom becomes an alarm if it is one of the general ones or the objective lists it (`Asks.alarms`), and if it lasts
for a fifth of the run and for 10,000 images without getting better.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ebgan.storage.runfolder import Record

PATIENCE = 0.2  # share of the run that a symptom must last
ENOUGH = 10_000  # images that it must last, however short the run is
BETTER = 0.9  # a severity below this share of the initial one is an improvement: the time starts again
COLLAPSE = 0.9  # mean squared cosine of the codes above which samples are nearly identical
STUCK = 1e-6  # distance from 0 or 1 within which BEGAN's k counts as stuck there
SATURATED = 0.01  # share of the largest possible entropy below which every expert is sure of every sample
DOMINANCE = 0.4  # a class dominates if its share exceeds that of the data's largest class by more than this
GENERAL = frozenset({"collapse", "class collapse"})  # possible for any objective


class Symptom(NamedTuple):
    """Something wrong that a record shows."""

    name: str
    severity: float  # positive, the larger the worse
    message: str  # what is wrong, and what to do


class Begun(NamedTuple):
    """When a symptom began."""

    images: int
    severity: float  # at that time


@dataclass
class Alarms:
    """Remembers when each symptom began; each alarm is raised once."""

    images: int  # of the whole run
    possible: frozenset[str]  # alarms that make sense for the objective, besides the general ones
    since: dict[str, Begun] = field(default_factory=dict)
    raised: set[str] = field(default_factory=set)
    highest: float = 0.0  # highest mean energy, of data or samples, in the records so far

    def hear(self, record: Record) -> list[Record]:
        """New alarms after a record of stats.jsonl: {"images", "alarm", "message"}."""
        energies = (record.get("energy_real", 0.0), record.get("energy_fake", 0.0))
        self.highest = max(self.highest, *energies)
        found = [*_of_the_margin(record, self.highest), *_of_the_samples(record), *_of_the_balance(record)]
        return self._after(record["images"], [each for each in found if each.name in self.possible | GENERAL])

    def judge(self, evaluation: Record) -> list[Record]:
        """New alarms after an evaluation."""
        return self._after(evaluation["images"], list(_of_the_classes(evaluation["metrics"])), of_metrics=True)

    def _after(self, images: int, found: list[Symptom], *, of_metrics: bool = False) -> list[Record]:
        """Alarms for symptoms that have lasted long enough; forget those that this kind of record no longer shows."""
        names = {each.name for each in found}
        for name in list(self.since):
            if name not in names and (name == "class collapse") == of_metrics:
                del self.since[name]
        alarms = [each for each in found if self._lasts(each, images) and each.name not in self.raised]
        self.raised |= {each.name for each in alarms}
        return [{"images": images, "alarm": each.name, "message": each.message} for each in alarms]

    def _lasts(self, symptom: Symptom, images: int) -> bool:
        begun = self.since.setdefault(symptom.name, Begun(images, symptom.severity))
        if symptom.severity < BETTER * begun.severity:
            self.since[symptom.name] = begun = Begun(images, symptom.severity)
        return images - begun.images >= max(PATIENCE * self.images, ENOUGH)


def _of_the_margin(record: Record, highest: float) -> Iterable[Symptom]:
    """`highest` is the highest mean energy so far: a margin above it was never reached."""
    share, margin = record.get("hinge_share"), record.get("margin")
    fake, real = record.get("energy_fake", 0.0), record.get("energy_real", 0.0)
    if not margin or share is None:
        return
    if share < 0.001:
        yield Symptom(
            "dead hinge",
            fake / margin,
            f"No sample lies under the margin {margin:.4g} any more (energy of the samples {fake:.4g}), so "
            "that the hinge has no gradient. Raise the margin (see `ebgan calibrate`).",
        )
    if share > 0.999 and margin > highest:
        yield Symptom(
            "margin out of reach",
            margin / fake if fake > 0 else margin,
            f"Every sample lies under the margin {margin:.4g} (energy of the samples {fake:.4g}), and the energies, "
            f"at most {highest:.4g} so far, never reach it: the hinge is always active. Lower the margin, or check "
            "the unit of the energy (see `ebgan calibrate`).",
        )
    if margin < real:
        yield Symptom(
            "margin below the data",
            real / margin,
            f"The margin {margin:.4g} lies below the energy of the data {real:.4g}, so that samples are pushed less "
            "far than the data itself lies. Pretrain for longer, or lower the discriminator's learning rate.",
        )


def _of_the_samples(record: Record) -> Iterable[Symptom]:
    similarity, entropy = record.get("code_similarity", 0.0), record.get("expert_entropy", 1.0)
    if entropy < SATURATED:
        yield Symptom(
            "experts saturated",
            1 - entropy / SATURATED,
            "Every expert is sure of every sample, so that there is hardly any gradient. Lower the "
            "discriminator's learning rate, or start from smaller weights (nets.discriminator.std).",
        )
    if record.get("energy_real") == record.get("energy_fake") == 0:
        yield Symptom(
            "dead energy",
            1.0,
            "Every energy, of data and samples, is exactly 0, so nothing is learned: the critic's ReLU is dead. Use "
            "ScalarEnergy(nonnegative=False), or smaller learning rates.",
        )
    if similarity > COLLAPSE:
        yield Symptom(
            "collapse",
            similarity,
            f"The codes of the samples point the same way (mean squared cosine {similarity:.2f}). Add the "
            "pulling-away term or raise its weight; with BEGAN raise gamma.",
        )


def _of_the_balance(record: Record) -> Iterable[Symptom]:
    k, fake, real = record.get("state/k"), record.get("energy_fake", 0.0), record.get("energy_real", 0.0)
    if k is None:
        return
    if k < STUCK:
        yield Symptom(
            "k stuck at 0",
            fake / real if real > 0 else 1.0,
            f"k stays at 0: the energy of the samples ({fake:.4g}) is above gamma times that of the data ({real:.4g}), "
            "and the discriminator is a plain auto-encoder. Raise gamma or the generator's learning rate.",
        )
    if k > 1 - STUCK:
        yield Symptom(
            "k stuck at 1",
            real / fake if fake > 0 else 1.0,
            f"k stays at 1: the energy of the samples ({fake:.4g}) is below gamma times that of the data ({real:.4g}), "
            "however hard they are pushed. Lower gamma, or raise the discriminator's learning rate.",
        )


def _of_the_classes(metrics: dict[str, float]) -> Iterable[Symptom]:
    largest, usual = (metrics.get(f"largest_class{of}", 0.0) for of in ("", "_real"))
    if largest - usual > DOMINANCE:
        yield Symptom(
            "class collapse",
            largest - usual,
            f"{largest:.0%} of the samples are of one class, and {usual:.0%} of the data. Lower the generator's "
            "learning rate; with EBGAN, raise the weight of the pulling-away term.",
        )
