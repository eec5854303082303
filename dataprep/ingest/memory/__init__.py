"""Images that lie in memory rather than in files: PIL images, bytes, arrays, and the data sets
of other libraries. Imports the rest of `ingest`.
"""
