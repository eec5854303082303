"""Checks of how the splits relate: samples and groups shared between them, classes and images
distributed differently.

One check a file, with the two-sample statistics beside them. Imports `checks.contract`,
`checks.statistics`, `checks.duplicates` and `probes`.
"""
