"""Exporting: a trained network as one file that needs nothing beside it, ONNX or torch's own
exported program.

Both take uint8 images and hold everything from the division by 255 to the calibrated probabilities.
TorchScript is not offered: torch has deprecated it in favour of exported programs.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dataprep.baselines.inference.exported_model import (
    INPUT,
    LOGITS,
    PROBABILITIES,
    TOLERANCE,
    VALUES,
    greatest_gap,
    open_bytes,
)
from dataprep.errors import OptionError, WorkError
from dataprep.schemas.text.extras import how_to_install

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.inference.model_card import ModelCard
    from dataprep.baselines.training.networks import Network


class Deployed(nn.Module):
    """A network from pixels to predictions: (B, size, size, 3) uint8 RGB to logits (B, k) and
    probabilities (B, k), or to the standardised output (B, 1) and values (B,) of a regression.
    """

    def __init__(self, network: Network, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self.kind = card.kind
        self.temperature = card.temperature
        self.centre = card.centre
        self.spread = card.spread

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and probabilities or values."""
        logits = self.network(images.permute(0, 3, 1, 2).float() / 255)  # (B, k)
        if self.kind == "regression":
            return logits, logits[:, 0] * self.spread + self.centre
        if self.kind == "multi-label":
            return logits, torch.sigmoid(logits / self.temperature)
        return logits, torch.softmax(logits / self.temperature, dim=1)


def exported(network: Network, card: ModelCard) -> torch.export.ExportedProgram:
    """The program of a network on the processor, in evaluation mode, for any number of images at
    a time.
    """
    copy = _plain_copy(network)
    images = torch.zeros(2, card.size, card.size, 3, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1)
    with torch.no_grad(), _quiet():
        return torch.export.export(
            Deployed(copy, card), (images,), dynamic_shapes={INPUT: {0: batch}}
        )


def program_bytes(program: torch.export.ExportedProgram, card: ModelCard) -> bytes:
    """The bytes of a ``.pt2`` file; ``extra_files`` hold what the ONNX metadata does."""
    file = io.BytesIO()
    with _quiet():
        torch.export.save(program, file, extra_files=card.metadata())
    return file.getvalue()


def onnx_bytes(program: torch.export.ExportedProgram, card: ModelCard) -> bytes:
    """The bytes of an ONNX model: the same for the same weights and versions, with no path of
    this machine in them.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise OptionError(
            f"exporting to ONNX needs {' and '.join(missing)}: {how_to_install('train')}"
        )
    names = [LOGITS, VALUES if card.kind == "regression" else PROBABILITIES]
    with torch.no_grad(), _quiet():
        written = torch.onnx.export(
            program, (), input_names=[INPUT], output_names=names, dynamo=True, verbose=False
        )
    model: Any = written.model_proto  # type: ignore[union-attr]
    _without_traces(model)
    for key, value in card.metadata().items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString(deterministic=True))


def _without_traces(model: Any) -> None:
    """Take out what the exporter notes about source files, and give the free axis its name."""
    for node in (
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
        *model.graph.initializer,
    ):
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    for entry in (*model.graph.input, *model.graph.output):
        entry.type.tensor_type.shape.dim[0].dim_param = "batch"


def compared(network: Network, card: ModelCard, data: bytes, images: NDArray[np.uint8]) -> float:
    """The greatest difference between the network and the exported model on `images`.

    Differences of logits are as shares of the greatest logit where that is above 1, and those of
    values of the greatest value.

    Raises:
        WorkError: it is above `TOLERANCE`.
    """
    with torch.inference_mode():
        ours = [
            each.numpy()
            for each in Deployed(_plain_copy(network), card)(
                torch.from_numpy(np.ascontiguousarray(images))
            )
        ]
    difference = greatest_gap(ours, open_bytes(data).run(None, {INPUT: images}))
    if not difference <= TOLERANCE:
        raise WorkError(
            f"the exported model differs from the trained one by {difference:.2g} on {len(images)} "
            "images (allowed: "
            f"{TOLERANCE:g}): it was not written. Please report this with the versions of torch, "
            "onnx and onnxruntime"
        )
    return difference


def _plain_copy(network: Network) -> Network:
    """The network on the processor, in evaluation mode and single precision; the given one stays
    as it is.
    """
    from copy import deepcopy

    copy = deepcopy(network).to("cpu", torch.float32).eval().requires_grad_(False)
    return copy.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's remarks on optional packages."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
