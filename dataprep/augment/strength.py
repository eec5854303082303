"""How far a policy moves images, and how often it makes another class of them: "too strong" as a
figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.augment.policies import POLICIES, Policy
from dataprep.augment.probe import AugmentationProbe
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.errors import InputError
from dataprep.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

#: Draws of each image.
DRAWS = 2
#: Share of images that the probe knew and takes for another class once changed, beyond which a
#: policy is too strong for a class.
TOO_STRONG = 0.3
#: Images of a class that the probe has to know for the class to be judged.
FEWEST_KNOWN = 8
_BLOCK = 2048


@dataclass(frozen=True)
class Effect:
    """What a policy does to the images of one class, or of all.

    Attributes:
        images: images that were changed, each `draws` times.
        known: those that the probe is right about as they are; the others say nothing about a
            change of class.
        changed: share of the changed `known` images that the probe takes for another class, NaN
            where none is known.
        interval: 95 % interval of it, by the number of images.
        likeliest: the class that most of them are taken for, "" where none is changed.
        distance: median of 1 less the cosine between an image and the changed one.
        relative: median of that distance, relative to the one to the nearest other image of the
            class; 1 means that the changed image is as far away as another image. NaN without
            labels.
        relative_other: as `relative`, to the nearest image of another class (without labels: to the
            nearest image).
        beyond: share of the changed images that lie nearer to an image of another class than to the
            image they were made of.
    """

    images: int
    known: int
    changed: float
    interval: tuple[float, float]
    likeliest: str
    distance: float
    relative: float
    relative_other: float
    beyond: float

    @property
    def too_strong(self) -> bool:
        """Whether more than `TOO_STRONG` of the known images surely become another class."""
        return self.known >= FEWEST_KNOWN and self.interval[0] > TOO_STRONG


@dataclass(frozen=True)
class Safety:
    """What policies do to the images of a data set.

    Attributes:
        overall: name of a policy to its effect on all images.
        by_class: name of a policy to class to effect.
        images: images that were changed.
        draws: times that each was.
        notes: what could not be judged, in sentences.
    """

    overall: Mapping[str, Effect]
    by_class: Mapping[str, Mapping[str, Effect]]
    images: int
    draws: int
    notes: tuple[str, ...] = field(default=())

    def verdict(self, policy: str) -> str:
        """One sentence about a policy."""
        effect = self.overall[policy]
        strong = [name for name, each in self.by_class[policy].items() if each.too_strong]
        if not effect.known:
            return f"{policy}: no class is known to the probe, so that only distances can be told"
        low, high = effect.interval
        figures = f"{effect.changed:.0%} of the images change their class ({low:.0%} to {high:.0%})"
        if effect.too_strong:
            return f"{policy}: too strong: {figures}"
        if strong:
            named = ", ".join(
                f"{name} ({self.by_class[policy][name].changed:.0%})" for name in strong[:5]
            )
            return f"{policy}: too strong for {named}; over all, {figures}"
        return f"{policy}: {figures}"

    def is_too_strong(self, policy: str) -> bool:
        """Whether a policy is too strong over all or for any class."""
        return self.overall[policy].too_strong or any(
            each.too_strong for each in self.by_class[policy].values()
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: figures that are not known are null."""
        return {
            "images": self.images,
            "draws": self.draws,
            "limit": TOO_STRONG,
            "notes": list(self.notes),
            "policies": {
                name: {
                    "verdict": self.verdict(name),
                    "too_strong": self.is_too_strong(name),
                    "all": _plain(effect),
                    "classes": {label: _plain(each) for label, each in self.by_class[name].items()},
                }
                for name, effect in self.overall.items()
            },
        }


def safety_report(
    source: Audit | Split | Dataset | AugmentationProbe,
    policies: Iterable[Policy] | None = None,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Safety:
    """Change some training images by each policy, and look where they land and what the probe makes
    of them.

    Args:
        source: an audit, a split or a measured data set; or an AugmentationProbe that is at hand.
        policies: None takes all of `POLICIES`.
        seed: of the policies.
        draws: times that each image is changed.
        options: how files are read and embedded; by default as they were in the audit.
        progress: called with (stage, done, total, note).

    Raises:
        InputError: there are no embeddings or no readable training images.
        OptionError: albumentations is not installed.
    """
    probe = (
        source
        if isinstance(source, AugmentationProbe)
        else AugmentationProbe(source, options=options, progress=progress)
    )
    if not probe.sees:
        raise InputError(
            "how far a policy moves images is told by their embeddings: audit without "
            "--no-embedding"
        )
    chosen = list(POLICIES.values()) if policies is None else list(policies)
    vectors = {}
    for done, policy in enumerate(chosen):
        if progress is not None:
            progress("augment", done, len(chosen), policy.name)
        vectors[policy.name] = np.concatenate(
            [probe.embed(_changed(probe, policy, seed, draw)) for draw in range(draws)]
        )
    answers = probe.predict(vectors) if probe.labelled else {}
    surroundings = _Surroundings(probe, draws)
    effects = {
        name: surroundings.effects(placed, answers.get(name)) for name, placed in vectors.items()
    }
    return Safety(
        {name: each.pop("") for name, each in effects.items()},
        effects,
        len(probe.rows),
        draws,
        tuple(_notes(probe, answers)),
    )


def _changed(
    probe: AugmentationProbe, policy: Policy, seed: int, draw: int
) -> list[NDArray[np.uint8]]:
    names = probe.dataset.samples.index[probe.rows].tolist()
    return [
        policy.augment(image, sample=name, epoch=draw, seed=seed)
        for name, image in zip(names, probe.images, strict=True)
    ]


def _notes(probe: AugmentationProbe, answers: Mapping[str, Any]) -> Iterable[str]:
    if not probe.labelled:
        yield "Without labels of two classes or more, only distances can be told."
        return
    first = next(iter(answers.values()), None)
    if first is not None:
        known = first.right[: len(probe.rows)].mean()
        yield (
            f"The probe knows {known:.0%} of the images as they are; the rest says nothing "
            "about "
            "a change of class."
        )


class _Surroundings:
    """How near the images are that are not the changed one's own."""

    def __init__(self, probe: AugmentationProbe, draws: int) -> None:
        self._bench, self._draws = probe, draws
        self._codes = probe.codes[probe.rows]
        self._own, self._other = self._nearest(probe.originals)

    def _nearest(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(m,) cosine of the nearest image of another unit and the same class, and of the
        nearest of another class; -1: none.
        """
        probe = self._bench
        turns = len(vectors) // len(probe.rows)
        rows = np.tile(probe.rows, turns)
        own, other = np.empty(len(vectors), np.float32), np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), _BLOCK):
            part = rows[start : start + _BLOCK]
            cosine = vectors[start : start + _BLOCK] @ probe.features.values.T
            cosine[:, ~probe.features.known] = -1
            cosine[probe.units[part][:, None] == probe.units] = -1
            same = (probe.codes[part][:, None] == probe.codes) & (probe.codes[part] >= 0)[:, None]
            own[start : start + _BLOCK] = np.where(same, cosine, -1).max(axis=1, initial=-1)
            other[start : start + _BLOCK] = np.where(same, -1, cosine).max(axis=1, initial=-1)
        return own, other

    def effects(self, placed: NDArray[np.float32], answers: Any) -> dict[str, Effect]:
        """Class to effect; "" stands for all."""
        probe, turns = self._bench, len(placed) // len(self._bench.rows)
        distance = 1 - (placed * np.tile(probe.originals, (turns, 1))).sum(axis=1)
        beyond = 1 - self._nearest(placed)[1] < distance
        parts = {"": np.ones(len(self._codes), bool)}
        parts |= {
            name: self._codes == code
            for code, name in enumerate(probe.classes)
            if (self._codes == code).any()
        }
        made = {}
        for name, inside in parts.items():
            every = np.tile(inside, turns)
            known, changed, interval, likeliest = _share(answers, every, turns)
            relative, relative_other = (
                _ratio(distance[every], np.tile(1 - near[inside], turns))
                for near in (self._own, self._other)
            )
            made[name] = Effect(
                int(inside.sum()),
                known,
                changed,
                interval,
                likeliest,
                round(float(np.median(distance[every])), 4),
                relative,
                relative_other,
                round(float(beyond[every].mean()), 4),
            )
        return made


def _ratio(distance: NDArray[np.float32], gap: NDArray[np.float32]) -> float:
    inside = gap < 2  # a cosine of -1 stands for none
    return (
        round(float(np.median(distance[inside] / np.maximum(gap[inside], 1e-3))), 4)
        if inside.any()
        else float("nan")
    )


def _share(
    answers: Any, inside: NDArray[np.bool_], turns: int
) -> tuple[int, float, tuple[float, float], str]:
    """Known images, share of them whose class changes, its interval, and the likeliest class."""
    if answers is None or not (answers.right & inside).any():
        return 0, float("nan"), (0.0, 1.0), ""
    right, changed = answers.right & inside, answers.changed & inside
    known = int(right.sum()) // turns
    share = float(changed.sum() / right.sum())
    low, high = wilson(share * known, known)
    landed = np.bincount(answers.after[changed], minlength=len(answers.classes))
    likeliest = answers.classes[int(landed.argmax())] if changed.any() else ""
    return known, round(share, 4), (round(float(low), 4), round(float(high), 4)), likeliest


def _plain(effect: Effect) -> dict[str, Any]:
    figures = {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in vars(effect).items()
    }
    return {**figures, "interval": list(effect.interval), "too_strong": effect.too_strong}
