"""The step, the loop, optimisers, the moving average of the generator, and checkpoints."""

from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.fall import Fall
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam, OptimiserSpec
from ebgan.training.plateau import Plateau

__all__ = ["SGD", "Adadelta", "Adam", "Adamax", "Fall", "OptimiserSpec", "Plateau", "Turns"]
