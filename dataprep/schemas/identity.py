"""Identity of a claim: the same for the same fault of the same content, whatever the files are
called and when it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.schemas.issues import FILE_SCOPES

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Issues


def issue_ids(issues: Issues, dataset: Dataset) -> np.ndarray[Any, Any]:
    """An id per claim: (n,) objects, each 16 hexadecimal digits.

    It is a hash of the check, the scope, the target and the related sample, where a sample stands
    for the hash of its bytes when that is known and for its name otherwise. So it survives
    renaming, moving and a change of threshold or figure, and changes with the file's content.
    Claims about copies of one file share an id: to dismiss one is to dismiss all.
    """
    import pandas as pd

    table = issues.table
    of_files = table["scope"].isin((*FILE_SCOPES, "record")).to_numpy()
    keys = pd.DataFrame(
        {
            "check": table["check"].astype("str"),
            "scope": table["scope"].astype("str"),
            "target": _keys(table["target"], of_files, dataset),
            "related": _keys(table["related"], of_files, dataset),
        }
    )
    hashes = pd.util.hash_pandas_object(keys, index=False).to_numpy()
    return np.array([f"{value:016x}" for value in hashes.tolist()], dtype=object)


def _keys(
    names: pd.Series[Any], of_files: np.ndarray[Any, Any], dataset: Dataset
) -> np.ndarray[Any, Any]:
    """(n,) what each name stands for: the file's hash where there is one, else the name."""
    import pandas as pd

    keys = names.to_numpy(dtype=object).copy()
    if "file_hash" not in dataset.samples or not len(dataset):
        return keys
    rows = dataset.samples.index.get_indexer(pd.Index(names))
    hashes = dataset.samples["file_hash"].fillna("").to_numpy(dtype=object)
    known = of_files & (rows >= 0)
    known[known] = hashes[rows[known]] != ""
    keys[known] = hashes[rows[known]]
    return keys
