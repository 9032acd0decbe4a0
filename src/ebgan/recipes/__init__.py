"""The figures and tables of the papers, and examples, as experiments with names."""

from ebgan.recipes import digits as _digits
from ebgan.recipes import mnist as _mnist
from ebgan.recipes import mnist_grid as _mnist_grid
from ebgan.recipes import mnist_relatives as _mnist_relatives
from ebgan.recipes import mnist_rivals as _mnist_rivals
from ebgan.recipes import mnist_vgan as _mnist_vgan
from ebgan.recipes import toys as _toys
from ebgan.recipes.index import GRIDS, RECIPES, Recipe, find, find_grid

__all__ = ["GRIDS", "RECIPES", "Recipe", "find", "find_grid"]

del _digits, _mnist, _mnist_grid, _mnist_relatives, _mnist_rivals, _mnist_vgan, _toys
