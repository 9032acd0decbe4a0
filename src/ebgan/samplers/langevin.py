"""Chains on the energy as negatives: alone (normalised auto-encoders; Yoon, Noh & Park, 2021) or among samples.

    in the code    z <- u / |u|,  u = z - s_z grad_z E(Dec(z)) / T + n_z e              `code_steps` times
    in the image   x <- clip(x - s g / T + (n / k) e),  g = grad_x E(x) at most `clip` long     k = 1 ... `steps`

with e ~ N(0, I) anew in each step. Chains start (`start`)

    "code"      on the decoder's manifold: at Dec(z) after steps in the code; z goes on from batch to batch
    "noise"     at the image where they stopped, at first uniform noise: persistent contrastive divergence
    "samples"   at the other sampler's samples

and "code" and "noise" begin anew with chance `restart`. The chains take turns: batch after batch, each in its place.
Step and noise are fields of their own, as in the authors' code; a chain that samples exp(-E / T) has s = n^2 / 2. That
code draws chains at random, and clips the gradient of each row of pixels; we clip that of an image.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ebgan.distributed import gather_across_ranks, rank
from ebgan.errors import UsageError, check_least, check_number
from ebgan.nets.base import BuildContext, Spherical
from ebgan.nets.layers import couples
from ebgan.numbers import per_model
from ebgan.randomness import Randomness
from ebgan.records import Batch, Sample
from ebgan.samplers.base import CurrentEnergy, DrawKey, Sampler
from ebgan.samplers.prior import Prior

AXES = {"code": -2, "noise": -4}  # the axis of the chains in what is kept of them


class Chains(NamedTuple):
    """Where the chains are."""

    inner: Any  # the other sampler's memory
    states: Tensor  # [*models, chains, code] of unit length, or [*models, chains, C, H, W]


@final
@dataclass(frozen=True, kw_only=True)
class Langevin(Sampler[Any]):
    """Another sampler's samples; for the discriminator, all or some are replaced by the ends of chains."""

    sampler: Sampler[Any] = Prior()
    share: float = 1.0  # probability that a sample is replaced by a chain's end
    start: Literal["code", "noise", "samples"] = "code"
    chains: int = 10_000  # kept for each model, unless they start at samples
    restart: float = 0.05  # probability that a chain begins anew
    code_steps: int = 10
    code_step: float = 0.2  # s_z
    code_noise: float = 0.05  # n_z, standard deviation
    steps: int = 50
    step: float = 10.0  # s, in units of the image squared over the energy
    noise: float = 0.05  # n, standard deviation in units of the image
    clip: float | None = 0.05  # length of an image's gradient, at most; None: any
    temperature: float = 1.0  # T

    def __post_init__(self) -> None:
        check_number("sampler", "from 0 to 1", share=self.share, restart=self.restart)
        check_number("sampler", "of 0 or more", code_noise=self.code_noise, noise=self.noise)
        check_number("sampler", "above 0", code_step=self.code_step, step=self.step, clip=self.clip)
        check_number("sampler", "above 0", temperature=self.temperature)
        check_least("sampler", 1, chains=self.chains)
        check_least("sampler", 0, code_steps=self.code_steps, steps=self.steps)

    @property
    def conditional(self) -> bool:
        return self.sampler.conditional

    @property
    def independent(self) -> bool:
        return self.start != "samples" and not isinstance(self.share, Tensor) and self.share == 1

    def check(self, generator: nn.Module) -> None:
        self.sampler.check(generator)

    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Any:
        if couples(discriminator):
            raise UsageError(
                "sampler: chains of Langevin need the energy of each image by itself, and nets.discriminator has batch "
                "norm, dropout or noise: take a net without (batch_norm=False, where it has that field)"
            )
        if self.start == "code" and not isinstance(discriminator, Spherical):
            raise UsageError(
                'sampler.start="code": chains start on the decoder\'s manifold, and need codes of unit length: take '
                'SphericalAutoencoder as nets.discriminator, or start="noise"'
            )
        inner = self.sampler.init(context, dtype, discriminator)
        if self.start == "samples":
            return inner
        energy = CurrentEnergy(discriminator, lambda _: torch.empty(0), context.limits)
        states = self._fresh(energy, context.shape, context.randomness, "chains", self.chains)
        return Chains(inner, states.to(dtype))

    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        return self.sampler.sample(generator, key, source)

    def replay(
        self, memory: Any, sample: Sample, key: DrawKey, source: Callable[[], Batch], energy: CurrentEnergy
    ) -> tuple[Sample, Any]:
        inner = memory.inner if isinstance(memory, Chains) else memory
        shown, inner = self.sampler.replay(inner, sample, key, source, energy)
        before = shown.images if shown.negatives is None else shown.negatives
        if isinstance(memory, Chains):
            ends, kept = self._walked(self._taken(memory.states, sample, key, energy), key, energy)
            after: Any = Chains(inner, self._put(memory.states, kept, key))
        else:
            ends, after = self.in_image(before, key, energy), inner
        replaced = key.randomness.uniform("chain share", key.count, first=key.first, turn=key.turn)
        replaced = (replaced <= per_model(self.share, 1))[..., None, None, None]
        return shown._replace(negatives=torch.where(replaced, ends.to(before.dtype), before)), after

    def finished(self, sample: Sample, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        """Ends of chains that begin anew where negatives are made without the generator, else the sampler's images."""
        if not self.independent:
            return self.sampler.finished(sample, key, energy)
        where = {"first": key.first, "turn": key.turn}
        start = self._fresh(energy, sample.images.shape[-3:], key.randomness, "chain start", key.count, **where)
        return self._walked(start, key, energy)[0].to(sample.images.dtype)

    def in_image(self, images: Tensor, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        """The images [*models, n, C, H, W] after the steps in the image."""
        drawn = _noise(key, "chain", self.steps, images)
        for number in range(1, self.steps + 1):
            slope = slopes(energy.read, images)
            if self.clip is not None:
                length = torch.linalg.vector_norm(slope.flatten(-3), dim=-1)[..., None, None, None]
                slope = slope * (per_model(self.clip, 4) / length.clamp_min(1e-30)).clamp(max=1)
            noise = per_model(self.noise, 4) / number * drawn[number - 1]
            images = images - per_model(self.step, 4) / per_model(self.temperature, 4) * slope + noise
            images = images if energy.limits is None else images.clamp(*energy.limits)
        return images

    def in_code(self, code: Tensor, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        """The codes [*models, n, code] after the steps in the code."""
        net = energy.net
        assert isinstance(net, Spherical)
        for drawn in _noise(key, "chain code", self.code_steps, code):
            slope = slopes(lambda z: energy.read(net.decode(z)), code)
            noise = per_model(self.code_noise, 2) * drawn
            code = code - per_model(self.code_step, 2) / per_model(self.temperature, 2) * slope + noise
            code = normalize(code, dim=-1)
        return code

    def _walked(self, states: Tensor, key: DrawKey, energy: CurrentEnergy) -> tuple[Tensor, Tensor]:
        """The ends of chains, and what is kept of them."""
        if self.start == "noise":
            ends = self.in_image(states, key, energy)
            return ends, ends
        code = self.in_code(states, key, energy)
        assert isinstance(energy.net, Spherical)
        images = energy.net.decode(code).detach()
        images = images if energy.limits is None else images.clamp(*energy.limits)
        return self.in_image(images, key, energy), code

    def _taken(self, states: Tensor, sample: Sample, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        """Where this batch's chains go on, some of them anew."""
        where, axis = {"first": key.first, "turn": key.turn}, AXES[self.start]
        old = states.index_select(axis, self._places(key.first, key.count, states.device))
        new = self._fresh(energy, sample.images.shape[-3:], key.randomness, "chain start", key.count, **where)
        anew = key.randomness.uniform("chain restart", key.count, **where) <= per_model(self.restart, 1)
        return torch.where(anew[(..., *[None] * (-axis - 1))], new.to(old.dtype), old)

    def _put(self, states: Tensor, kept: Tensor, key: DrawKey) -> Tensor:
        """What is kept of all chains, after those of all ranks have moved."""
        axis = AXES[self.start]
        whole = gather_across_ranks(kept, axis)
        count = whole.shape[axis]
        last = whole.narrow(axis, max(count - self.chains, 0), min(count, self.chains))
        first = key.first - rank().index * key.count + count - last.shape[axis]
        places = self._places(first, last.shape[axis], states.device)
        return states.index_copy(axis, places, last.to(states.dtype))

    def _places(self, first: Tensor | int, count: int, device: torch.device) -> Tensor:
        return (torch.arange(count, device=device) + first) % self.chains

    def _fresh(
        self,
        energy: CurrentEnergy,
        shape: tuple[int, ...],
        randomness: Randomness,
        purpose: str,
        count: int,
        **where: Tensor | int,
    ) -> Tensor:
        """New starts: uniform on the sphere of codes, or noise over the data's range (normal for points)."""
        if self.start == "code":
            assert isinstance(energy.net, Spherical)
            return normalize(randomness.normal(purpose, count, energy.net.code, **where), dim=-1)
        if energy.limits is None:
            return randomness.normal(purpose, count, *shape, **where)
        low, high = energy.limits
        return low + (high - low) * randomness.uniform(purpose, count, *shape, **where)


def slopes(energy: Callable[[Tensor], Tensor], places: Tensor) -> Tensor:
    """The gradient of an energy at each place, of the places' shape; weights get none."""
    with torch.enable_grad():
        places = places.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy(places).sum(), places)
    return slope.detach()


def _noise(key: DrawKey, purpose: str, steps: int, like: Tensor) -> Tensor:
    """Standard normal numbers [steps, *models, count, ...] for all steps of images or codes [*models, count, ...]."""
    batch = key.randomness.seeds.dim()  # the axis
    features = steps * math.prod(like.shape[batch + 1 :])
    drawn = key.randomness.noise(purpose, key.count, features, first=key.first)
    return drawn.reshape(*like.shape[: batch + 1], steps, *like.shape[batch + 1 :]).movedim(batch + 1, 0).to(like.dtype)
