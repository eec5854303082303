"""Training one network: settings, data on disk and in batches, networks, losses, the loop on one
page, checkpoints, the history, and several processes.

Early stopping and the learning-rate schedule are in `loop`. Imports `baselines.evaluation.metrics`
and `measures`.
"""
