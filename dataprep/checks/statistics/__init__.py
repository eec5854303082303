"""What several families of checks share: columns as plain arrays, properties and their scales, what
is typical of a whole data set, and possible causes.

Holds no check. Imports `schemas` and `measures`.
"""
