"""ONNX models at work: onnxruntime, or OpenVINO where that is asked for and installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.errors import InputError, OptionError

Array = NDArray[Any]

_CUDA = "CUDAExecutionProvider"

#: Names that onnxruntime gives to the types an image may enter as.
_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class Session:
    """A model that is ready to run.

    Attributes:
        family: the library, and where it computes; figures of two differ in their last digits or
            more.
        input_shape: length of each axis; None where it is free.
        input_type: uint8, float32 or float16.
        outputs: name of each output, and its number of axes (None: not said).
        run: input and the name of an output to that output.
        metadata: what the file says of itself; empty where that is not asked.
    """

    family: str
    input_shape: tuple[int | None, ...]
    input_type: Any
    outputs: dict[str, int | None]
    run: Callable[[Array, str], Array]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU."""
        return self.family.endswith("-cuda")


def open_session(path: str, threads: int = 0, device: str = "auto") -> Session:
    """The model in the file `path`, run by onnxruntime.

    Args:
        path: of the .onnx file.
        threads: processor threads; 0 takes every usable core.
        device: ``auto`` takes a GPU that onnxruntime was built for and can use, else the processor;
            ``cpu`` the processor; ``cuda`` a GPU and nothing else.

    Raises:
        InputError: the file is missing, is no ONNX model, or does not take one image.
        OptionError: onnxruntime is not installed, or it can use no GPU, and one is asked for.
    """
    ort = load_onnxruntime()
    if not os.path.isfile(path):
        raise InputError(f"there is no model file {path}: expected the path of an .onnx file")
    providers = [_CUDA] * gpu_for(device) + ["CPUExecutionProvider"]
    try:
        session = ort.InferenceSession(path, _options(ort, threads), providers=providers)
    except (
        Exception
    ) as error:  # onnxruntime raises a class of its own for each of a dozen faults of a file
        raise InputError(
            f"{path} is no ONNX model that onnxruntime {ort.__version__} can load: "
            f"{_first_line(error)}"
        ) from error
    entry = _only_input(session, path)
    shape = tuple(axis if isinstance(axis, int) and axis > 0 else None for axis in entry.shape)
    outputs = {
        output.name: len(output.shape) if output.shape else None for output in session.get_outputs()
    }
    said = dict(session.get_modelmeta().custom_metadata_map)
    kind = "cuda" if session.get_providers()[0] == _CUDA else "cpu"
    if device == "cuda" and kind == "cpu":
        raise OptionError(
            "device cuda: onnxruntime was built for a GPU, and cannot use the one of this machine, "
            "if there is one (see nvidia-smi): leave the device at auto"
        )

    def run(batch: Array, output: str) -> Array:
        try:
            return np.asarray(session.run([output], {entry.name: batch})[0])
        except Exception as error:  # as above
            raise InputError(
                f"{path} cannot be run on a batch of {batch.shape}: {_first_line(error)}"
            ) from error

    return Session(f"onnxruntime-{kind}", shape, _TYPES[entry.type], outputs, run, said)


def gpu_for(device: str) -> bool:
    """Whether a model goes to a GPU: one is asked for, or onnxruntime was built for it.

    Raises:
        OptionError: one is asked for, and onnxruntime was not built for it.
    """
    available = load_onnxruntime().get_available_providers()
    if device == "cuda" and _CUDA not in available:
        raise OptionError(
            f"device cuda: this onnxruntime offers {', '.join(available)} and no {_CUDA}: pip "
            "install onnxruntime-gpu instead of onnxruntime, or leave the device at auto"
        )
    return device != "cpu" and _CUDA in available


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec("openvino") is not None


def open_vino_session(
    path: str,
    threads: int,
    shape: tuple[int, int, int],
    change: Callable[[Any], None] = lambda model: None,
) -> Session:
    """The model in the file `path`, which takes uint8 batches of images of `shape` after it was
    given to `change`, run by OpenVINO on the processor.
    """
    import openvino as ov

    core: Any = ov.Core()
    model = core.read_model(path)
    change(model)
    model.reshape([-1, *shape])
    settings = {
        "INFERENCE_NUM_THREADS": worker_count(threads),
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = core.compile_model(model, "CPU", settings)
    outputs: dict[str, int | None] = {
        output.get_any_name(): len(output.get_partial_shape()) for output in compiled.outputs
    }
    request = compiled.create_infer_request()

    def run(batch: Array, output: str) -> Array:
        return np.array(request.infer({0: np.ascontiguousarray(batch)})[output])

    return Session("openvino-cpu", (None, *shape), np.uint8, outputs, run)


def load_onnxruntime() -> Any:
    """The module onnxruntime, with its telemetry off, which is read from the environment when it is
    first imported.

    Raises:
        OptionError: it is not installed or does not load.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise OptionError(
            f"this needs onnxruntime, which does not load ({error}): pip install onnxruntime; an "
            "audit can do with --no-embedding"
        ) from error
    return onnxruntime


def _options(ort: Any, threads: int) -> Any:
    """Decoders use the same cores: waiting threads must sleep, not spin."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = worker_count(threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _only_input(session: Any, path: str) -> Any:
    initial = {entry.name for entry in session.get_overridable_initializers()}
    entries = [entry for entry in session.get_inputs() if entry.name not in initial]
    if len(entries) != 1 or entries[0].type not in _TYPES or len(entries[0].shape) != 4:
        found = ", ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in entries)
        raise InputError(
            f"{path}: expected one input, a batch of images with 4 axes of type uint8, float or "
            f"float16; got {found or 'none'}. "
            "Export the image tower of the model by itself."
        )
    return entries[0]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
