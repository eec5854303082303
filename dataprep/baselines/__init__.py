"""Baselines: the torch side of a split, and honest models trained on it."""
