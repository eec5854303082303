"""The nouns and the contracts of every file that dataprep reads or writes: Dataset, Issues,
options, plan, split, report, run record.

Imports `errors` alone.
"""
