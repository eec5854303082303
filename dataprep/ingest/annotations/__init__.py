"""Exports of labelling tools, recognised by their structure.

Imports `ingest.tables`, `ingest.labels` and `schemas`.
"""
