"""Anomaly detection in tables: the energy compared with other detectors."""
