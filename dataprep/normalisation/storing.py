"""A normaliser as JSON: written in one step, checked in every field when read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import xxhash

from dataprep.errors import InputError
from dataprep.normalisation.statistics import WEIGHTINGS, ChannelStatistics
from dataprep.normalisation.tabular import COLUMN_KINDS, ColumnScale
from dataprep.schemas.files.reading import read_json
from dataprep.schemas.files.writing import write_atomically

if TYPE_CHECKING:
    from dataprep.normalisation.normaliser import Normaliser

FORMAT, VERSION = "dataprep-normaliser", 1


def to_json(normaliser: Normaliser) -> dict[str, Any]:
    """The content of the file: format, version, every attribute, ``shift`` and ``scale`` for
    other readers, and a seal.
    """
    content = json.loads(json.dumps(asdict(normaliser)))
    content = {
        "format": FORMAT,
        "version": VERSION,
        **content,
        "shift": [*normaliser.shift],
        "scale": [*normaliser.scale],
    }
    return {**content, "seal": _seal(content)}


def save(normaliser: Normaliser, path: str | os.PathLike[str]) -> None:
    """Write `normaliser` as JSON; the file takes its place when it is whole.

    Raises:
        OutputError: it cannot be written.
    """
    with write_atomically(path) as file:
        file.write((json.dumps(to_json(normaliser), indent=2, ensure_ascii=False) + "\n").encode())


def read_content(path: str | os.PathLike[str]) -> Any:
    """The JSON that `save` wrote, not checked yet.

    Raises:
        InputError: no such file, or no JSON.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise InputError(f"no normaliser at {path}. Make one: dataprep normalise")
    return read_json(path, "the normaliser")


def fields_from_json(content: Any, name: str) -> dict[str, Any]:
    """The arguments of the Normaliser that `to_json` was given.

    Args:
        content: what was read.
        name: of the file, for messages.

    Raises:
        InputError: another format or version, or damaged.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise InputError(
            f"{name} is not a normaliser of dataprep: expected JSON with the format {FORMAT!r}"
        )
    if content.get("version") != VERSION:
        raise InputError(
            f"{name} has version {content.get('version')!r}, expected {VERSION}: another release "
            "made it"
        )
    if content.get("seal") != _seal(content):
        raise InputError(
            f"{name} was damaged or edited: its seal does not match. Fit it again: dataprep "
            "normalise"
        )
    try:
        return _fields(content)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> InputError:
    """What is raised of a file whose values cannot be a normaliser's."""
    return InputError(
        f"{name} is damaged: {type(error).__name__}: {error}. Fit it again: dataprep normalise"
    )


def _seal(content: Mapping[str, Any]) -> str:
    """A checksum, against damage: not a signature."""
    rest = {key: value for key, value in content.items() if key != "seal"}
    return str(xxhash.xxh3_64_hexdigest(json.dumps(rest, sort_keys=True).encode()))


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    statistics = content["statistics"]
    return {
        "kind": str(content["kind"]),
        "statistics": None if statistics is None else _read_statistics(statistics),
        "columns": tuple(_read_scale(scale) for scale in content["columns"]),
        "part": str(content["part"]),
        "rows": int(content["rows"]),
        "lost": int(content["lost"]),
        "size": int(content["size"]),
        "fingerprint": str(content["fingerprint"]),
    }


def _read_statistics(content: Mapping[str, Any]) -> ChannelStatistics:
    triples = {name: _triple(content[name]) for name in ("mean", "std", "minimum", "maximum")}
    weighting = _one_of(content["weighting"], WEIGHTINGS)
    return ChannelStatistics(
        **triples, images=int(content["images"]), pixels=int(content["pixels"]), weighting=weighting
    )


def _triple(values: Any) -> Any:
    red, green, blue = (float(value) for value in values)
    if not all(0 <= value <= 1 for value in (red, green, blue)):
        raise ValueError(f"expected three figures in 0 to 1, got {values}")
    return red, green, blue


def _read_scale(content: Mapping[str, Any]) -> ColumnScale:
    scale = ColumnScale(**{field.name: content[field.name] for field in fields(ColumnScale)})
    _one_of(scale.kind, COLUMN_KINDS)
    _one_of(scale.values, ("float", "int", "bool"))
    if not (math.isfinite(scale.centre) and math.isfinite(scale.spread) and scale.spread > 0):
        raise ValueError(f"column {scale.name!r}: centre {scale.centre}, spread {scale.spread}")
    return scale


def _one_of(value: Any, known: Any) -> Any:
    if value not in known:
        raise ValueError(f"expected one of {', '.join(known)}, got {value!r}")
    return value
