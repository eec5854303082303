"""Checks of what the images show: outliers, groups on which a probe fails, ranges of a property
that a class lacks, and what more data would bring.

One check a file; `slices` finds the groups. Imports `checks.contract`, `checks.statistics` and
`probes`.
"""
