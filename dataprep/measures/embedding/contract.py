"""What an embedder is, the view of an image that it is shown, and how a name becomes one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep import registry
from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions

#: Sides, in pixels, that the default embedder was measured at.
SIZES = (128, 160, 224)


class Embedder(Protocol):
    """Turns views into vectors. It is called from one thread at a time.

    Attributes:
        name: what the user calls it.
        size: side of the views it is shown, in pixels.
        dim: length of its vectors.
        key: what its figures depend on (content hash of the model, precision, size, library where
            figures differ); vectors are cached under it, so that those of two models never mix.
        batch: views per call that is efficient.
    """

    name: str
    size: int
    dim: int
    key: str
    batch: int

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(b, size, size, 3) uint8 RGB to (b, dim) float32. A view's vector does not depend on
        the others in the batch.
        """


def load_embedder(
    name: str, *, size: int = 160, threads: int = 0, device: str = "auto"
) -> Embedder:
    """The embedder called `name`.

    Args:
        name: ``lite0`` (the default), ``onnx:PATH``, ``hf:NAME_OR_FOLDER`` or the name of a plug-in
            of the group ``dataprep.embedders``, which is a function ``(size, threads) ->
            Embedder``.
        size: side of the views in pixels. A model that takes one size only keeps it.
        threads: processor threads; 0 takes every usable core.
        device: ``auto`` takes a GPU where the embedder's library can use one, ``cpu`` takes none,
            ``cuda`` asks for one. Plug-ins choose for themselves.

    Raises:
        RegistryError: no such embedder. InputError: a model that cannot be used. OptionError: a
            size out of range, a library that is not installed, or a GPU that is asked for and
            cannot be used.
    """
    if not 32 <= size <= 1024:
        raise OptionError(f"embedder size: expected 32 to 1024 pixels, got {size}")
    scheme, colon, place = name.partition(":")
    if colon and scheme in _SCHEMES:
        if not place:
            raise OptionError(f"embedder {name!r}: expected {_SCHEMES[scheme]} after the colon")
        embedder: Embedder = _of_scheme(scheme)(place, size, threads, device)
        return embedder
    make = registry.load("dataprep.embedders", name)
    if "device" in inspect.signature(make).parameters:
        embedder = make(size, threads, device=device)
    elif device == "cuda":
        raise OptionError(
            f"device cuda: the embedder {name} chooses its device itself; leave the device at auto"
        )
    else:
        embedder = make(size, threads)
    return embedder


def embedder_of(options: PassOptions) -> Embedder:
    """The embedder that `options` name, with their size, threads and device; vectors are cached
    under its key. Errors are those of `load_embedder`.
    """
    return load_embedder(
        options.embedder, size=options.embedder_size, threads=options.jobs, device=options.device
    )


_SCHEMES = {
    "onnx": "the path of an .onnx file",
    "hf": "a folder or the name of a model on huggingface.co",
}


def _of_scheme(scheme: str) -> Any:
    if scheme == "onnx":
        from dataprep.measures.embedding.onnx_file import onnx_file

        return onnx_file
    from dataprep.measures.embedding.hugging_face import hugging_face

    return hugging_face


def view_of(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(size, size, 3): the whole image (h, w, 3), squashed into a square.

    A side at least twice too long is halved by averages, as often as need be; the rest is bilinear.
    That costs a quarter of a full area average and gives embeddings that classify as well.
    """
    small: Any = rgb
    while True:
        height, width = small.shape[:2]
        down, across = 1 + (height >= 2 * size), 1 + (width >= 2 * size)
        if down == across == 1:
            break
        whole = small[: height // down * down, : width // across * across]
        small = cv2.resize(whole, (width // across, height // down), interpolation=cv2.INTER_AREA)
    if small.shape[:2] != (size, size):
        small = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small)
