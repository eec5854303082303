"""Options of the pass over the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dataprep.schemas.options import option, validate

#: What `PassOptions.device` may be.
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class PassOptions:
    """How files are read, decoded, measured and embedded.

    None of these changes a figure, but for `scale_above_megapixels` and what is said of the
    embedder.

    Example:
        >>> import dataprep
        >>> options = dataprep.PassOptions(jobs=1, embedder="")
        >>> folder = "sample_data/shapes/val/stone"
        >>> dataprep.audit(folder, only=["dark"], pass_options=options).issues
        Issues(0 from 0 checks)
    """

    jobs: int = option(
        0, "worker processes; 0 takes every core this process may use that memory allows", low=0
    )
    time_limit_s: float = option(30.0, "seconds that one file may take", low=0.1, high=86_400)
    memory_limit_mb: int = option(
        2048, "megabytes that one worker may grow to", low=128, high=2**24
    )
    max_megapixels: float = option(
        250.0, "images with more pixels are not decoded (decompression bombs)", low=0.1, high=1e6
    )
    max_file_mb: float = option(512.0, "larger files are not read", low=0.1, high=2**24)
    scale_above_megapixels: float = option(
        16.0,
        "larger JPEGs are decoded at reduced scale, and other images where they have more than 64 "
        "too",
        low=0.1,
    )
    cache: bool = option(True, "keep and use measured rows in the cache folder")
    cache_dir: str = option("", "cache folder; empty means the user's cache folder")
    verify_cache: bool = option(
        False, "read every file again and compare its content hash with the cache"
    )

    embedder: str = option(
        "lite0", "embedder: lite0, onnx:FILE, hf:MODEL or a plug-in's name; empty for none"
    )
    embedder_size: int = option(
        160, "side of the image that the embedder sees, in pixels", low=32, high=1024
    )
    device: str = option(
        "auto",
        "where images are embedded: auto takes a GPU that the embedder's library can use",
        choices=DEVICES,
    )

    def __post_init__(self) -> None:
        validate(self, "pass")

    @classmethod
    def of_run(cls, run: Mapping[str, Any]) -> PassOptions:
        """The options in the record of an audit or a split; the defaults where it has none.
        Options that this version does not know are left out.
        """
        given = run.get("pass", run.get("options", {}).get("pass", {}))
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if name in known})
