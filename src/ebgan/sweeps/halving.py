"""Successive halving (Jamieson & Talwalkar, "Non-stochastic best arm identification", 2016): few trials go to the end.

    rung k = 0 ... rungs - 1    1 / eta^k of the trials, with 1 / eta^(rungs - 1 - k) of their images each

The trials of a rung are trials of their own: the same experiments with fewer images, and so with another id and a row
of their own; the last rows of an experiment say how far it came. They compute what the whole experiments compute in
their first images, and begin anew in each rung, since stacks leave no weights behind. Who is behind early may be ahead
in the end: what becomes of the trials that are dropped, nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, final

from ebgan.errors import UsageError, check_least
from ebgan.experiment.grid import Trial

Scores = Mapping[str, float | None]  # by id, of the trials that are done; None where the data has no measure


class Rung(NamedTuple):
    """Trials that are trained before the next ones are chosen among them."""

    trials: list[Trial]
    above: int = 0  # rungs after this one, each of which costs at most about as much as this one


@final
@dataclass(frozen=True, kw_only=True)
class Halving:
    """How a sweep drops trials: in each of so many rungs the best of every `eta` trials goes on."""

    eta: int = 3
    rungs: int = 3

    def __post_init__(self) -> None:
        check_least("halving", 2, eta=self.eta, rungs=self.rungs)

    def __str__(self) -> str:
        return f"1 of {self.eta} goes on, {self.rungs} rungs"

    def check(self, trials: Sequence[Trial]) -> None:
        """Raise UsageError where there are too few trials, or too few images in one of them."""
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
        """One rung after the other; `scores` is asked when the next one is, and no trial without a score goes on.

        Raises UsageError where no trial that is done has a score.
        """
        for above in reversed(range(self.rungs)):
            pairs = [(trial, self._shortened(trial, above)) for trial in trials]
            yield Rung(list({short.id: short for _, short in pairs}.values()), above)
            if above:
                trials = self._better(pairs, scores())

    def _shortened(self, trial: Trial, above: int) -> Trial:
        """A trial with the images of a rung that has so many above it."""
        made = trial.experiment
        return Trial.of(replace(made, images=made.images // self.eta**above), trial.data) if above else trial

    def _better(self, pairs: Sequence[tuple[Trial, Trial]], scores: Scores) -> list[Trial]:
        """The best of every `eta` trials by the scores of their shortened ones, in the order of the grid."""
        known = {trial.id: score for trial, short in pairs if (score := scores.get(short.id)) is not None}
        if not known and any(short.id in scores for _, short in pairs):
            raise UsageError(f"halving, {self}: these trials have no score to go by: sweep without halving")
        best = sorted(known, key=lambda trial: -known[trial])[: max(len(pairs) // self.eta, 1)]
        chosen = set(best)
        return [trial for trial, _ in pairs if trial.id in chosen]


def rungs(trials: Sequence[Trial], halving: Halving | None, scores: Callable[[], Scores]) -> Iterator[Rung]:
    """The rungs of a sweep; without halving there is one, of all trials."""
    return halving.climb(trials, scores) if halving else iter([Rung(list(trials))])


def unfinished(rung: Rung, finished: Collection[str]) -> list[Trial]:
    """The trials of a rung that are not among those with a result."""
    return [trial for trial in rung.trials if trial.id not in finished]
