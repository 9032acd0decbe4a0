"""Anomalies in tables: the energy beside other detectors."""
