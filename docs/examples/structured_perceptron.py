"""A structured perceptron and its descendants on handwritten digits: one loop, in which the losses are this library's.

python docs/examples/structured_perceptron.py
"""

import torch
from torch.nn.functional import one_hot, softplus

from ebgan.data import open_data, scaled
from ebgan.objectives import EBGAN, LossSensitiveGAN
from ebgan.randomness import Randomness
from ebgan.records import Batch, Reading

CLASSES, HELD_OUT = 10, 297
LEARNERS = {  # an objective, the energy of F, and the step
    "structured perceptron": (LossSensitiveGAN(scale=0.0, real_weight=0.0), lambda F: -F, 1.0),
    "structured SVM, which is LS-GAN": (LossSensitiveGAN(scale=0.5, real_weight=0.0), lambda F: -F, 0.1),
    "EBGAN's loss": (EBGAN(margin=2.0), lambda F: softplus(-F), 0.1),
}


def evaluation(w, x):
    """F(x, y) = w . phi(x, y) for every y [batch, classes]: phi(x, y) has x in the place of y, and 0 elsewhere."""
    return x @ w.T


def worst(w, x, right):
    """y~, the wrong answer that F likes best: what a generator learns to find where nobody can try all answers."""
    return evaluation(w, x).masked_fill(one_hot(right, CLASSES).bool(), -torch.inf).argmax(-1)


def reading(energy, w, x, y):
    """What a discriminator says of the pairs (x, y); to the objective, an answer is an image of one row."""
    answer = one_hot(y, CLASSES).float()
    return Reading(answer[:, None, None], energy((evaluation(w, x) * answer).sum(-1)))


def turn(w, learner, x, right):
    """The weights after a step down the discriminator's loss, the right answers real and the worst ones fake."""
    objective, energy, step = learner
    w = w.clone().requires_grad_()
    real, fake = (reading(energy, w, x, y) for y in (right, worst(w, x, right)))
    loss = objective.discriminator(objective.init(), real, fake, Batch(real.images)).total
    return w.detach() - step * torch.autograd.grad(loss, w)[0]


def learn(learner, x, right, epochs=10):
    """The weights w [classes, features] after each pass over the examples, one at a time, from 0."""
    w = torch.zeros(CLASSES, x.shape[-1])
    for epoch in range(epochs):
        for index in Randomness.of(0).permutation("examples", len(x), epoch).split(1):
            w = turn(w, learner, x[index], right[index])
        yield w


def digits():
    """Pixels with a constant 1 for a bias [1797, 65], and labels [1797]."""
    data = open_data("digits")
    pixels = scaled(torch.tensor(data.images), (0.0, 1.0)).flatten(1)
    return torch.cat((pixels, torch.ones(len(pixels), 1)), 1), torch.tensor(data.labels)


def accuracy(w, x, right):
    """The share of examples whose best answer is the right one."""
    return (evaluation(w, x).argmax(-1) == right).float().mean().item()


if __name__ == "__main__":
    x, right = digits()
    for name, learner in LEARNERS.items():
        passes = list(learn(learner, x[:-HELD_OUT], right[:-HELD_OUT]))
        held_out = [accuracy(w, x[-HELD_OUT:], right[-HELD_OUT:]) for w in passes[-5:]]
        mean = sum(held_out) / len(held_out)
        print(f"{name:<32} held out {mean:.1%}, from {min(held_out):.1%} to {max(held_out):.1%}")
