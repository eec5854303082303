"""Files that are read and written safely: bounded reads of what a user names, results written out
of sight and published in one step, what a killed run left behind.

Imports `errors` alone.
"""
