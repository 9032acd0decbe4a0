"""Learning from few labels, with or without transitions as augmentation (VGAN; Zhai et al., 2016, eq. 11).

    0.5 CE(x, y) + 0.5 CE(x~, y),    x~ ~ p(x~ | x);    without augmentation only CE(x, y)

Adadelta with rate 1, divided by 10 after 60 % of the epochs and by 100 after 90 %; batches of 100; the weights that are
best on the validation set are tested. It follows the authors' code with two exceptions: the two terms are weighted as
in eq. 11 (1 and 1 in the code), and the initial weights are torch's defaults (Glorot's in the code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ebgan.data import Packed, scaled
from ebgan.distributed import default_device
from ebgan.nets.regularised_classifier import RegularisedClassifier
from ebgan.randomness import Randomness

BATCH = 100
READ = 500  # images classified at a time
RATES = ((0.9, 0.01), (0.6, 0.1))  # after this share of the epochs, the rate is multiplied by this

Augment = Callable[[Tensor], Tensor]  # images [N, C, H, W] in [0, 1] -> augmented images


class Errors(NamedTuple):
    """Error rates, as shares."""

    validation: float
    test: float


@dataclass(frozen=True)
class FewLabels:
    """The training, validation and test sets, and the length of training."""

    train: Packed
    validation: Packed
    test: Packed
    epochs: int = 200
    divide: int = 1  # the number of feature maps is divided by this

    def errors(self, augment: Augment | None, seed: int) -> Errors:
        """Train a classifier, and return the error rates of the weights that are best on the validation set."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return self._learn(augment, seed)

    def _learn(self, augment: Augment | None, seed: int) -> Errors:
        device = default_device()
        net = RegularisedClassifier(self.train.shape[0], len(self.train.classes), self.divide).to(device)
        optimiser = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.95, eps=1e-6)
        images, labels = (each.to(device) for each in tensors(self.train))
        best = Errors(2.0, 1.0)
        for epoch in range(self.epochs):
            optimiser.param_groups[0]["lr"] = rate(epoch / self.epochs)
            order = Randomness.of(seed).permutation("few labels", len(images), epoch)
            for index in torch.split(order.to(device), BATCH):
                optimiser.zero_grad()
                torch.autograd.backward(loss(net.train(), images[index], labels[index], augment))
                optimiser.step()
            error = wrong(net.eval(), self.validation)
            if error < best.validation:
                best = Errors(error, wrong(net, self.test))
        return best


def loss(net: RegularisedClassifier, images: Tensor, labels: Tensor, augment: Augment | None) -> Tensor:
    """Equation 11 on a batch [N, C, H, W] in [0, 1]; without augmentation only its first term, with weight 1."""
    plain = cross_entropy(net(images), labels)
    return plain if augment is None else 0.5 * plain + 0.5 * cross_entropy(net(augment(images)), labels)


def rate(share: float) -> float:
    """The learning rate after a share of the epochs."""
    return next((rate for start, rate in RATES if share >= start), 1.0)


@torch.no_grad()
def wrong(net: RegularisedClassifier, data: Packed) -> float:
    """The error rate of a net on a set."""
    images, labels = tensors(data)
    device = net.logits.weight.device
    named = torch.cat([net(batch.to(device)).argmax(-1).cpu() for batch in torch.split(images, READ)])
    return float((named != labels).double().mean())


def tensors(data: Packed) -> tuple[Tensor, Tensor]:
    """Images in [0, 1], and labels."""
    assert data.labels is not None
    return scaled(torch.from_numpy(data.images.copy()), (0.0, 1.0)), torch.from_numpy(data.labels)
