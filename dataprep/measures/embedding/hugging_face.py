"""Any vision model of the Hugging Face hub as an embedder, through transformers and torch; on the
GPU when there is one.

A folder is read as it is. A name is looked up in the user's cache of the hub and fetched only if it
is not there. Code that comes with a model is never run, and telemetry is off.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.errors import InputError, OptionError
from dataprep.measures.embedding.onnx_file import BATCH, BATCH_ON_GPU
from dataprep.schemas.text.extras import how_to_install

#: Read by the libraries when they load. Decoders use the same cores: threads that wait must sleep,
#: not spin.
_ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}


class HuggingFaceEmbedder:
    """A vision model of transformers, as an `Embedder`; its vectors are float32 whatever the
    device.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        preprocessing: dict[str, Any],
        size: int,
        *,
        pooler: bool,
        device: str,
    ) -> None:
        """Put `model` to work on `device`; `pooler` says whether its pooler, if any, was
        trained.
        """
        self.name = name
        self.size = _size_of(model, preprocessing) or size
        self._device = device
        self._model = model.to(self._device).float().eval()
        self._pooler = pooler
        self._scale, self._mean, self._std = _scaling(preprocessing)
        self.batch = BATCH if self._device == "cpu" else BATCH_ON_GPU
        facts = (
            f"{json.dumps([self._scale, self._mean, self._std, self.size, pooler])} "
            f"torch-{self._device}"
        )
        self.key = f"hf {_digest(model, pooler)} {facts}"
        try:
            self.dim = self(np.zeros((1, self.size, self.size, 3), np.uint8)).shape[1]
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise InputError(
                f"embedder {name} does not take images of {self.size} x {self.size} pixels: "
                f"{_short(error)}"
            ) from error

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            images = (
                torch.from_numpy(np.array(views)).to(self._device).permute(0, 3, 1, 2).float()
                * self._scale
            )
            mean, std = (
                torch.tensor(values, device=self._device).view(1, 3, 1, 1)
                for values in (self._mean, self._std)
            )
            vectors = self._vectors((images - mean) / std)
        found: NDArray[np.float32] = vectors.float().cpu().numpy()
        return found

    def _vectors(self, images: Any) -> Any:
        """(b, d): of an image tower what it is compared by, else the trained pooler's, the class
        token or the mean.
        """
        if hasattr(self._model, "get_image_features"):
            output = self._model.get_image_features(pixel_values=images)
            return output if hasattr(output, "shape") else output.pooler_output
        output = self._model(pixel_values=images)
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None and self._pooler:
            return pooled.flatten(1)
        hidden = output.last_hidden_state
        if hidden.ndim == 4:
            return hidden.mean(dim=(2, 3))
        return hidden[:, 0] if _has_class_token(self._model) else hidden.mean(dim=1)


def hugging_face(place: str, size: int, threads: int, device: str = "auto") -> HuggingFaceEmbedder:
    """The model in the folder `place`, or the one of that name in the user's cache or on the hub.

    `size` is for models that say none of their own; `device` is as of
    `dataprep.measures.embedding.contract.load_embedder`.

    Raises:
        OptionError: torch or transformers is not installed, or torch sees no GPU, and one is asked
            for. InputError: there is no such model, or
            it takes no images.
    """
    transformers = _libraries(threads)
    device = _device_for(device)
    if place.startswith((".", "/", "~")) and not os.path.isdir(os.path.expanduser(place)):
        raise InputError(
            f"there is no folder {place}: expected a model that transformers saved, or a name such "
            "as facebook/dinov2-small"
        )
    model, missing, preprocessing = _fetched(transformers, os.path.expanduser(place))
    untrained = [name for name in missing if not _is_pooler(name)]
    if untrained:
        raise InputError(
            f"the model {place} lacks trained weights ({', '.join(sorted(untrained)[:3])}, ...): "
            "it cannot be used"
        )
    return HuggingFaceEmbedder(
        f"hf:{place}", model, preprocessing, size, pooler=not missing, device=device
    )


def _libraries(threads: int) -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import torch

        transformers: Any = import_module("transformers")
    except ImportError as error:
        raise OptionError(
            f"embedders hf:... need torch and transformers ({error}): {how_to_install('hf')}, or "
            "use onnx:FILE"
        ) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(worker_count(threads))
    return transformers


def _device_for(device: str) -> str:
    """``cuda`` or ``cpu``."""
    import torch

    sees = torch.cuda.is_available()
    if device == "cuda" and not sees:
        raise OptionError(
            f"device cuda: torch {torch.__version__} sees no GPU that it can use: install a torch "
            "that was built for it, or leave the device at auto"
        )
    return "cuda" if sees and device != "cpu" else "cpu"


def _fetched(transformers: Any, place: str) -> tuple[Any, list[str], dict[str, Any]]:
    """Model, names of its weights that the files do not hold, and its preprocessing; from disk
    if possible.
    """
    failures = []
    for offline in (True, False):
        try:
            model, loading = transformers.AutoModel.from_pretrained(
                place, local_files_only=offline, output_loading_info=True
            )
            return (
                model,
                sorted(loading["missing_keys"]),
                _preprocessing(transformers, place, offline),
            )
        except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
            failures.append(_short(error))
            if os.path.isdir(place):
                break
    raise InputError(
        f"no vision model {place!r}: expected a folder that transformers saved, or a model in the "
        "cache or on huggingface.co. "
        f"{failures[-1]}"
    )


def _preprocessing(transformers: Any, place: str, offline: bool) -> dict[str, Any]:
    try:
        values, _ = transformers.ImageProcessingMixin.get_image_processor_dict(
            place, local_files_only=offline
        )
    except (OSError, ValueError):  # a model may come without; then what nearly all use is right
        return {}
    return dict(values)


def _size_of(model: Any, preprocessing: dict[str, Any]) -> int:
    """Side of the images that the model was trained on, or 0 if it does not say."""
    for said in (preprocessing.get("crop_size"), preprocessing.get("size")):
        side = said.get("height", said.get("shortest_edge")) if isinstance(said, dict) else said
        if isinstance(side, int):
            return side
    config = getattr(model.config, "vision_config", model.config)
    side = getattr(config, "image_size", 0)
    return int(side[0]) if isinstance(side, list | tuple) else int(side or 0)


def _scaling(preprocessing: dict[str, Any]) -> tuple[float, list[float], list[float]]:
    """Factor on the values 0 to 255, then mean and standard deviation by channel; ImageNet's
    where nothing is said.
    """
    mean = preprocessing.get("image_mean") or [0.485, 0.456, 0.406]
    std = preprocessing.get("image_std") or [0.229, 0.224, 0.225]
    if preprocessing.get("do_normalize") is False:
        mean, std = [0.0] * 3, [1.0] * 3
    scale = (
        1.0
        if preprocessing.get("do_rescale") is False
        else float(preprocessing.get("rescale_factor", 1 / 255))
    )
    return scale, list(mean), list(std)


def _is_pooler(name: str) -> bool:
    return name.startswith(("pooler.", "vision_model.pooler."))


def _has_class_token(model: Any) -> bool:
    return any(
        name.endswith(("cls_token", "class_embedding")) for name, _ in model.named_parameters()
    )


def _digest(model: Any, pooler: bool) -> str:
    """Hash of the model's configuration and weights, but for those of a pooler that is not used:
    they are random.
    """
    total = xxhash.xxh3_128(model.config.to_json_string(use_diff=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if not pooler and _is_pooler(name):
            continue
        total.update(name.encode())
        total.update(_bytes_of(tensor))
    return total.hexdigest()


def _bytes_of(tensor: Any) -> Any:
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
