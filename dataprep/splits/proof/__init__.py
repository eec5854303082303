"""The proof of a division: what leaks, how far sizes and class mixes are from the targets and why,
whether the parts look alike, what other splitters give on the same samples, and the log of every
use of the test set.

Imports `checks`, `splits.solver` and `schemas`.
"""
