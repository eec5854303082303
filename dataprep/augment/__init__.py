"""Normalisation and augmentation: fitted on training rows alone."""
