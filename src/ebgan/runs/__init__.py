"""Runs: train an experiment into a folder, load it, and examine it."""
