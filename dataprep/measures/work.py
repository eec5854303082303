"""What a worker does with one file: read it once, decode it once, run every measure. Runs in worker
processes; imports no pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

import xxhash

from dataprep import registry
from dataprep.backends.wire import words_of
from dataprep.errors import RegistryError
from dataprep.measures import builtin_measures
from dataprep.measures.contract import Measure
from dataprep.measures.options import PassOptions
from dataprep.measures.rows import TROUBLE, RowFormat

if TYPE_CHECKING:
    from dataprep.measures.cache import Recollection
    from dataprep.measures.decode.pixels import Pixels

#: Bytes of a view: a `PickleBuffer` in a worker, which its parent receives as a memoryview.
View = bytes | memoryview | PickleBuffer
#: A measured file: numbers and text as `RowFormat.pack` gives them, whether they came from the
#: cache, and the embedder's view (size x size x 3 bytes), empty where none was asked for or the
#: file was not decoded.
Row = tuple[bytes, str, bool, View]

#: Raised when decoding gives other figures for the same file.
_DECODING = 2
#: What reads and decodes; another version of one of them may give other figures.
_DECODERS = ("numpy", "pillow", "simplejpeg", "opencv-python-headless", "pillow-heif")


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know.

    Attributes:
        columns: measured columns to fill.
        options: limits of decoding.
        signature: of the plan; see `signature_of`.
        cache: file of the cache to look contents up in, or "".
        view: side of the embedder's view in pixels; 0 when nothing is embedded.
    """

    columns: tuple[str, ...]
    options: PassOptions
    signature: str = ""
    cache: str = ""
    view: int = 0


def measures_of(columns: Collection[str] | None = None) -> tuple[Measure, ...]:
    """The measures that fill `columns` (None: all), built-in ones first, then plug-ins of the group
    ``dataprep.measures``.

    Raises:
        RegistryError: a plug-in that does not load, is no `Measure`, or fills a column that another
            one fills.
    """
    measures = {measure.column: (measure, "dataprep") for measure in builtin_measures()}
    for name in registry.names("dataprep.measures"):
        measure = registry.load("dataprep.measures", name)
        if not isinstance(measure, Measure):
            raise RegistryError(
                f"measure {name!r}: expected a dataprep.measures.contract.Measure, got "
                f"{type(measure).__name__}"
            )
        if measure.column in measures:
            other = measures[measure.column][1]
            raise RegistryError(
                f"column {measure.column!r} is filled by both {other} and the plug-in {name!r}"
            )
        measures[measure.column] = (measure, f"the plug-in {name!r}")
    return tuple(
        measure for measure, _ in measures.values() if columns is None or measure.column in columns
    )


def signature_of(measures: Collection[Measure], options: PassOptions) -> str:
    """What a cached row depends on besides the file's content: measures, their versions, limits
    and the decoders' versions.
    """
    parts = sorted(f"{measure.column}={measure.version}" for measure in measures)
    parts += [
        f"{name}={getattr(options, name)}"
        for name in ("max_megapixels", "max_file_mb", "scale_above_megapixels")
    ]
    parts += [f"{name}={_version(name)}" for name in _DECODERS] + [f"decoding={_DECODING}"]
    parts.append(RowFormat(measure.column for measure in measures).layout)
    return xxhash.xxh3_128_hexdigest("\n".join(parts).encode())


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def measuring(setup: Setup) -> Callable[[str | tuple[str, bytes]], Row]:
    """The task of the pass, for `dataprep.backends.imap`: a path, or a name and bytes, to a `Row`.

    A file that cannot be decoded is a row too, with ``lost``, ``lost_detail`` and whatever was
    known before the loss.
    """
    measures, rows = _planned_measures(setup.columns), RowFormat(setup.columns)
    recollection = _recollection(setup)

    def measure(item: str | tuple[str, bytes]) -> Row:
        return _measure(item, setup, measures, rows, recollection)

    return measure


def _planned_measures(columns: tuple[str, ...]) -> tuple[Measure, ...]:
    """As `measures_of`, for columns that it gave: plug-ins are looked for only where they fill one
    of them.
    """
    built_in = {measure.column: measure for measure in builtin_measures()}
    if built_in.keys() >= set(columns):
        return tuple(measure for column, measure in built_in.items() if column in columns)
    return measures_of(columns)


def _recollection(setup: Setup) -> Recollection | None:
    if not setup.cache:
        return None
    from dataprep.measures.cache import Recollection

    return Recollection(setup.cache, setup.signature)


def _measure(
    item: str | tuple[str, bytes],
    setup: Setup,
    measures: tuple[Measure, ...],
    format: RowFormat,
    recollection: Recollection | None,
) -> Row:
    from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes

    row: dict[str, Any] = {}
    view: View = b""
    try:
        data = read_bytes(item, setup.options) if isinstance(item, str) else item[1]
        digest = xxhash.xxh3_128_digest(data)
        row["file_hash"] = digest.hex()
        row["bytes"] = len(data)
        if (
            recollection is not None
            and (known := recollection.find(digest))
            and format.fits(*known)
        ):
            return *known, True, b""
        pixels = open_pixels(data, setup.options)
    except Undecodable as failure:
        row |= failure.facts | {"lost": failure.reason, "lost_detail": failure.detail}
    else:
        row |= values_of(pixels, measures)
        view = _view(pixels, setup.view)
    return *format.pack(row), False, view


def _view(pixels: Pixels, size: int) -> View:
    if not size:
        return b""
    from dataprep.measures.embedding.contract import view_of

    return PickleBuffer(view_of(pixels.rgb, size).data)


def values_of(pixels: Pixels, measures: tuple[Measure, ...]) -> dict[str, Any]:
    """Column to value. A measure that raises leaves its column unknown, and is named: it costs
    no other measure, and no image.
    """
    values: dict[str, Any] = {}
    for measure in measures:
        try:
            values[measure.column] = measure(pixels)
        except Exception as error:
            values[TROUBLE] = (
                f"{values[TROUBLE]}; {measure.column}"
                if TROUBLE in values
                else f"{measure.column}: {words_of(error)}"
            )
    return values
