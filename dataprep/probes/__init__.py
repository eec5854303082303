"""Probes: cheap models on embeddings, out of fold, asked by checks, augmentation and baselines.

`classifiers` holds the models, `labels` what they say about labels, `groups` candidates for groups
that nobody named; beside them are the feature space, clusters, outliers, the two-sample tests and
t-SNE. Imports `neighbours`, `ingest`, `measures` and below.
"""
