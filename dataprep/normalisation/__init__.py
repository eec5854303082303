"""Normalisation: statistics of the training rows, how pixel values and numeric columns are brought
to one scale with them, and the same normaliser as JSON, ONNX and code for other libraries.

Imports `measures`, `ingest` and `schemas`; `dataprep.augment` builds on it.
"""
