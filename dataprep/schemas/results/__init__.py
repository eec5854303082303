"""What a baseline measured, as dataclasses with documented fields: the shapes of metrics.json.

Imports the standard library and `errors` alone.
"""
