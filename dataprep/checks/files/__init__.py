"""Checks of single files and their metadata: one check a file.

Imports `checks.contract` and `checks.statistics`.
"""
