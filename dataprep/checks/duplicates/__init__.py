"""Checks for copies and look-alikes: one check a file.

`pairs` finds and confirms the pairs for all of them, `null_pairs` tells what pairs this data set
has by chance, `claims` words them. Imports `checks.contract`, `neighbours`, `probes` and
`measures.pairs`.
"""
