"""Files to a Dataset, from metadata alone: folders, lists of files, manifests.

`tables` reads files of rows, `labels` says what their labels mean, `paths` finds the files,
`annotations` knows the exports of labelling tools, `memory` takes images that are no files.
Imports `schemas` and `backends`.
"""

from dataprep.ingest.scanning import scan

__all__ = ["scan"]
