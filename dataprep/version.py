"""The version of dataprep: one line, for the package's face, records and reports."""

__version__ = "0.1.0"
