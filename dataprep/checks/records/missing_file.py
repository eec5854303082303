"""The check missing-file: rows whose file does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.records.record_faults import fault_claims

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class MissingFile(Check):
    """Rows of a manifest, or entries of a list, whose file does not exist.

    What it finds:
        A row of the manifest, or a path in the list of files, to which no file belongs. Such a row
        is no sample: it enters no other check and no count.
    Why it matters:
        A training loop stops at the first such row, or skips it silently, so that the classes are
        not as large as the manifest says.
    What to do:
        Restore the file, fix the path, or delete the row. When all files of one folder are
        missing, the manifest is probably older than the folder's name.
    How it works:
        Each path is tried from the folder given as source and from the manifest's own folder; as
        written, without white space around it, with backslashes read as slashes, as the bytes of
        the manifest's encoding, from the home folder (~), as a URL means it, and, for an id without
        extension, with the extension of the only file of that name. What is not found so is looked
        for in another Unicode form and another case of letters, where one file alone can be meant
        and no other row means it. Paths of another machine (absolute ones, those of Windows, URLs)
        are found by their endings: one prefix of the table stands for one folder here. Each of
        these is said in a sentence beside the data. Folders are listed once and no file is opened.
    Known limits:
        A file that exists and cannot be read is reported by the check unreadable instead. Where
        several files may be meant, none is taken, and they are named. When no file at all is found,
        scanning stops with a message that says what to give.
    Measured quality:
        A claim is made if and only if no file is found, and says so where several may be meant. On
        folders of made-up names (spaces, line breaks, bytes that are not UTF-8) every existing file
        is found (property test).
    """

    code = "missing-file"
    family = "records"
    severity = "error"
    scope = "record"
    suggestion = "review"
    summary = "Missing files"
    advice = "Restore the files or fix their paths; the cleaned manifest leaves these rows out."
    message = "{target} is listed, and {reason}{detail}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
