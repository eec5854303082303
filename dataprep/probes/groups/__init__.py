"""Candidates for groups (patients, videos, bursts) that nobody named: found in names, folders and
columns, and held against the embeddings.

Imports `ingest` and `neighbours`.
"""
