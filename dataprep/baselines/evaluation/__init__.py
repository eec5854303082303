"""Figures and their uncertainty: metrics, the cluster bootstrap, calibration, decision thresholds,
slices, simple baselines to beat, comparisons of two models.

Metrics are defined once, in `metrics`. Imports `probes`, `splits` and `schemas`.
"""
