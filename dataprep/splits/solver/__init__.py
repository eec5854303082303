"""The division as an optimisation problem: units that stay whole, target sizes and mixes, a greedy
assignment, local search, and repair with few moves.

Works on arrays alone. Imports `splits.units` and `schemas`.
"""
