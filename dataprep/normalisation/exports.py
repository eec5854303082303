"""A normaliser for other libraries: albumentations, torchvision, timm and ONNX. None of them is
needed to write these.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

from dataprep.errors import OptionError
from dataprep.schemas.files.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataprep.normalisation.normaliser import Normaliser

#: Export to the name of its file.
EXPORTS: dict[str, str] = {
    "albumentations": "normalise_albumentations.json",
    "torchvision": "normalise_torchvision.py",
    "timm": "normalise_timm.json",
    "onnx": "normalise.onnx",
}
_TIMM_SIZE = 224


def albumentations_dict(normaliser: Normaliser) -> dict[str, Any]:
    """The serialised ``albumentations.Normalize`` of version 2: ``albumentations.from_dict`` makes
    the transform.

    It takes uint8 images (h, w, 3) and gives the float32 that `Normaliser.apply` gives, to within
    rounding.

    Raises:
        OptionError: a normaliser of columns alone.
    """
    _refuse_none(normaliser)
    figures = {"mean": [*normaliser.shift], "std": [*normaliser.scale], "max_pixel_value": 255.0}
    return {
        "__version__": "2.0.8",
        "transform": {
            "__class_fullname__": "Normalize",
            "p": 1.0,
            **figures,
            "normalization": "standard",
        },
    }


def albumentations_transform(normaliser: Normaliser) -> Any:
    """The ``albumentations.Normalize`` itself, to put at the end of a ``Compose``.

    Raises:
        OptionError: albumentations is not installed, or a normaliser of columns alone.
    """
    from dataprep.normalisation.library import albumentations

    return albumentations().from_dict(albumentations_dict(normaliser))


def torchvision_source(normaliser: Normaliser) -> str:
    """Python source that defines ``normalise``, a ``torchvision.transforms.v2`` pipeline of PIL
    images and uint8 arrays.

    Raises:
        OptionError: a normaliser of columns alone.
    """
    _refuse_none(normaliser)
    made = (
        f"fitted by dataprep on {normaliser.part} ({normaliser.fingerprint})"
        if normaliser.part
        else "made by hand"
    )
    return f'''"""{normaliser.kind}, {made}."""

import torch
from torchvision.transforms import v2

normalise = v2.Compose([
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize(mean={[*normaliser.shift]!r}, std={[*normaliser.scale]!r}),
])
'''


def timm_config(normaliser: Normaliser, size: int = 0) -> dict[str, Any]:
    """Arguments of ``timm.data.create_transform``, as ``timm.data.resolve_data_config`` gives them.

    Args:
        normaliser: of images.
        size: side that the model takes, in pixels; 0 for the side that the statistics were taken
            at, or 224.

    Raises:
        OptionError: a normaliser of columns alone.
    """
    _refuse_none(normaliser)
    side = size or normaliser.size or _TIMM_SIZE
    return {
        "input_size": [3, side, side],
        "interpolation": "bilinear",
        "mean": [*normaliser.shift],
        "std": [*normaliser.scale],
        "crop_pct": 1.0,
        "crop_mode": "squash",
    }


def write_onnx(normaliser: Normaliser, path: str | os.PathLike[str]) -> None:
    """Write an ONNX model that normalises: ``images`` uint8 (n, h, w, 3) to ``normalised`` float32
    (n, 3, h, w).

    Put it before a model by ``onnx.compose.merge_models``, so that nothing else can feed the model.

    Raises:
        OptionError: a normaliser of columns alone.
        OutputError: the file cannot be written.
    """
    _refuse_none(normaliser)
    with write_atomically(path) as file:
        file.write(onnx_bytes(normaliser))


def _refuse_none(normaliser: Normaliser) -> None:
    if normaliser.kind == "none":
        raise OptionError(
            "this normaliser scales columns alone and leaves images as they are: there is nothing "
            "to export"
        )


def onnx_bytes(normaliser: Normaliser) -> bytes:
    """The model of `write_onnx` as bytes: operator set 13, which every runtime since 2020 reads.

    Five nodes need no library: the fields below are those of onnx.proto
    (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
    """
    nodes = (
        _node("Cast", ["images"], "real", _attribute_int("to", 1)),
        _node("Div", ["real", "full"], "unit"),
        _node("Sub", ["unit", "shift"], "shifted"),
        _node("Div", ["shifted", "scale"], "scaled"),
        _node("Transpose", ["scaled"], "normalised", _attribute_ints("perm", (0, 3, 1, 2))),
    )
    constants = (
        _tensor("full", (255.0,)),
        _tensor("shift", normaliser.shift),
        _tensor("scale", normaliser.scale),
    )
    graph = b"".join(
        (
            *(_field(1, node) for node in nodes),
            _text(2, "normalise"),
            *(_field(5, constant) for constant in constants),
            _field(11, _value("images", 2, ("n", "h", "w", 3))),
            _field(12, _value("normalised", 1, ("n", 3, "h", "w"))),
        )
    )
    return b"".join(
        (_number(1, 7), _text(2, "dataprep"), _field(7, graph), _field(8, _number(2, 13)))
    )


def _node(operator: str, inputs: Iterable[str], output: str, attribute: bytes = b"") -> bytes:
    ends = b"".join(_text(1, name) for name in inputs) + _text(2, output)
    return (
        ends + _text(3, output) + _text(4, operator) + (_field(5, attribute) if attribute else b"")
    )


def _attribute_int(name: str, value: int) -> bytes:
    return _text(1, name) + _number(3, value) + _number(20, 2)


def _attribute_ints(name: str, values: Iterable[int]) -> bytes:
    return _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)


def _tensor(name: str, values: tuple[float, ...]) -> bytes:
    """A constant of type FLOAT (1) and one dimension."""
    return (
        _number(1, len(values))
        + _number(2, 1)
        + _text(8, name)
        + _field(9, struct.pack(f"<{len(values)}f", *values))
    )


def _value(name: str, element: int, shape: Iterable[str | int]) -> bytes:
    sides = b"".join(
        _field(1, _number(1, side) if isinstance(side, int) else _text(2, side)) for side in shape
    )
    return _text(1, name) + _field(2, _field(1, _number(1, element) + _field(2, sides)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*made, value))
