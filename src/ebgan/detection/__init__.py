"""Anomalies: the energy as a detector, with a threshold of its own."""
