"""Steps of a policy as albumentations serialises them: which are known, what they change, and
YAML that is only data.
"""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataprep.errors import InputError
from dataprep.normalisation.library import albumentations, from_dict
from dataprep.schemas.options import did_you_mean

#: One step: ``__class_fullname__`` and its arguments.
Step = Mapping[str, Any]

NAME = "__class_fullname__"
#: Steps that hold other steps.
CONTAINERS = frozenset(
    ("OneOf", "OneOrOther", "RandomOrder", "SelectiveChannelTransform", "Sequential", "SomeOf")
)
#: What a step may change that a label may depend on, and the steps that change it. The parts of
#: `COLOUR_ARGUMENTS` do so by degrees.
CHANGES: dict[str, frozenset[str]] = {
    "mirror": frozenset(("D4", "HorizontalFlip", "SquareSymmetry", "Transpose")),
    "upside-down": frozenset(
        ("D4", "SquareSymmetry", "VerticalFlip", "Transpose", "RandomRotate90")
    ),
    "turn": frozenset(("D4", "RandomRotate90", "SquareSymmetry", "Transpose")),
    "colour": frozenset(
        (
            "AutoContrast",
            "ChannelDropout",
            "ChannelShuffle",
            "ChromaticAberration",
            "ColorJitter",
            "FancyPCA",
            "HEStain",
            "HueSaturationValue",
            "InvertImg",
            "PlanckianJitter",
            "RGBShift",
            "RandomToneCurve",
            "Solarize",
            "ToGray",
            "ToSepia",
        )
    ),
}
#: Arguments of steps without which they leave the colour alone, so that brightness and contrast may
#: stay.
COLOUR_ARGUMENTS = {"ColorJitter": {"saturation": (1.0, 1.0), "hue": (0.0, 0.0)}}
#: Steps that turn by any angle; within this many degrees either way nothing is on its side.
_TURNING = ("Affine", "Rotate", "SafeRotate", "ShiftScaleRotate")
_UPRIGHT = 45.0
#: All steps that a policy may have: an 8-bit image in, an image of the same channels out, with
#: nothing read from elsewhere.
STEPS = CONTAINERS | frozenset(
    """
    AdditiveNoise AdvancedBlur Affine AutoContrast BBoxSafeRandomCrop Blur CLAHE CenterCrop
    ChannelDropout ChannelShuffle ChromaticAberration CoarseDropout ColorJitter
    ConstrainedCoarseDropout Crop CropAndPad CropNonEmptyMaskIfExists D4 Defocus Downscale
    ElasticTransform Emboss Equalize Erasing FancyPCA GaussNoise GaussianBlur GlassBlur
    GridDistortion GridDropout GridElasticDeform HEStain HorizontalFlip HueSaturationValue
    ISONoise Illumination ImageCompression InvertImg LongestMaxSize MaskDropout MedianBlur
    Morphological MotionBlur MultiplicativeNoise NoOp OpticalDistortion Pad PadIfNeeded
    Perspective PiecewiseAffine PixelDropout PlanckianJitter PlasmaBrightnessContrast
    PlasmaShadow Posterize RGBShift RandomBrightnessContrast RandomCrop
    RandomCropFromBorders RandomCropNearBBox RandomFog RandomGamma RandomGravel
    RandomGridShuffle RandomRain RandomResizedCrop RandomRotate90 RandomScale RandomShadow
    RandomSizedBBoxSafeCrop RandomSizedCrop RandomSnow RandomSunFlare RandomToneCurve Resize
    RingingOvershoot Rotate SafeRotate SaltAndPepper Sharpen ShiftScaleRotate ShotNoise
    SmallestMaxSize Solarize Spatter SquareSymmetry Superpixels ThinPlateSpline ToGray
    ToSepia Transpose UnsharpMask VerticalFlip XYMasking ZoomBlur
    """.split()
)
_MOST_STEPS, _MOST_DEPTH, _MOST_BYTES = 100, 6, 1_000_000
_MOST_NESTED = 40
_COMPOSE = ("p", "transforms")
_COMPOSE_EMPTY = (
    "bbox_params",
    "keypoint_params",
    "additional_targets",
    "is_check_shapes",
    "mask_interpolation",
    "seed",
    "strict",
)


def step(name: str, **arguments: Any) -> Step:
    """One step; albumentations' own defaults for what is not given."""
    return {NAME: name, **arguments}


def changes_of(steps: Sequence[Step]) -> tuple[str, ...]:
    """Which of `CHANGES` the steps may make."""
    every = list(flat(steps))
    return tuple(kind for kind in CHANGES if any(_changes(each, kind) for each in every))


def flat(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, and those that they hold."""
    for each in steps:
        yield each
        yield from flat(each.get("transforms", ()))


def without(steps: Sequence[Step], kinds: Sequence[str]) -> tuple[Step, ...]:
    """The steps that make no change of `kinds`: others are left out, or weakened where a part of
    them may stay.
    """
    kept: list[Step] = []
    for each in steps:
        if "transforms" in each:
            held = without(each["transforms"], kinds)
            if held:
                kept.append({**each, "transforms": held})
        elif not any(_changes(each, kind) for kind in kinds):
            kept.append(each)
        elif each[NAME] in COLOUR_ARGUMENTS:
            kept.append({**each, **COLOUR_ARGUMENTS[each[NAME]]})
        elif each[NAME] in _TURNING:
            kept.append(
                {**each, "rotate" if each[NAME] == "Affine" else "limit": (-_UPRIGHT, _UPRIGHT)}
            )
    return tuple(kept)


def _changes(each: Step, kind: str) -> bool:
    name = each[NAME]
    if name in COLOUR_ARGUMENTS and kind == "colour":
        return any(
            tuple(_pair(each.get(key))) != value for key, value in COLOUR_ARGUMENTS[name].items()
        )
    if name in _TURNING and kind in ("upside-down", "turn"):
        angles = _pair(each.get("rotate" if name == "Affine" else "limit", 0.0))
        return max(map(abs, angles), default=0.0) > (_UPRIGHT if kind == "turn" else 90.0)
    return name in CHANGES[kind]


def _pair(value: Any) -> tuple[float, ...]:
    if isinstance(value, Sequence):
        return tuple(float(each) for each in value)
    return () if value is None else (-float(value), float(value))


def plain(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with all their arguments, by way of albumentations' own serialisation."""
    compose = albumentations().Compose([from_dict(each) for each in steps])
    return tuple(_tuples(compose.to_dict()["transform"]["transforms"]))


def _tuples(value: Any) -> Any:
    """Lists as tuples, as albumentations writes them."""
    if isinstance(value, Mapping):
        return {str(key): _tuples(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(each) for each in value)
    return value


def to_yaml(name: str, steps: Sequence[Step]) -> str:
    """YAML that `albumentations.load` reads too."""
    import yaml

    library = albumentations()
    text = io.StringIO()
    library.save(library.Compose([from_dict(each) for each in steps]), text, data_format="yaml")
    return str(yaml.safe_dump({"policy": name}, allow_unicode=True)) + text.getvalue()


def from_yaml(text: str, source: str = "policy") -> tuple[str, tuple[Step, ...]]:
    """Name and steps of a policy in YAML.

    Raises:
        InputError: it is no YAML or no policy, or has steps or arguments that are not known.
            Nothing in it is run: only the steps of `STEPS` are made, from numbers and texts.
    """
    content = _load(text, source)
    if not isinstance(content, dict) or not isinstance(content.get("transform"), dict):
        raise InputError(
            f"{source}: expected a policy as albumentations writes it, with the key 'transform' at "
            "its top"
        )
    compose = content["transform"]
    if compose.get(NAME, "Compose") != "Compose" or not isinstance(compose.get("transforms"), list):
        raise InputError(f"{source}: expected transform to be a Compose with a list of transforms")
    _refuse_unknown(compose, source)
    steps = tuple(_tuples(compose["transforms"]))
    budget = [_MOST_STEPS]
    for number, each in enumerate(steps, start=1):
        _check(each, f"{source}, step {number}", 1, budget)
    return str(content.get("policy") or "custom"), steps


def _load(text: str, source: str) -> Any:
    import yaml

    if len(text) > _MOST_BYTES:
        raise InputError(
            f"{source}: expected at most {_MOST_BYTES:,} characters, got {len(text):,}"
        )
    try:
        _refuse_traps(text, source)
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(
            f"{source} is no YAML that can be read: {' '.join(str(error).split())[:300]}"
        ) from error


def _refuse_traps(text: str, source: str) -> None:
    """Refuse small texts that unfold into huge ones, and nesting that takes very long to read."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise InputError(
                f"{source}: references (*name) are not read: write out what they stand for"
            )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if depth > _MOST_NESTED:
            raise InputError(f"{source}: expected at most {_MOST_NESTED} levels of nesting")


def _refuse_unknown(compose: Mapping[str, Any], source: str) -> None:
    for key, value in compose.items():
        if key in (NAME, *_COMPOSE) or (key == "is_check_shapes" and value is True):
            continue
        if key not in _COMPOSE_EMPTY:
            raise InputError(
                f"{source}: unknown key {key!r}. "
                f"{did_you_mean(str(key), (*_COMPOSE, *_COMPOSE_EMPTY))}"
            )
        if value:
            raise InputError(
                f"{source}: {key} belongs to the call (Policy.compose), not to the policy: take it "
                "out"
            )
    if compose.get("p", 1.0) != 1.0:
        raise InputError(
            f"{source}: expected p: 1.0 of the whole policy, got {compose['p']!r}; give each step "
            "its own"
        )


def _check(each: Any, place: str, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth > _MOST_DEPTH or budget[0] < 0:
        raise InputError(
            f"{place}: expected at most {_MOST_STEPS} steps, held in each other at most "
            f"{_MOST_DEPTH} deep"
        )
    if not isinstance(each, Mapping) or not isinstance(each.get(NAME), str):
        raise InputError(
            f"{place}: expected {NAME} with the name of a transform, got {str(each)[:100]}"
        )
    name = each[NAME].removeprefix("albumentations.")
    if name not in STEPS:
        raise InputError(
            f"{place}: {name!r} is no transform that a policy may have. {did_you_mean(name, STEPS)}"
        )
    _check_arguments(each, name, place)
    if name in CONTAINERS:
        if not isinstance(each.get("transforms"), tuple):
            raise InputError(f"{place}: expected {name} to have a list of transforms")
        for held in each["transforms"]:
            _check(held, f"{place}, in {name}", depth + 1, budget)
    try:
        from_dict({"p": 0.5, **each})
    except Exception as error:  # pydantic, and each transform, raises its own
        raise InputError(
            f"{place}: {name} cannot be made: {' '.join(str(error).split())[:300]}"
        ) from error


def _check_arguments(each: Step, name: str, place: str) -> None:
    known = {
        key
        for key in inspect.signature(getattr(albumentations(), name).__init__).parameters
        if key != "self"
    }
    known.discard("kwargs")
    for key, value in each.items():
        if key == NAME or (key == "transforms" and name in CONTAINERS):
            continue
        if key not in known:
            raise InputError(f"{place}: {name} has no argument {key!r}. {did_you_mean(key, known)}")
        if not _is_plain(value):
            raise InputError(
                f"{place}: expected {key} to be a number, a text or a list of them, got {value!r}"
            )


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, tuple):
        return depth < 4 and all(_is_plain(each, depth + 1) for each in value)
    if isinstance(value, Mapping):
        return depth < 4 and all(
            isinstance(key, str) and _is_plain(each, depth + 1) for key, each in value.items()
        )
    return (
        value is None
        or isinstance(value, str | bool | int)
        or (isinstance(value, float) and math.isfinite(value))
    )
