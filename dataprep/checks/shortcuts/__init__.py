"""Checks for what gives a label away without the subject: properties of the file, and patches put
into the pixels.

One check a file, with the statistics they use beside them. Imports `checks.contract`,
`checks.statistics` and `measures.image`.
"""
