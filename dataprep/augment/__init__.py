"""Augmentation: policies of albumentations steps, how one is chosen and how strong it is, and
changed copies of rare classes on disk.

Everything is fitted on training rows alone. Imports `normalisation`, `splits`, `probes`, `measures`
and below.
"""
