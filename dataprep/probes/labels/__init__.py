"""What classifiers say about labels: the evidence for each sample, the noise model, confident
learning, the list of labels that are probably wrong.

Imports `probes.classifiers`.
"""
