"""Files to a Dataset, from metadata alone: folders, lists of files, manifests."""

from dataprep.ingest.scanning import scan

__all__ = ["scan"]
