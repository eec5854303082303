"""A linear classifier on features that stay as they are: its losses, its solver, and the model on
the audit's embeddings.

Imports `baselines.training`, which imports it. torch is not imported.
"""
