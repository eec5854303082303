"""A split as files: links or copies in a new folder, manifests and lists for other libraries, and
tar shards.

The images are read, never written. Imports `splits` and `cleaning`.
"""
