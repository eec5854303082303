"""Results as dataclasses with documented fields, and their JSON: made from them, and read back into
them.

Imports the standard library alone.
"""
