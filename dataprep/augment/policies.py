"""Augmentation policies: named lists of steps, and images changed by them in a way that only
seed, epoch and sample decide.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dataprep.augment import serialised
from dataprep.augment.serialised import Step, step
from dataprep.errors import OptionError
from dataprep.normalisation.library import albumentations, from_dict
from dataprep.schemas.files.reading import MB, read_text
from dataprep.schemas.files.writing import write_atomically
from dataprep.schemas.options import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Format names of boxes and keypoints, as albumentations calls them.
BOXES = ("coco", "pascal_voc", "albumentations", "yolo")
KEYPOINTS = ("xy", "yx", "xya", "xys", "xyas", "xysa", "xyz")

#: Any odd number: the stream of the generator, whose place the hash of seed, epoch and sample
#: gives.
_STREAM = 0x5851F42D4C957F2D14057B7EF767814F


@dataclass(frozen=True)
class Policy:
    """Steps that change an image and, by what is meant, not its label.

    Attributes:
        name: what it is called.
        steps: the steps in order, as albumentations serialises them.
        purpose: what it is for, in a sentence.
    """

    name: str
    steps: tuple[Step, ...] = field(hash=False)
    purpose: str = ""

    @property
    def changes(self) -> tuple[str, ...]:
        """What it may change that a label may depend on: any of mirror, upside-down, turn,
        colour.
        """
        return serialised.changes_of(self.steps)

    def without(self, *kinds: str) -> Policy:
        """This policy less the steps that make changes of `kinds` (see `changes`)."""
        for kind in kinds:
            if kind not in serialised.CHANGES:
                raise OptionError(
                    f"no change is called {kind!r}. {did_you_mean(kind, serialised.CHANGES)}"
                )
        made = [kind for kind in kinds if kind in self.changes]
        if not made:
            return self
        return replace(
            self,
            name=f"{self.name} without {', '.join(made)}",
            steps=serialised.without(self.steps, made),
        )

    def compose(
        self,
        seed: int = 0,
        size: tuple[int, int] | None = None,
        *,
        boxes: str = "",
        keypoints: str = "",
        label_fields: Sequence[str] = (),
        min_visibility: float = 0.0,
    ) -> Any:
        """An `albumentations.Compose` of the steps: ``compose(image=..., mask=..., bboxes=...,
        keypoints=...)["image"]``.

        Its steps draw from one generator. (albumentations gives each step one of its own, all with
        the same seed, so that with it a mirrored image would always be one that is turned over,
        too.) A Compose is not for several threads or workers at once; `augment` is.

        Args:
            seed: where its random numbers start.
            size: (height, width) that images are scaled to first.
            boxes: format of the boxes, if any comes along: one of `BOXES`.
            keypoints: format of the keypoints, if any comes along: one of `KEYPOINTS`.
            label_fields: names of the lists that come along with the boxes, one entry a box.
            min_visibility: boxes of which a smaller share stays in the image are left out, 0 to 1.

        Raises:
            OptionError: albumentations is not installed, or an unknown format.
        """
        library = albumentations()
        resize = [step("Resize", height=size[0], width=size[1], p=1.0)] if size else []
        boxed = pointed = None
        if boxes:
            _refuse_other("boxes", boxes, BOXES)
            boxed = library.BboxParams(
                format=boxes, label_fields=list(label_fields) or None, min_visibility=min_visibility
            )
        if keypoints:
            _refuse_other("keypoints", keypoints, KEYPOINTS)
            pointed = library.KeypointParams(format=keypoints)
        made = library.Compose(
            [from_dict(each) for each in (*resize, *self.steps)],
            bbox_params=boxed,
            keypoint_params=pointed,
        )
        Randomness(made).start(digest(seed))
        return made

    def augmenter(
        self, seed: int = 0, size: tuple[int, int] | None = None, **parameters: Any
    ) -> Augmenter:
        """What changes images by this policy; `parameters` as for `compose`."""
        return Augmenter(self, seed, size, **parameters)

    def augment(
        self, image: NDArray[np.uint8], *, sample: str, epoch: int = 0, seed: int = 0, copy: int = 0
    ) -> NDArray[np.uint8]:
        """The image (h, w, c) uint8 as changed for one sample and epoch: the same in whichever
        worker or thread, in any order.
        """
        known: dict[int, Augmenter] = self._local.__dict__.setdefault("augmenters", {})
        if seed not in known:
            known.clear()
            known[seed] = self.augmenter(seed)
        changed: NDArray[np.uint8] = known[seed](image, sample=sample, epoch=epoch, copy=copy)[
            "image"
        ]
        return changed

    @cached_property
    def _local(self) -> threading.local:
        return threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_local"}

    def to_yaml(self) -> str:
        """The policy as YAML, which `albumentations.load` reads too."""
        return serialised.to_yaml(self.name, self.steps)

    @classmethod
    def from_yaml(cls, text: str, source: str = "policy") -> Policy:
        """The policy that `to_yaml` or albumentations wrote, perhaps edited by hand.

        Raises:
            InputError: no policy, or one with transforms or arguments that are not known; nothing
                in it is run.
        """
        name, steps = serialised.from_yaml(text, source)
        return cls(name, serialised.plain(steps))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy as a YAML file.

        Raises:
            OutputError: it cannot be written.
        """
        text = self.to_yaml()
        with write_atomically(path) as file:
            file.write(text.encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """The policy in a YAML file.

        Raises:
            InputError: there is no such file, or no policy in it.
        """
        return cls.from_yaml(read_text(path, "the policy", limit=16 * MB), os.fspath(path))


class Augmenter:
    """Changes images by a policy, with random numbers that hang on seed, epoch, sample and copy
    alone.
    """

    def __init__(
        self, policy: Policy, seed: int = 0, size: tuple[int, int] | None = None, **parameters: Any
    ) -> None:
        """`parameters` as for `Policy.compose`. For one thread; a worker makes its own, or gets
        a copy of this one.
        """
        self.policy, self.seed = policy, int(seed)
        self._compose = policy.compose(seed, size, **parameters)
        self._idle = not policy.steps and size is None
        self._randomness = Randomness(self._compose)

    def __call__(
        self,
        image: NDArray[np.uint8],
        *,
        sample: str,
        epoch: int = 0,
        copy: int = 0,
        **targets: Any,
    ) -> dict[str, Any]:
        """The changed image and targets (``mask``, ``masks``, ``bboxes``, ``keypoints``, label
        fields) by name.
        """
        if self._idle:
            return {"image": image, **targets}
        self._randomness.start(digest(self.seed, epoch, copy, sample))
        changed: dict[str, Any] = self._compose(image=image, **targets)
        return changed


class Randomness:
    """The two generators that all steps of a Compose share, so that no two of them draw the same
    numbers.
    """

    def __init__(self, compose: Any) -> None:
        self._source, self._python = np.random.PCG64(0), random.Random()
        generator = np.random.Generator(self._source)
        for each in _every(compose):
            each.random_generator, each.py_random = generator, self._python

    def start(self, place: int) -> None:
        """Go to the place that a hash of 128 bits names: 6 microseconds; new generators for each
        step take ten times as long.
        """
        self._python.seed(place)
        state = {"state": place, "inc": _STREAM}
        self._source.state = {
            "bit_generator": "PCG64",
            "state": state,  # type: ignore[typeddict-item]
            "has_uint32": 0,
            "uinteger": 0,
        }


def _every(transform: Any) -> list[Any]:
    return [
        transform,
        *(inner for each in getattr(transform, "transforms", ()) for inner in _every(each)),
    ]


def digest(*parts: Any) -> int:
    """A hash of 128 bits: the place in the random numbers that seed, epoch, copy and sample
    name.
    """
    return xxhash.xxh3_128_intdigest("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def _refuse_other(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise OptionError(f"{what}: expected one of {', '.join(known)}, got {given!r}")


def policy(name: str) -> Policy:
    """The policy called `name` (see `POLICIES`), or the one in a YAML file.

    Raises:
        OptionError: no such policy. InputError: a file that cannot be used.
    """
    if name in POLICIES:
        return POLICIES[name]
    if name.lower().endswith((".yaml", ".yml")):
        return Policy.load(name)
    raise OptionError(
        f"no policy is called {name!r}. {did_you_mean(name, POLICIES)} A file has to end in .yaml."
    )


#: cv2.BORDER_REFLECT_101: what moves in from outside is the image itself, mirrored, instead of
#: black.
_REFLECT = 4


def _affine(scale: float, shift: float, rotate: float, shear: float = 0.0, p: float = 0.7) -> Step:
    return step(
        "Affine",
        scale=(1 - scale, 1 + scale),
        translate_percent=(-shift, shift),
        rotate=(-rotate, rotate),
        shear=(-shear, shear),
        border_mode=_REFLECT,
        p=p,
    )


def _perspective(most: float, p: float) -> Step:
    return step("Perspective", scale=(most / 4, most), border_mode=_REFLECT, p=p)


def _tones(amount: float, p: float) -> Step:
    return step(
        "RandomBrightnessContrast",
        brightness_limit=(-amount, amount),
        contrast_limit=(-amount, amount),
        p=p,
    )


def _colours(amount: float, hue: float, p: float) -> Step:
    around = (1 - amount, 1 + amount)
    return step(
        "ColorJitter", brightness=around, contrast=around, saturation=around, hue=(-hue, hue), p=p
    )


def _one_of(*steps: Step, p: float) -> Step:
    return step("OneOf", transforms=steps, p=p)


_MIRROR = step("HorizontalFlip", p=0.5)
_NOISE = step("GaussNoise", std_range=(0.01, 0.05), p=1.0)
_GRAIN = step("GaussNoise", std_range=(0.005, 0.03), p=0.3)
_BLUR = step("GaussianBlur", blur_limit=0, sigma_limit=(0.3, 1.2), p=1.0)
_JPEG = step("ImageCompression", quality_range=(40, 90), p=1.0)
_GAMMA = step("RandomGamma", gamma_limit=(75, 130), p=0.5)
_ELASTIC = step(
    "ElasticTransform", alpha=40.0, sigma=6.0, approximate=True, border_mode=_REFLECT, p=1.0
)
_GRID = step("GridDistortion", num_steps=5, distort_limit=(-0.2, 0.2), border_mode=_REFLECT, p=1.0)

#: Name to policy, weakest first.
POLICIES: dict[str, Policy] = {
    each.name: each
    for each in (
        Policy("none", (), "No change, as for validation and test."),
        Policy(
            "light",
            (_MIRROR, _affine(0.05, 0.03, 5, p=0.5), _tones(0.1, 0.5)),
            "Small shifts, turns and changes of exposure, mirrored half of the time.",
        ),
        Policy(
            "standard",
            (_MIRROR, _affine(0.15, 0.06, 12), _colours(0.2, 0.02, 0.7)),
            "Photos of things: mirrored, moved, turned a little, other light.",
        ),
        Policy(
            "strong",
            (
                _MIRROR,
                _affine(0.3, 0.1, 20, 8, p=0.8),
                _colours(0.35, 0.04, 0.8),
                _one_of(_BLUR, _NOISE, _JPEG, p=0.4),
                step(
                    "CoarseDropout",
                    num_holes_range=(1, 4),
                    hole_height_range=(0.08, 0.2),
                    hole_width_range=(0.08, 0.2),
                    p=0.4,
                ),
            ),
            "Few images, or a large model that would learn them by heart: everything, and more of "
            "it.",
        ),
        Policy(
            "geometric",
            (_MIRROR, _affine(0.25, 0.1, 20, 10, p=0.9), _perspective(0.08, 0.4)),
            "Place, size and angle vary; colours are kept.",
        ),
        Policy(
            "colour",
            (_colours(0.35, 0.04, 0.8), _GAMMA, step("ToGray", p=0.05)),
            "Light and cameras vary; place and angle are kept.",
        ),
        Policy(
            "elastic",
            (_affine(0.1, 0.05, 8), _one_of(_ELASTIC, _GRID, p=0.6)),
            "Soft or drawn things, whose shape varies: tissue, handwriting.",
        ),
        Policy(
            "medical",
            (
                _affine(0.1, 0.05, 8),
                _one_of(_ELASTIC, _GRID, p=0.2),
                _tones(0.15, 0.5),
                _GAMMA,
                _GRAIN,
            ),
            "Scans: bodies have a left and a right, and tissue bends; no colours, no mirror.",
        ),
        Policy(
            "document",
            (
                _affine(0.06, 0.03, 3),
                _perspective(0.04, 0.3),
                _tones(0.2, 0.5),
                _one_of(_BLUR, _NOISE, _JPEG, p=0.3),
            ),
            "Text, digits and signs: scanned or photographed a little askew, never mirrored.",
        ),
        Policy(
            "aerial",
            (step("SquareSymmetry", p=1.0), _affine(0.2, 0.05, 15), _colours(0.2, 0.02, 0.6)),
            "Seen from above, or through a microscope: no side is up.",
        ),
    )
}
