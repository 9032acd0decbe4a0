"""Anomaly detection by the energy, with thresholds taken from normal samples."""
