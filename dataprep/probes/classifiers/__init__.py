"""Cheap classifiers on embeddings, out of fold: multinomial logistic regression, ridge, nearest
neighbours; and the folds that keep units whole.

Imports `schemas` alone.
"""
