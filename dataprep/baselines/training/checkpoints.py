"""Checkpoints: all that a training run needs to go on bit for bit, written whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from dataprep.baselines.training.history import FitResult
from dataprep.errors import FingerprintError, InputError
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT
from dataprep.schemas.files.writing import write_atomically

_FORM = 1


def write_checkpoint(
    path: str, parts: dict[str, Any], fitted: FitResult, best: dict[str, Tensor], key: str
) -> None:
    """Put the state of every part, the history and the best weights in the place of `path`.

    Raises:
        OutputError: the disk is full or the folder cannot be written; the earlier checkpoint stays.
    """
    state = {name: part.state_dict() for name, part in parts.items()}
    made = io.BytesIO()  # torch's own writer turns a full disk into an error without a number
    torch.save(
        {"form": _FORM, "key": key, "parts": state, "fitted": asdict(fitted), "best": best}, made
    )
    with write_atomically(path) as file:
        file.write(made.getbuffer())


@contextmanager
def _no_checkpoint(path: str) -> Iterator[None]:
    """Whatever torch raises of a damaged file, in a line."""
    try:
        yield
    except Exception as error:
        raise InputError(
            f"{path} is no checkpoint that can be read ({type(error).__name__}): train without "
            "--resume"
        ) from error


def read_checkpoint(
    path: str, parts: dict[str, Any], key: str
) -> tuple[FitResult, dict[str, Tensor]]:
    """Give every part its state back; the history and the best weights. Nothing in the file is run
    (``weights_only``).

    Raises:
        InputError: not a checkpoint, or a damaged one.
        FingerprintError: one of another run.
    """
    check_input(path, "the checkpoint", limit=STAGE_LIMIT)
    with _no_checkpoint(path):
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or state["form"] != _FORM:
            raise TypeError("another form")
        fitted = FitResult(**state["fitted"])
        best = state["best"]
        found = {name: state["parts"][name] for name in parts}
        made_by = state["key"]
    if made_by != key:
        raise FingerprintError(
            f"{os.path.basename(path)} belongs to a run with other data or settings: train without "
            "--resume, or give back the "
            "settings in run.json"
        )
    with _no_checkpoint(path):
        for name, part in parts.items():
            part.load_state_dict(found[name])
    fitted.resumed_at = len(fitted.history)
    return fitted, best
