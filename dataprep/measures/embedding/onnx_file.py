"""Any ONNX file as an embedder; a small JSON file beside it says what the model's own shapes do
not.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataprep.errors import InputError
from dataprep.measures.embedding.sessions import Session, open_session
from dataprep.schemas.files.reading import MB, content_hash, read_json
from dataprep.schemas.options import did_you_mean

#: Views per call: enough to keep the cores busy, little enough to stay in their caches; and on a
#: GPU.
BATCH, BATCH_ON_GPU = 16, 128
#: How files end that hold the weights of a large model, which ONNX keeps outside of it.
_WEIGHTS = ("data", ".weight", ".bin")


@dataclass(frozen=True)
class Recipe:
    """How a model wants its images, and which of its figures is the embedding: (view x scale -
    mean) / std.

    Attributes:
        size: side in pixels; 0: what the model's input says, or else what the user asked for.
        scale: applied to the values 0 to 255.
        mean, std: of red, green and blue after scaling; default: ImageNet's. A model that takes
            uint8 gets pixels as they are.
        layout: NCHW or NHWC; empty: by where the input has 3 channels.
        output: name of an output; empty: the one that looks most like an embedding.
        pool: of an output of tokens (b, tokens, d): ``cls`` takes the first, ``mean`` the mean.
            Maps (b, d, h, w) are averaged.
    """

    size: int = 0
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    layout: str = ""
    output: str = ""
    pool: str = "cls"


class OnnxEmbedder:
    """A model in a session, as an `Embedder`."""

    def __init__(
        self,
        name: str,
        session: Session,
        recipe: Recipe,
        *,
        digest: str,
        dim: int = 0,
        batch: int = BATCH,
        parallel: int = 1,
    ) -> None:
        """The embedder `name`; `recipe` leaves nothing open, `digest` is of the model, `dim` is
        found by a trial if not given, and a batch is divided among `parallel` threads.
        """
        self.name = name
        self.size = recipe.size
        self.key = f"{digest} {json.dumps(asdict(recipe))} {session.family}"
        self.batch = session.input_shape[0] or (BATCH_ON_GPU if session.on_gpu else batch)
        self._session, self._recipe = session, recipe
        self._fixed = session.input_shape[0]
        self._threads = ThreadPoolExecutor(parallel, "dataprep-embed") if parallel > 1 else None
        self._parallel = parallel
        self.dim = dim or self(np.zeros((1, recipe.size, recipe.size, 3), np.uint8)).shape[1]

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        step = self._fixed or max(-(-len(views) // self._parallel), 1)
        chunks = [views[start : start + step] for start in range(0, len(views), step)]
        parts = list((self._threads.map if self._threads else map)(self._embed, chunks))
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def _embed(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        missing = (self._fixed or 0) - len(views)
        filled = (
            np.concatenate([views, np.repeat(views[-1:], missing, axis=0)])
            if missing > 0
            else views
        )
        try:
            output = self._session.run(self._prepared(filled), self._recipe.output)
        except Exception as error:
            raise InputError(
                f"embedder {self.name}: the model fails on images of {self.size} x {self.size}: "
                f"{error}"
            ) from error
        return self._pooled(output)[: len(views)]

    def _prepared(self, views: NDArray[np.uint8]) -> NDArray[Any]:
        recipe = self._recipe
        image: NDArray[Any] = views
        if self._session.input_type != np.uint8:
            std = np.array(recipe.std, np.float32)
            scale, shift = np.float32(recipe.scale) / std, np.array(recipe.mean, np.float32) / std
            image = (views * scale - shift).astype(self._session.input_type)
        return (
            np.ascontiguousarray(image.transpose(0, 3, 1, 2)) if recipe.layout == "NCHW" else image
        )

    def _pooled(self, output: NDArray[Any]) -> NDArray[np.float32]:
        values: NDArray[np.float32] = output.astype(np.float32, copy=False)
        if values.ndim == 4:
            values = values.mean(axis=(2, 3) if self._recipe.layout == "NCHW" else (1, 2))
        elif values.ndim == 3:
            values = values[:, 0] if self._recipe.pool == "cls" else values.mean(axis=1)
        if values.ndim != 2:
            raise InputError(
                f"embedder {self.name}: output {self._recipe.output!r} has shape {values.shape}; "
                "expected (b, d)"
            )
        return values


def onnx_file(path: str, size: int, threads: int, device: str = "auto") -> OnnxEmbedder:
    """The model in the file `path`, with ``path.json`` or the same name with ``.json`` beside it,
    if there.

    Raises:
        InputError: the model or the JSON file cannot be used. OptionError: there is no GPU, and one
            is asked for.
    """
    session = open_session(path, threads, device)
    recipe = _completed(_recipe_beside(path), session, size, path)
    return OnnxEmbedder(f"onnx:{path}", session, recipe, digest=f"onnx {_digest(path)}")


def _recipe_beside(path: str) -> Recipe:
    for beside in (f"{path}.json", f"{os.path.splitext(path)[0]}.json"):
        if os.path.isfile(beside):
            return _read_recipe(beside)
    return Recipe()


def _read_recipe(path: str) -> Recipe:
    values = read_json(path, "the recipe", limit=MB)
    known = [field.name for field in fields(Recipe)]
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected an object with some of {', '.join(known)}")
    for name in values:
        if name not in known:
            raise InputError(f"{path}: there is no setting {name!r}. {did_you_mean(name, known)}")
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    recipe = replace(Recipe(), **values)
    for name, right in _rules(recipe).items():
        if not right:
            raise InputError(
                f"{path}: {name} cannot be {getattr(recipe, name)!r}; see `Recipe`: {_RANGES[name]}"
            )
    return recipe


_RANGES = {
    "size": "a whole number of pixels up to 1024",
    "scale": "a number above 0, mostly 1/255 or 1",
    "mean": "three numbers",
    "std": "three numbers above 0",
    "layout": "NCHW or NHWC",
    "output": "the name of an output",
    "pool": "cls or mean",
}


def _rules(recipe: Recipe) -> dict[str, bool]:
    def three(values: Any) -> bool:
        return (
            isinstance(values, tuple)
            and len(values) == 3
            and all(_is_number(value) for value in values)
        )

    return {
        "size": isinstance(recipe.size, int)
        and not isinstance(recipe.size, bool)
        and 0 <= recipe.size <= 1024,
        "scale": _is_number(recipe.scale) and recipe.scale > 0,
        "mean": three(recipe.mean),
        "std": three(recipe.std) and min(recipe.std) > 0,
        "layout": recipe.layout in ("", "NCHW", "NHWC"),
        "output": isinstance(recipe.output, str),
        "pool": recipe.pool in ("cls", "mean"),
    }


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
    )


def _completed(recipe: Recipe, session: Session, size: int, path: str) -> Recipe:
    """`recipe` with what it leaves open settled by the shapes of the model."""
    shape = session.input_shape
    layout = recipe.layout or ("NHWC" if shape[3] == 3 and shape[1] != 3 else "NCHW")
    if shape[1 if layout == "NCHW" else 3] not in (3, None):
        raise InputError(
            f"{path}: expected an input of 3 colour channels, {layout}; got {_shown(shape)}"
        )
    height, width = shape[2:] if layout == "NCHW" else shape[1:3]
    if (height or width) != (width or height):
        raise InputError(f"{path}: expected a square input, got {_shown(shape)}")
    fixed = height or width
    if fixed and recipe.size and fixed != recipe.size:
        raise InputError(
            f"{path}: its input is {fixed} x {fixed} pixels, the JSON file beside it says size "
            f"{recipe.size}"
        )
    return replace(
        recipe,
        layout=layout,
        size=fixed or recipe.size or size,
        output=_output(recipe, session, path),
    )


def _shown(shape: tuple[int | None, ...]) -> str:
    return " x ".join(str(axis or "any") for axis in shape)


def _output(recipe: Recipe, session: Session, path: str) -> str:
    if recipe.output:
        if recipe.output not in session.outputs:
            raise InputError(
                f"{path} has no output {recipe.output!r}. "
                f"{did_you_mean(recipe.output, session.outputs)}"
            )
        return recipe.output
    return min(session.outputs, key=lambda name: (session.outputs[name] != 2, _unlikeness(name)))


def _unlikeness(name: str) -> int:
    return [word in name.lower() for word in ("embed", "pool", "feature", "")].index(True)


def _digest(path: str) -> str:
    """Hash of the model file and of the files of weights that belong to it, which begin with its
    name.
    """
    folder, name = os.path.split(os.path.abspath(path))
    stem = os.path.splitext(name)[0]
    weights = sorted(
        entry for entry in os.listdir(folder) if entry.startswith(stem) and entry.endswith(_WEIGHTS)
    )
    return content_hash(*(os.path.join(folder, part) for part in (name, *weights)))
