"""The budgeted second look: what checks may ask for beyond the columns, worked out once and shared between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataprep.checks.duplicate_pairs import Duplicates, Progress, Verifier, find_duplicates, verify_files

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset


@dataclass
class SecondLook:
    """The `dataprep.checks.contract.Look` that the engine gives to checks.

    Attributes:
        dataset: the measured data set.
        options: limits of decoding, and workers.
        progress: called with (done, total, note) now and then.
        verify: holds candidate pairs against each other; None believes close hashes, for data whose files are out of reach.
        most_pairs: candidate pairs that are compared, nearest first; what is left out is said in `Duplicates.notes`.
    """

    dataset: Dataset
    options: PassOptions
    progress: Progress | None = None
    verify: Verifier | None = verify_files
    most_pairs: int = 200_000
    _duplicates: Duplicates | None = field(default=None, init=False, repr=False)

    def duplicates(self) -> Duplicates:
        """Verified duplicates of the data set: exact by bytes, exact by pixels, and near."""
        if self._duplicates is None:
            self._duplicates = find_duplicates(
                self.dataset, self.options, verify=self.verify, most_pairs=self.most_pairs, progress=self.progress
            )
        return self._duplicates
