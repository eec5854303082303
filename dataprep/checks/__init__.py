"""Checks: each reads columns and yields issues, and touches nothing else.

One file is one check, in the folder of its family; `contract` says what a check is, `second_look`
what it may ask for beyond the columns, `statistics` holds what families share. A new check is one
file here and one line in `dataprep.registry`. Imports `probes`, `neighbours`, `measures`, `ingest`
and below.
"""
