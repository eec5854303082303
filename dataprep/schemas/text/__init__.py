"""Text that is shown or compared: file names that are not UTF-8, spellings of one label, counted
words, numbers in text, the one order of classes.

Imports `errors` alone.
"""
