"""Exports of labelling tools: told by their structure, and read.

Imports `ingest.tables`, `ingest.labels` and `schemas`.
"""
