"""The files of a normaliser in its folder: the normaliser, its exports, and the record of the
run; written together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from dataprep.errors import OptionError
from dataprep.normalisation.exports import (
    EXPORTS,
    albumentations_dict,
    onnx_bytes,
    timm_config,
    torchvision_source,
)
from dataprep.normalisation.storing import to_json
from dataprep.schemas.files.writing import mark_output, write_together
from dataprep.schemas.options import did_you_mean

if TYPE_CHECKING:
    from dataprep.normalisation.normaliser import Normaliser

NORMALISER, RUN = "normaliser.json", "run.json"

#: Mean and standard deviation of the training images of ImageNet-1k, which most published weights
#: were trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def write_normaliser(
    normaliser: Normaliser,
    folder: str | os.PathLike[str],
    *,
    exports: Collection[str] = (),
    run: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Write ``normaliser.json``, the exports asked for and ``run.json``; all of them or none.

    Args:
        normaliser: what to write.
        folder: made as needed.
        exports: any of `EXPORTS`.
        run: the record of the run (`dataprep.schemas.run.run_record`).

    Returns:
        Name ("normaliser", the exports, "run") to path.

    Raises:
        OptionError: an unknown export, or one of a normaliser of columns alone.
        OutputError: a file cannot be written.
    """
    folder = os.fspath(folder)
    contents = {"normaliser": (NORMALISER, _as_json(to_json(normaliser)))}
    for name in exports:
        if name not in EXPORTS:
            raise OptionError(f"no export is called {name!r}. {did_you_mean(name, EXPORTS)}")
        contents[name] = (EXPORTS[name], _exported(normaliser, name))
    if run is not None:
        contents["run"] = (RUN, _as_json(run))
    mark_output(folder)
    with write_together(folder, owns=(NORMALISER, RUN, *EXPORTS.values())) as opened:
        for file, content in contents.values():
            opened(file).write(content)
    return {name: os.path.join(folder, file) for name, (file, _) in contents.items()}


def _exported(normaliser: Normaliser, name: str) -> bytes:
    if name == "albumentations":
        return _as_json(albumentations_dict(normaliser))
    if name == "timm":
        return _as_json(timm_config(normaliser))
    return (
        torchvision_source(normaliser).encode() if name == "torchvision" else onnx_bytes(normaliser)
    )


def _as_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def summary_of(normaliser: Normaliser) -> list[str]:
    """The normaliser in lines of text: figures beside ImageNet's, the reason of the kind,
    columns and what to beware of.
    """
    lines: list[str] = []
    known = normaliser.statistics
    if known is not None:
        rows = {
            "mean": known.mean,
            "std": known.std,
            "min": known.minimum,
            "max": known.maximum,
            "ImageNet mean": IMAGENET_MEAN,
            "ImageNet std": IMAGENET_STD,
        }
        lines.append(f"{'':<14}{'R':>9}{'G':>9}{'B':>9}")
        lines += [
            f"{name:<14}" + "".join(f"{value:>9.4f}" for value in values)
            for name, values in rows.items()
        ]
        lines += ["", f"{normaliser.kind}: {normaliser.reason}"]
    lines += _column_lines(normaliser)
    return lines


def _column_lines(normaliser: Normaliser) -> list[str]:
    lines = [""] if normaliser.columns else []
    for scale in normaliser.columns:
        line = f"{scale.name}: {scale.kind}, centre {scale.centre:.6g}, spread {scale.spread:.6g}"
        line += f"; {scale.missing:,} missing or infinite" if scale.missing else ""
        lines.append(line + ("; constant: it says nothing, leave it out" if scale.constant else ""))
    return lines
