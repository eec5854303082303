"""Checks of the table that lists the images: missing, unlisted, repeated and contradictory rows.

One check a file; `record_faults` turns what reading the table noted into claims. Imports
`checks.contract`.
"""
