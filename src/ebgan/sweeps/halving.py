"""Successive halving (Jamieson & Talwalkar, "Non-stochastic best arm identification", 2016).

    rung k = 0 ... rungs - 1    1 / eta^k of the trials, with 1 / eta^(rungs - 1 - k) of their images each

The trials of a rung are separate trials: the same experiments with fewer images, and therefore with their own ids and
rows. Each computes exactly the first part of the full experiment, and starts from the beginning in each rung, because
stacks do not save weights. A trial that is dropped early might have been best in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, final

from ebgan.errors import UsageError, check_least
from ebgan.experiment.grid import Trial

Scores = Mapping[str, float | None]  # id -> score of the finished trials; None if samples cannot be measured


class Rung(NamedTuple):
    """Trials that are trained before the best ones continue in the next rung."""

    trials: list[Trial]
    above: int = 0  # rungs after this one, each of which costs about as much, or less


@final
@dataclass(frozen=True, kw_only=True)
class Halving:
    """Successive halving with `rungs` rungs; after each, the best one in `eta` trials continues."""

    eta: int = 3
    rungs: int = 3

    def __post_init__(self) -> None:
        check_least("halving", 2, eta=self.eta, rungs=self.rungs)

    def __str__(self) -> str:
        return f"1 of {self.eta} goes on, {self.rungs} rungs"

    def check(self, trials: Sequence[Trial]) -> None:
        """Raise UsageError for too few trials, or too few images in one of them."""
        least = self.eta ** (self.rungs - 1)
        if len(trials) < least:
            raise UsageError(f"halving, {self}: needs {least} trials, and here are {len(trials)}: choose fewer rungs")
        for made in (trial.experiment for trial in trials):
            images, least = made.images // self.eta ** (self.rungs - 1), (made.pretraining or 0) + made.batch
            if images < least:
                raise UsageError(
                    f"halving, {self}: of {made.images:,} images a trial would begin with {images:,}, less than "
                    f"pretraining and a batch ({least:,}): choose fewer rungs or more images"
                )

    def climb(self, trials: Sequence[Trial], scores: Callable[[], Scores]) -> Iterator[Rung]:
        """Yield one rung after the other; `scores` is called before each, and trials without a score are dropped.

        Raises UsageError if no finished trial has a score.
        """
        for above in reversed(range(self.rungs)):
            pairs = [(trial, self._shortened(trial, above)) for trial in trials]
            yield Rung(list({short.id: short for _, short in pairs}.values()), above)
            if above:
                trials = self._better(pairs, scores())

    def _shortened(self, trial: Trial, above: int) -> Trial:
        """A trial with the number of images of the rung that has `above` rungs after it."""
        made = trial.experiment
        return Trial.of(replace(made, images=made.images // self.eta**above), trial.data) if above else trial

    def _better(self, pairs: Sequence[tuple[Trial, Trial]], scores: Scores) -> list[Trial]:
        """The best one in `eta` trials by the scores of their shortened trials, in the order of the grid."""
        known = {trial.id: score for trial, short in pairs if (score := scores.get(short.id)) is not None}
        if not known and any(short.id in scores for _, short in pairs):
            raise UsageError(f"halving, {self}: these trials have no scores: sweep without halving")
        best = sorted(known, key=lambda trial: -known[trial])[: max(len(pairs) // self.eta, 1)]
        chosen = set(best)
        return [trial for trial, _ in pairs if trial.id in chosen]


def rungs(trials: Sequence[Trial], halving: Halving | None, scores: Callable[[], Scores]) -> Iterator[Rung]:
    """The rungs of a sweep; without halving there is one, of all trials."""
    return halving.climb(trials, scores) if halving else iter([Rung(list(trials))])


def unfinished(rung: Rung, finished: Collection[str]) -> list[Trial]:
    """The trials of a rung that are not among those with a result."""
    return [trial for trial in rung.trials if trial.id not in finished]
