"""Paths as tables write them to files that exist: walks of folders, other spellings of names, paths
of another machine, files that are no images.

Imports `schemas`.
"""
