"""What the objectives that hold another one have in common: what they ask for is what that one asks for."""

from __future__ import annotations

from typing import Any

from ebgan.objectives.base import Objective, Place, State


class Wrapper(Objective[State]):
    """An objective around another; subclasses answer for themselves where they ask for more."""

    inner: Objective[Any]

    @property
    def in_use(self) -> Objective[Any]:
        """The inner objective as it is trained."""
        return self.inner

    @property
    def needs(self) -> frozenset[str]:
        return self.in_use.needs

    @property
    def unsettled(self) -> tuple[str, ...]:
        return tuple(f"inner.{name}" for name in self.in_use.unsettled)

    @property
    def pretrained(self) -> bool:
        return self.in_use.pretrained

    @property
    def measures_convergence(self) -> bool:
        return self.in_use.measures_convergence

    @property
    def probes(self) -> Place | None:
        return self.in_use.probes

    @property
    def classifies(self) -> bool:
        return self.in_use.classifies

    @property
    def reads_images(self) -> bool:
        return self.in_use.reads_images

    @property
    def conditional(self) -> bool:
        return self.in_use.conditional

    @property
    def limits(self) -> tuple[float, float] | None:
        return self.in_use.limits
