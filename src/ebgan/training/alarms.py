"""What looks wrong in a run, said in words with a mend, from the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ebgan.runfolder import Record

PATIENCE = 0.2  # share of the run that a state must last before it is called out
COLLAPSE = 0.9  # mean squared cosine of the codes above which samples are all but one
STUCK = 1e-6  # distance from an end of [0, 1] within which BEGAN's k rests there
SATURATED = 0.01  # share of the experts' largest entropy below which all of them are sure of every sample
DOMINANCE = 0.4  # by how much the share of the largest class exceeds that of the data's where it dominates


@dataclass
class Alarms:
    """Remembers since when each symptom lasts; each alarm is raised once."""

    images: int  # of the whole run
    since: dict[str, int] = field(default_factory=dict)
    raised: set[str] = field(default_factory=set)

    def hear(self, record: Record) -> list[Record]:
        """New alarms after a record of stats.jsonl: {"images", "alarm", "message"}."""
        return [alarm for name, message in _symptoms(record) if (alarm := self._lasting(name, message, record))]

    def judge(self, evaluation: Record) -> list[Record]:
        """New alarms after an evaluation."""
        largest, usual = (evaluation["metrics"].get(f"largest_class{of}", 0.0) for of in ("", "_real"))
        message = (
            f"{largest:.0%} of the samples are of one class, and {usual:.0%} of the data. Lower the generator's "
            "learning rate; with EBGAN, raise "
            "the weight of the pulling-away term."
            if largest - usual > DOMINANCE
            else ""
        )
        alarm = self._lasting("class collapse", message, evaluation)
        return [alarm] if alarm else []

    def _lasting(self, name: str, message: str, record: Record) -> Record | None:
        images = record["images"]
        if not message:
            self.since.pop(name, None)
            return None
        if images - self.since.setdefault(name, images) < PATIENCE * self.images:
            return None
        raised = self._raise(name, message, images)
        return raised[0] if raised else None

    def _raise(self, name: str, message: str, images: int) -> list[Record]:
        if name in self.raised:
            return []
        self.raised.add(name)
        return [{"images": images, "alarm": name, "message": message}]


def _symptoms(record: Record) -> Sequence[tuple[str, str]]:
    """Each symptom's name, and its message where the record shows it."""
    return [*_of_the_margin(record), *_of_the_samples(record), *_of_the_balance(record)]


def _of_the_margin(record: Record) -> Sequence[tuple[str, str]]:
    share, margin = record.get("hinge_share"), record.get("margin")
    fake, real = record.get("energy_fake", 0.0), record.get("energy_real", 0.0)
    dead = share is not None and share < 0.001 and bool(margin)
    chosen = "margin_above_data" not in record  # by the user, not by the objective from the energies, as in MAGAN
    unreachable = share is not None and share > 0.999 and bool(margin) and chosen
    return [
        (
            "dead hinge",
            f"No sample lies under the margin {margin:.4g} any more (energy of the samples {fake:.4g}), so "
            "that the discriminator is not pushed by any. Raise the margin (see `ebgan calibrate`)."
            if dead
            else "",
        ),
        (
            "margin out of reach",
            f"Every sample lies under the margin {margin:.4g} (energy of the samples {fake:.4g}), "
            "so that the hinge never rests. Lower the margin, or check the unit of the energy (see `ebgan calibrate`)."
            if unreachable
            else "",
        ),
        (
            "margin below the data",
            f"The margin {margin:.4g} lies below the energy of the data {real:.4g}, so that samples are pushed less "
            "far than the data itself lies. Pretrain for longer, or lower the discriminator's learning rate."
            if record.get("margin_above_data", 0.0) < 0
            else "",
        ),
    ]


def _of_the_samples(record: Record) -> Sequence[tuple[str, str]]:
    similarity = record.get("code_similarity", 0.0)
    return [
        (
            "experts saturated",
            "Every expert is sure of every sample, so that hardly any gradient is left to learn from. Lower the "
            "discriminator's learning rate, or begin with smaller weights (nets.discriminator.std)."
            if record.get("expert_entropy", 1.0) < SATURATED
            else "",
        ),
        (
            "dead energy",
            "Every energy, of data and samples, is exactly 0, so that nobody learns: the critic's ReLU is dead. Use "
            "ScalarEnergy(nonnegative=False), or smaller learning rates."
            if record.get("energy_real") == record.get("energy_fake") == 0
            else "",
        ),
        (
            "collapse",
            f"The codes of the samples point the same way (mean squared cosine {similarity:.2f}). Add the "
            "pulling-away term or raise its weight; with BEGAN raise gamma."
            if similarity > COLLAPSE
            else "",
        ),
    ]


def _of_the_balance(record: Record) -> Sequence[tuple[str, str]]:
    k, fake, real = record.get("state/k"), record.get("energy_fake", 0.0), record.get("energy_real", 0.0)
    return [
        (
            "k stuck at 0",
            f"k stays at 0: the energy of the samples ({fake:.4g}) is above gamma times that of the data ({real:.4g}), "
            "and the discriminator is a plain auto-encoder. Raise gamma or the generator's learning rate."
            if k is not None and k < STUCK
            else "",
        ),
        (
            "k stuck at 1",
            f"k stays at 1: the energy of the samples ({fake:.4g}) is below gamma times that of the data ({real:.4g}), "
            "however hard they are pushed. Lower gamma, or raise the discriminator's learning rate."
            if k is not None and k > 1 - STUCK
            else "",
        ),
    ]
