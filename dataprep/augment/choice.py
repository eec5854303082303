"""Which policy fits a data set: what the audit, the names of the classes and the probes can
tell, and what they cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dataprep.augment.policies import POLICIES, Policy
from dataprep.augment.probe import AugmentationProbe, ProbePredictions
from dataprep.augment.strength import FEWEST_KNOWN, Safety, safety_report
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.progress import Progress
from dataprep.reports.messages import read_evidence
from dataprep.schemas.audit import Audit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

#: Agreement of a probe with the labels beyond chance (Cohen's kappa for balanced classes) below
#: which it is not asked.
LEAST_KAPPA = 0.3
#: A change takes one class for another when at least this share of the images of one that the probe
#: knew lands in the other.
LANDS = 0.3
#: A change takes away what the classes are told by when less than this share of the probe's hits
#: beyond chance remains, and leaves them alone when more than the second does.
TAKES, LEAVES = 0.5, 0.9
#: Images are grey when the 99th percentile of their chroma is below this; a data set is, when this
#: share of it is.
_GREY, _MOSTLY = 0.04, 0.95
_SIDES = re.compile(
    r"(?:^|[\W_])(left|right|links|rechts|gauche|droite|clockwise|counterclockwise|ccw|cw)(?:$|[\W_])",
    re.IGNORECASE,
)
_CHARACTER = re.compile(
    r"^(?:digit|letter|char|character)?[\W_]*([0-9]|[A-Za-z])(?:[\W_]*(?:upper|lower|caps?))?$",
    re.IGNORECASE,
)
_WORDS = frozenset(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))

#: Measured properties of colour, as the check shortcut names them.
_COLOURS = frozenset(("warmth", "tint", "saturation", "chroma_p99"))
_ORIENTATIONS = ("mirror", "upside-down", "turn")
_IN_WORDS = {
    "mirror": "mirrored",
    "upside-down": "turned upside down",
    "turn": "turned by a quarter",
    "colour": "without their colours",
}


@dataclass(frozen=True)
class Choice:
    """A policy, and why.

    Attributes:
        policy: what fits.
        reasons: why, in sentences with figures, and what could not be told.
        safety: what the policy does to the data; None where there are no embeddings.
    """

    policy: Policy
    reasons: tuple[str, ...]
    safety: Safety | None = None


@dataclass(frozen=True)
class Verdict:
    """What one change does to the classes.

    Attributes:
        harms: whether it takes a class for another or takes away what classes are told by; None
            where it cannot be told.
        keeps: whether the probe knows the classes as well after it.
        why: in words.
    """

    harms: bool | None
    keeps: bool
    why: str


def choose_policy(
    source: Audit | Split | Dataset | AugmentationProbe,
    *,
    audit: Audit | None = None,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Choice:
    """The policy that keeps the labels, as far as can be told, and the reasons.

    Some training images are mirrored, turned over, turned and made grey, and two probes are asked
    what they now are. Classes named as characters or sides speak against mirroring, the audit's
    claim that colour tells the label against changes of colour. The policy is ``standard`` where
    the probes know the classes, ``aerial`` where no side is up, ``document`` for characters, and
    ``light`` where nothing can be told; steps that harm are left out. ``medical`` is never chosen:
    scans cannot be told from other grey images.

    Args:
        source: an audit, a split or a measured data set; or an AugmentationProbe that is at hand.
        audit: whose claims are heard where `source` is none.
        options: how files are read and embedded; by default as they were in the audit.
        progress: called with (stage, done, total, note).

    Raises:
        InputError: there are no readable training images.
        OptionError: albumentations is not installed.
    """
    probe = (
        source
        if isinstance(source, AugmentationProbe)
        else AugmentationProbe(source, options=options, progress=progress)
    )
    audit = source if isinstance(source, Audit) else audit
    verdicts = _verdicts(probe)
    reasons: list[str] = []
    policy = _base(probe, verdicts, reasons)
    policy = policy.without(*_harmful(probe, verdicts, audit, reasons))
    if not probe.sees:
        return Choice(policy, tuple(reasons))
    safety = safety_report(probe, [policy], progress=progress)
    if safety.is_too_strong(policy.name) and policy.name != "light":
        reasons.append(f"{safety.verdict(policy.name)}: the policy light is taken in its place")
        policy = _same_exceptions(POLICIES["light"], policy)
        safety = safety_report(probe, [policy], progress=progress)
    reasons.append(safety.verdict(policy.name))
    return Choice(policy, tuple(reasons), safety)


def _same_exceptions(policy: Policy, other: Policy) -> Policy:
    return policy.without(*(kind for kind in policy.changes if kind not in other.changes))


def _base(probe: AugmentationProbe, verdicts: Mapping[str, Verdict], reasons: list[str]) -> Policy:
    """The policy to start from."""
    mirror = verdicts["mirror"]
    if _characters(probe.classes) and mirror.harms is not False:
        reasons.append(
            f"the classes are named as characters are ({_listed(probe.classes)}), and a character "
            "mirrored or turned is another "
            "or none: the policy document"
        )
        return POLICIES["document"]
    if not probe.labelled:
        reasons.append(
            "there are no labels of two classes: what a change does to them cannot be told; the "
            "policy light"
        )
        return POLICIES["light"]
    if all(verdict.harms is None for verdict in verdicts.values()):
        reasons.append(f"{mirror.why}: the policy light")
        return POLICIES["light"]
    if all(verdicts[kind].keeps for kind in _ORIENTATIONS):
        reasons.append(
            "no side is up: "
            + "; ".join(verdicts[kind].why for kind in _ORIENTATIONS)
            + ": the policy aerial"
        )
        return POLICIES["aerial"]
    up = [verdicts[kind].why for kind in ("upside-down", "turn") if not verdicts[kind].keeps]
    reasons.append("the policy standard, without turning over: " + "; ".join(up))
    return POLICIES["standard"]


def _harmful(
    probe: AugmentationProbe,
    verdicts: Mapping[str, Verdict],
    audit: Audit | None,
    reasons: list[str],
) -> Iterator[str]:
    """Changes to leave out, noting why."""
    mirror, colour = verdicts["mirror"], verdicts["colour"]
    sides = [name for name in probe.classes if _SIDES.search(name)]
    if sides:
        reasons.append(
            f"classes are named by a side ({_listed(sides)}): nothing is mirrored or turned"
        )
        yield from _ORIENTATIONS
    elif mirror.harms:
        reasons.append(f"{mirror.why}: nothing is mirrored")
        yield from _ORIENTATIONS
    elif mirror.harms is False:
        reasons.append(f"mirroring is kept: {mirror.why}")
    claim = _colour_claim(audit)
    if _grey_share(probe) >= _MOSTLY:
        reasons.append(f"{_grey_share(probe):.0%} of the images are grey: colours are left alone")
        yield "colour"
    elif claim:
        reasons.append(
            f"the audit says that colour tells the label ({claim}): colours are left alone"
        )
        yield "colour"
    elif colour.harms:
        reasons.append(f"{colour.why}: colours are left alone")
        yield "colour"
    elif colour.harms is False:
        reasons.append(f"small changes of colour are kept: {colour.why}")


def _characters(classes: Sequence[str]) -> bool:
    """Whether most class names are single digits or letters, or their words."""
    hits = sum(
        bool(_CHARACTER.match(name.strip())) or name.strip().lower() in _WORDS for name in classes
    )
    return len(classes) > 1 and hits > 0.8 * len(classes)


def _colour_claim(audit: Audit | None) -> str:
    """The figure by which the check shortcut says that colour gives the label away."""
    if audit is None:
        return ""
    claims = audit.issues.where_check("shortcut").table
    for text, figure in zip(claims["evidence"].astype("str"), claims["figure"]):
        evidence = read_evidence(text)
        figures = evidence.get("properties") or {evidence.get("property"): figure}
        best = max((float(each) for name, each in figures.items() if name in _COLOURS), default=0.0)
        if best:
            return f"balanced accuracy {best:.2f}"
    return ""


def _grey_share(probe: AugmentationProbe) -> float:
    samples = probe.dataset.samples
    return float((samples["chroma_p99"] < _GREY).mean()) if "chroma_p99" in samples else 0.0


def _verdicts(probe: AugmentationProbe) -> dict[str, Verdict]:
    """Kind of change to what the probes say about it."""
    if not probe.labelled:
        return dict.fromkeys(
            (*_ORIENTATIONS, "colour"), Verdict(None, False, "there are no labels of two classes")
        )
    answers: dict[str, list[tuple[str, ProbePredictions]]] = {
        kind: [] for kind in (*_ORIENTATIONS, "colour")
    }
    if probe.sees:
        vectors = {
            kind: probe.embed([change(image) for image in probe.images])
            for kind, change in _CHANGES.items()
        }
        for kind, each in probe.predict(vectors).items():
            answers[kind].append(("by content", each))
    for kind, each in probe.predict_from_pixels(_PIXEL_CHANGES).items():
        answers[kind].append(("by pixels", each))
    return {kind: _verdict(kind, asked) for kind, asked in answers.items()}


def _verdict(kind: str, asked: Sequence[tuple[str, ProbePredictions]]) -> Verdict:
    """One change, by the probes that know the classes; the one that minds it most speaks."""
    trusted = [(name, each) for name, each in asked if _kappa(each) >= LEAST_KAPPA]
    if not trusted:
        best = max((float(each.right.mean()) for _, each in asked), default=0.0)
        return Verdict(
            None,
            False,
            f"the probes hardly know the classes (right for {best:.0%}), so that nothing can be "
            "told",
        )
    for name, each in trusted:
        pair = _landed(each)
        if pair:
            return Verdict(True, False, f"{pair} when {_IN_WORDS[kind]} ({name})")
    name, worst = min(trusted, key=lambda entry: _remaining(entry[1]))
    remains = _remaining(worst)
    why = (
        f"{_IN_WORDS[kind]}, the probe is right for {worst.kept.mean():.0%} of {len(worst.given)} "
        "images instead of "
        f"{worst.right.mean():.0%} ({name})"
    )
    return Verdict(remains < TAKES, remains >= LEAVES, why)


def _kappa(answers: ProbePredictions) -> float:
    chance = 1 / len(answers.classes)
    return (float(answers.right.mean()) - chance) / (1 - chance)


def _remaining(answers: ProbePredictions) -> float:
    """Share of the hits beyond chance that remain after the change."""
    chance = 1 / len(answers.classes)
    return (float(answers.kept.mean()) - chance) / max(1e-9, float(answers.right.mean()) - chance)


def _landed(answers: ProbePredictions) -> str:
    """The pair of classes of which one surely lands in the other, in words; empty where there is
    none.

    What the probe was right about by luck is lost by any change, to classes that are like it: the
    change has to bring more images from one class to the other than the probe takes for it anyway.
    """
    size = len(answers.classes)
    right = answers.right
    known = np.bincount(answers.given[right], minlength=size)
    moved, already = np.zeros((size, size)), np.zeros((size, size))
    np.add.at(moved, (answers.given[right], answers.after[right]), 1)
    np.add.at(already, (answers.given, answers.before), 1)
    np.fill_diagonal(moved, 0)
    low, _ = wilson(moved, np.maximum(known, 1)[:, None])
    usual = already / np.maximum(already.sum(axis=1), 1)[:, None]
    sure = (low >= LANDS) & (low > usual) & (known >= FEWEST_KNOWN)[:, None]
    if not sure.any():
        return ""
    a, b = np.unravel_index(int(np.where(sure, low, -1).argmax()), low.shape)
    return (
        f"{int(moved[a, b])} of {int(known[a])} images of {answers.classes[a]} become "
        f"{answers.classes[b]}"
    )


def _grey(image: NDArray[np.uint8]) -> Any:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


_CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "mirror": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "upside-down": lambda image: np.ascontiguousarray(image[::-1]),
    "turn": lambda image: np.ascontiguousarray(np.rot90(image)),
    "colour": _grey,
}
_PIXEL_CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "mirror": lambda thumbs: thumbs[:, :, ::-1],
    "upside-down": lambda thumbs: thumbs[:, ::-1],
    "turn": lambda thumbs: np.rot90(thumbs, 1, (1, 2)),
}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
