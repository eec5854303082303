"""The report of an audit: computed in `summary`, shown by `console`, `html`, `sarif` and `tables`.

Imports `checks`, `engine` and `schemas`; never a later stage.
"""
