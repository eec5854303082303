"""What the label column is and what its cells mean: class names, several labels in a cell, one
column per class; and the task that follows.

Imports `ingest.tables` and `schemas`.
"""
