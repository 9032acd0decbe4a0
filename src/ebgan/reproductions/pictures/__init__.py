"""The figures that are pictures."""
