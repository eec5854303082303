"""Cheap classifiers on embeddings, out of fold; checks, and later baselines and labelling, ask
them.
"""
