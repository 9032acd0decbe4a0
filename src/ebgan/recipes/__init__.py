"""The figures and tables of the papers, and examples, as experiments with names."""

from ebgan.recipes import cifar10 as _cifar10
from ebgan.recipes import digits as _digits
from ebgan.recipes import imagenet as _imagenet
from ebgan.recipes import images64 as _images64
from ebgan.recipes import margins as _margins
from ebgan.recipes import mnist as _mnist
from ebgan.recipes import mnist_grid as _mnist_grid
from ebgan.recipes import mnist_relatives as _mnist_relatives
from ebgan.recipes import mnist_rivals as _mnist_rivals
from ebgan.recipes import mnist_vgan as _mnist_vgan
from ebgan.recipes import semisupervised as _semisupervised
from ebgan.recipes import semisupervised_grid as _semisupervised_grid
from ebgan.recipes import semisupervised_heads as _semisupervised_heads
from ebgan.recipes import semisupervised_mnist as _semisupervised_mnist
from ebgan.recipes import toys as _toys
from ebgan.recipes import vgan as _vgan
from ebgan.recipes.index import GRIDS, RECIPES, Recipe, find, find_grid

__all__ = ["GRIDS", "RECIPES", "Recipe", "find", "find_grid"]

del _cifar10, _digits, _images64, _imagenet, _margins, _mnist, _mnist_grid, _mnist_relatives, _mnist_rivals
del _mnist_vgan, _semisupervised, _semisupervised_grid, _semisupervised_heads, _semisupervised_mnist, _toys, _vgan
