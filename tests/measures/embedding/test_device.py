"""Where images are embedded: on a GPU where a library can use one, and errors where one is asked
for in vain. There is none here: what libraries offer is made up.
"""

from __future__ import annotations

import types
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from dataprep import registry
from dataprep.errors import OptionError
from dataprep.measures.embedding import sessions
from dataprep.measures.embedding.contract import load_embedder
from dataprep.measures.embedding.hugging_face import _device_for
from dataprep.measures.options import PassOptions
from tests.measures.embedding.models import save_means


class FakeSession(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session that says it runs where it was told to, if that is `works`, and runs on the
    processor.
    """

    works = True

    def __init__(self, path: str, options: Any, providers: list[str]) -> None:
        super().__init__(path, options, providers=["CPUExecutionProvider"])
        self.said = providers if self.works else providers[-1:]

    def get_providers(self) -> list[str]:
        return self.said


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An embedder, beside an onnxruntime that was built for GPUs."""
    fake = types.SimpleNamespace(
        get_available_providers=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
        InferenceSession=FakeSession,
        SessionOptions=onnxruntime.SessionOptions,
        __version__="0",
    )
    monkeypatch.setattr(sessions, "load_onnxruntime", lambda: fake)
    shape = ("b", "h", "w", 3)
    return f"onnx:{save_means(tmp_path / 'm.onnx', shape=shape, kind=TensorProto.UINT8)}"


@pytest.mark.parametrize("name", ["onnx", "lite0"])
def test_auto_takes_the_gpu_and_cpu_does_not(model: str, name: str) -> None:
    name = model if name == "onnx" else name
    chosen = {device: load_embedder(name, threads=1, device=device) for device in ("auto", "cuda")}
    assert all(embedder.key.endswith("onnxruntime-cuda") for embedder in chosen.values())
    assert {embedder.batch for embedder in chosen.values()} == {128}
    assert "cuda" not in load_embedder(name, threads=1, device="cpu").key


@pytest.mark.parametrize("name", ["onnx", "lite0"])
def test_a_gpu_that_cannot_be_used_is_missed_only_when_asked_for(
    model: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSession, "works", False)
    name = model if name == "onnx" else name
    embedder = load_embedder(name, threads=1)
    assert embedder.key.endswith("onnxruntime-cpu")
    assert embedder(np.zeros((2, embedder.size, embedder.size, 3), np.uint8)).shape[0] == 2
    with pytest.raises(OptionError, match="cannot use the one of this machine"):
        load_embedder(name, threads=1, device="cuda")


def test_a_library_that_was_built_without_says_what_to_install() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime was built for a GPU")
    with pytest.raises(OptionError, match="pip install onnxruntime-gpu"):
        load_embedder("lite0", threads=1, device="cuda")


def test_torch_embeds_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [_device_for(device) for device in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [_device_for(device) for device in ("auto", "cpu")] == ["cpu", "cpu"]
    with pytest.raises(OptionError, match="sees no GPU"):
        _device_for("cuda")


def test_plug_ins_choose_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("plain", f"{__name__}:plug_in", "dataprep.embedders")
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry._table.cache_clear()
    try:
        assert load_embedder("plain", size=64).size == 64
        with pytest.raises(OptionError, match="chooses its device itself"):
            load_embedder("plain", device="cuda")
    finally:
        monkeypatch.undo()
        registry._table.cache_clear()


def plug_in(size: int, threads: int) -> Any:
    """An embedder that takes no device."""
    return types.SimpleNamespace(size=size)


def test_other_devices_are_refused() -> None:
    with pytest.raises(OptionError, match="expected one of auto, cpu, cuda, got 'tpu'"):
        PassOptions(device="tpu")
