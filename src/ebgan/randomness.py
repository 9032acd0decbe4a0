"""Random numbers as a function of their purpose and index, without any hidden state that could be lost.

Every number is the Philox4x32-10 cipher (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3",
2011) of a key (seed, purpose) and a counter (element, sample, turn). A resumed run, a stack of models and a group of
ranks therefore see the same numbers as one uninterrupted process, on any device. Noise on every unit of a net needs
millions of numbers: there the cipher gives one key for each sample to a cheaper hash.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.errors import UsageError

_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_ROUNDS = 10
_WEYL = (0x9E3779B9, 0xBB67AE85)
_GOLDEN = _WEYL[0] - (1 << 32)  # as an int32

_BLOCK = 1 << 17  # groups of four words per block on the host, so that temporaries fit the cache
_AHEAD = 1 << 16  # numbers drawn per call and model: a small draw costs as much as a large one
_AHEAD_DEVICE = 1 << 18  # the same on a GPU, where a draw takes some hundred kernels

_NOTHING = (0, -1, torch.empty(0))  # samples from 0 on that were drawn: none

Words = tuple[Tensor, Tensor, Tensor, Tensor]
Word32 = NDArray[np.uint32]


def philox(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """Four 32-bit words (as int64) of Philox4x32-10 for a counter of four words and a key of two, elementwise."""
    return (philox_on_host if key[0].device.type == "cpu" else philox_on_device)(counter, key)


def philox_on_device(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """The cipher in torch, without waiting for the device."""
    c0, c1, c2, c3, _ = torch.broadcast_tensors(*counter, key[0])  # type: ignore[no-untyped-call]
    even, odd, keys = torch.stack((c0, c2)), torch.stack((c1, c3)), torch.stack(key)
    multipliers, weyl = _beside(_MULTIPLIERS, even), _beside(_WEYL, keys)
    for turn in range(_ROUNDS):
        product = (even * multipliers).flip(0)
        even = (product >> 32 & _LOW) ^ odd ^ (keys + turn * weyl & _LOW)
        odd = product & _LOW
    return even[0], odd[0], even[1], odd[1]


def philox_on_host(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """The cipher in NumPy, with 32-bit words: torch can multiply only 64-bit ones.

    Large draws are computed in blocks that stay in the processor's cache, cut along their longest axis.
    """
    shape = np.broadcast_shapes(*(word.shape for word in (*counter, *key)))
    if math.prod(shape) <= _BLOCK:
        first, second = (torch.from_numpy(each.astype(np.int64)) for each in _rounds(counter, key, shape))
        return first[0], second[0], first[1], second[1]
    longest = max(range(-len(shape), 0), key=lambda axis: shape[axis])
    length = max(1, _BLOCK * shape[longest] // math.prod(shape))
    words = torch.empty(4, *shape, dtype=torch.int64)
    for start in range(0, shape[longest], length):
        cut = partial(_cut, axis=longest, start=start, length=min(length, shape[longest] - start))
        c0, c1, c2, c3, k0, k1 = map(cut, (*counter, *key))
        for part, word in zip(cut(words), philox_on_host((c0, c1, c2, c3), (k0, k1)), strict=True):
            part.copy_(word)
    return words[0], words[1], words[2], words[3]


def _cut(word: Tensor, axis: int, start: int, length: int) -> Tensor:
    """A slice of an axis counted from the last; the whole axis if it has length 1 and is broadcast."""
    return word if word.dim() < -axis or word.shape[axis] == 1 else word.narrow(axis, start, length)


def _rounds(counter: Words, key: tuple[Tensor, Tensor], shape: tuple[int, ...]) -> tuple[Word32, Word32]:
    """The cipher's first and third word, and its second and fourth."""
    words = np.empty((2, 2, *shape), np.uint32)  # [of a pair, of pairs]
    for index, word in enumerate(counter):
        words[index % 2, index // 2] = word.numpy()
    (even, odd), keys = words, np.stack([word.numpy() for word in key]).astype(np.uint32)
    keys = keys.reshape(2, *[1] * (len(shape) + 1 - keys.ndim), *keys.shape[1:])
    multipliers, weyl = (np.reshape(pair, (2, *[1] * len(shape))) for pair in (_MULTIPLIERS, _WEYL))
    for _ in range(_ROUNDS):
        product = np.multiply(even, multipliers, dtype=np.uint64, casting="unsafe")[::-1]
        even, odd = (product >> 32).astype(np.uint32) ^ odd ^ keys, product.astype(np.uint32)
        keys = keys + weyl.astype(np.uint32)
    return even, odd


def _beside(pair: tuple[int, int], words: Tensor) -> Tensor:
    """Two constants as a tensor that broadcasts with a pair of words, created on the device to avoid a copy."""
    second = torch.arange(2, device=words.device).view(2, *[1] * (words.dim() - 1))
    return pair[0] + second * (pair[1] - pair[0])


@dataclass(frozen=True)
class Randomness:
    """The random numbers of one model, or of a stack of models with a seed each."""

    seeds: Tensor  # [*models] int64, on the device where the numbers are wanted
    dtype: torch.dtype = torch.float32  # of normal numbers; uniform ones are float32, which holds them exactly
    _kept: dict[Hashable, tuple[int, int, Tensor]] = field(default_factory=dict, repr=False, compare=False)  # by _ahead

    @classmethod
    def of(
        cls, seed: int | Tensor, device: torch.device | str | None = None, dtype: torch.dtype = torch.float32
    ) -> Randomness:
        """The randomness of a seed, or of one seed a model. Raises UsageError for a seed beyond 64 bits.

        Logarithms and cosines of float32 differ by a bit between processors; those of float64 by far less.
        """
        if isinstance(seed, int) and not -(2**63) <= seed < 2**63:
            raise UsageError(f"seed={seed}: expected a whole number of 64 bits, from -2^63 to 2^63 - 1")
        return cls(torch.as_tensor(seed, dtype=torch.int64, device=device), dtype)

    @property
    def once(self) -> Randomness:
        """The same, with one model in the place of all where they share their seed, which then has no stride."""
        return Randomness(self.seeds[:1], self.dtype) if self.seeds.stride() == (0,) else self

    def normal(self, purpose: str, count: int, *shape: int, first: int | Tensor = 0, turn: int | Tensor = 0) -> Tensor:
        """Standard normal numbers [*models, count, *shape] for the samples first, first + 1, ...

        `first` is the place of the first sample among all that the purpose ever draws; `turn` tells apart several
        draws for the same samples.
        """
        return self._ahead(_normal, purpose, (count, *shape), first, turn)

    def noise(self, purpose: str, count: int, features: int, first: int | Tensor = 0) -> Tensor:
        """Standard normal numbers [*models, count, features] like those of `normal`, at a tenth of the cost.

        The cipher gives each sample four words; a hash of these and of the element gives its numbers.
        """
        a, b, c, d = (_signed(word[..., :1]) for word in self._words(purpose, count, 4, first, 0))
        pair = torch.arange(-(-features // 2), dtype=torch.int32, device=self.seeds.device) * _GOLDEN
        radius = _fraction(_hash(_hash(pair + a) ^ b), self.dtype).log_().mul_(-2).sqrt_()
        angle = _fraction(_hash(_hash(pair + c) ^ d), self.dtype).mul_(math.tau)
        return torch.cat((radius * angle.cos(), radius * angle.sin()), -1)[..., :features]

    def uniform(self, purpose: str, count: int, *shape: int, first: int | Tensor = 0, turn: int | Tensor = 0) -> Tensor:
        """Uniform numbers in (0, 1], in float32, of the same shape and meaning as those of `normal`."""
        return self._ahead(_uniform, purpose, (count, *shape), first, turn)

    def permutation(self, purpose: str, length: int, epoch: int = 0) -> Tensor:
        """An order [*models, length] of range(length), another one in each epoch."""
        a, b, _, _ = self._words(purpose, 1, length * 4, 0, epoch)
        keys = a.bitwise_left_shift_(31).bitwise_xor_(b)
        return keys.squeeze(-2).argsort(dim=-1, stable=True).expand(*self.seeds.shape, length)

    def _ahead(
        self,
        finish: Callable[[Words, torch.dtype], Tensor],
        purpose: str,
        size: Sequence[int],
        first: int | Tensor,
        turn: int | Tensor,
    ) -> Tensor:
        """Numbers of samples; where one batch follows another, drawn together with those of batches to come.

        They are a function of what they are for, so that they are the same drawn alone. A place that only the device
        knows is not asked for: it would have to be waited for.
        """
        count, *shape = size
        elements = math.prod(shape)
        here = self.seeds.device.type == "cpu"
        most = _AHEAD if here else _AHEAD_DEVICE
        unknown = not here and (isinstance(first, Tensor) or isinstance(turn, Tensor))
        if unknown or 2 * count * elements > most:
            words = self._words(purpose, count, elements, first, turn)
            return self._for_all(self._shaped(finish(words, self.dtype), count, shape))
        index, key = int(first), (finish, purpose, tuple(shape), int(turn))
        start, end, values = self._kept.get(key, _NOTHING)
        if not start <= index <= index + count <= end:
            batches = most // max(count * elements, 1) if index == end else 1
            start, end = index, index + batches * count
            words = self._words(purpose, end - start, elements, index, turn)
            values = self._shaped(finish(words, self.dtype), end - start, shape)
            self._kept[key] = start, end, values
        drawn = values.narrow(-1 - len(shape), index - start, count).clone()
        return self._for_all(drawn) if self.seeds.dim() else drawn

    def _words(self, purpose: str, count: int, elements: int, first: int | Tensor, turn: int | Tensor) -> Words:
        """Four words for each group of four elements of each sample: [*models or 1, count, ceil(elements / 4)]."""
        device = self.seeds.device
        seeds = self.once.seeds[..., None, None]
        key = (seeds & _LOW, (seeds >> 32 & _LOW) ^ zlib.crc32(purpose.encode()))
        sample = torch.arange(count, device=device)[:, None] + first
        group = torch.arange(-(-elements // 4), device=device)
        turns = torch.zeros_like(group[:1]) + turn
        counter = (group, sample & _LOW, sample >> 32 & _LOW, turns & _LOW)
        return philox(counter, key)

    def _shaped(self, values: Tensor, count: int, shape: Sequence[int]) -> Tensor:
        """Numbers [*models or 1, count, *shape]: one model's where all share their seed."""
        return values[..., : math.prod(shape)].reshape(*self.once.seeds.shape, count, *shape)

    def _for_all(self, values: Tensor) -> Tensor:
        """The same with the whole model axis."""
        models = self.seeds.dim()
        return values.expand(*self.seeds.shape, *values.shape[models:])


def _signed(word: Tensor) -> Tensor:
    """A word of 32 bits as int32, whose arithmetic wraps around."""
    return (word - (word >> 31 << 32)).to(torch.int32)


def _hash(word: Tensor) -> Tensor:
    """Mix 32 bits in place, so that each input bit affects every output bit (Ellis, 2018)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - (1 << 32))):
        word.bitwise_xor_((word >> shift).bitwise_and_(_LOW >> shift)).mul_(factor)
    return word.bitwise_xor_((word >> 16).bitwise_and_(_LOW >> 16))


def _fraction(word: Tensor, dtype: torch.dtype) -> Tensor:
    """The upper 24 bits of an int32 as a number in (0, 1], which float32 holds exactly."""
    return (word >> 8).bitwise_and_(0xFFFFFF).add_(1).to(dtype).mul_(2.0**-24)


def _normal(words: Words, dtype: torch.dtype) -> Tensor:
    """Box and Muller's transform of the first and second word, and of the third and fourth."""
    a, b, c, d = words
    radii = _unit(torch.stack((a, c), -1), dtype).log().mul(-2).sqrt()
    angles = _unit(torch.stack((b, d), -1), dtype) * math.tau
    return (torch.stack((angles.cos(), angles.sin()), -1) * radii[..., None]).flatten(-3)


def _uniform(words: Words, dtype: torch.dtype) -> Tensor:  # noqa: ARG001
    return _unit(torch.stack(words, -1), torch.float32).flatten(-2)


def _unit(word: Tensor, dtype: torch.dtype) -> Tensor:
    """The upper 24 bits of a word as a number in (0, 1], which float32 holds exactly."""
    return ((word >> 8) + 1).to(dtype) * 2.0**-24
