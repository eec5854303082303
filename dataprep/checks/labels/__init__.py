"""Checks of labels: wrong, ambiguous and noisy ones, and classes of uneven size.

One check a file; the evidence comes from `probes.labels`. Imports `checks.contract` and `probes`.
"""
