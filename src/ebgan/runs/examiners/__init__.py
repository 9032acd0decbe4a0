"""Examiners: pictures and metrics of a run in training, for each kind of data."""
