"""CSV, JSON, JSON lines and Parquet to columns of text, in any encoding; a row that cannot be read
costs that row alone.

Imports `schemas`.
"""
