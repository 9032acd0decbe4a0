"""Numerical checks of the papers' theorems and arguments."""
