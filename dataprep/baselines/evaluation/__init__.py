"""Figures and their uncertainty: metrics, the cluster bootstrap, calibration, decision thresholds,
slices, trivial baselines, comparisons of two models.

Metrics are defined once, in `metrics`. Imports `probes`, `splits` and `schemas`, and nothing else
of `baselines`.
"""
