"""Runs that leave their folder: exported, read elsewhere, uploaded, and turned into graphs for other programs."""
