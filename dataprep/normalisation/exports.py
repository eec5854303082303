"""A normaliser for other libraries: albumentations, torchvision, timm and ONNX. Only ONNX has to
be installed to write its file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dataprep.errors import OptionError
from dataprep.schemas.files.writing import write_atomically
from dataprep.schemas.text.extras import how_to_install

if TYPE_CHECKING:
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
        OptionError: a normaliser of columns alone, or onnx is not installed.
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

    Raises:
        OptionError: onnx is not installed.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise OptionError(
            f"exporting to ONNX needs onnx ({error}): {how_to_install('train')}"
        ) from error
    nodes = [
        helper.make_node("Cast", ["images"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["real", "full"], ["unit"]),
        helper.make_node("Sub", ["unit", "shift"], ["shifted"]),
        helper.make_node("Div", ["shifted", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["normalised"], perm=[0, 3, 1, 2]),
    ]
    constants = {"full": (255.0,), "shift": normaliser.shift, "scale": normaliser.scale}
    graph = helper.make_graph(
        nodes,
        "normalise",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("normalised", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [
            helper.make_tensor(name, TensorProto.FLOAT, [len(values)], values)
            for name, values in constants.items()
        ],
    )
    model = helper.make_model(
        graph, producer_name="dataprep", ir_version=7, opset_imports=[helper.make_opsetid("", 13)]
    )
    return bytes(model.SerializeToString(deterministic=True))
