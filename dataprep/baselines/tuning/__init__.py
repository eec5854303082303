"""Choosing hyperparameters on validation alone: the learning-rate range test, the search space,
trials, and whether the best trial may be believed.

Imports `baselines.training` and `baselines.evaluation`.
"""
