"""Tables: CSV, JSON lines, JSON and Parquet to columns, where a row that cannot be read costs
that row alone.
"""

from __future__ import annotations

import os
import posixpath

from dataprep.errors import InputError
from dataprep.ingest.paths.walk import open_file_system
from dataprep.ingest.tables.delimited import read_delimited
from dataprep.ingest.tables.encodings import checked_encoding
from dataprep.ingest.tables.json_tables import read_json, read_json_lines
from dataprep.ingest.tables.parquet_tables import read_parquet
from dataprep.ingest.tables.table import Table
from dataprep.schemas.files.reading import MB, check_input, read_input
from dataprep.schemas.text.names import escape_name

#: Extensions that are read as manifests.
EXTENSIONS = ("csv", "tsv", "jsonl", "ndjson", "json", "parquet")
#: Bytes of a manifest that is read whole, and of one of which only columns are.
_LIMIT, _PARQUET_LIMIT = 1024 * MB, 1 << 42


def read_table(place: str, encoding: str | None = None) -> Table:
    """The table in the file or fsspec URL `place`, its format by extension; `encoding` is that of
    text, guessed when None.

    Raises:
        InputError: the file is missing, is of another format, has no rows, or holds the images
            themselves.
        OptionError: an encoding that is unknown, or that the file is not in.
    """
    encoding = None if encoding is None else checked_encoding(encoding)
    extension = os.path.splitext(place)[1].lower().removeprefix(".")
    if extension not in EXTENSIONS and extension != "txt":
        what = " (XML, as CVAT and Pascal VOC write it, is not read)" if extension == "xml" else ""
        raise InputError(
            f"{place} is not a manifest{what}: expected a file that ends in "
            f".{', .'.join(EXTENSIONS)}"
        )
    name = escape_name(posixpath.basename(place.replace(os.sep, "/")))
    if extension == "parquet":
        table = read_parquet(_bytes_of(place) if "://" in place else _local(place), name)
    else:
        readers = {"jsonl": read_json_lines, "ndjson": read_json_lines, "json": read_json}
        table = readers.get(extension, read_delimited)(_bytes_of(place), name, encoding)
    table = table.tidied()
    _refuse_unread(table, place)
    return table


def _refuse_unread(table: Table, place: str) -> None:
    table.refuse_empty(place)
    if len(table.malformed) > len(table.rows):
        row, why = table.malformed[0]
        raise InputError(
            f"most rows of {place} cannot be read ({len(table.malformed):,} of "
            f"{len(table.malformed) + len(table.rows):,}); "
            f"the first is row {row}: {why}"
        )


def _bytes_of(place: str) -> bytes:
    if "://" not in place:
        return read_input(_there(place), "the manifest", limit=_LIMIT)
    try:
        system, path = open_file_system(place)
        return bytes(system.cat_file(path))
    except FileNotFoundError as error:
        raise InputError(f"there is no manifest {place}") from error
    except OSError as error:
        raise InputError(f"cannot read the manifest {place}: {error.strerror or error}") from error


def _local(place: str) -> str:
    return check_input(_there(place), "the manifest", limit=_PARQUET_LIMIT)


def _there(place: str) -> str:
    if not os.path.lexists(place):
        raise InputError(f"there is no manifest {place}")
    return place
