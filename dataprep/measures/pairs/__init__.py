"""Two images compared pixel by pixel: key points, alignment, agreement, and the words for how one
came from the other.

This is the budgeted second look at candidate pairs. Imports `measures.decode`.
"""
