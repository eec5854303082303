"""The model card: what an exported model says about itself, so that it can be used without the
folder it came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from dataprep.errors import InputError
from dataprep.schemas.files.stored import reading, refuse_wrong_kinds
from dataprep.schemas.goal import Goal, Kind

#: Key of the metadata that holds the form in which the others are written.
FORM_KEY = "dataprep_model"
_FORM = 1
#: Wished error among the answers where nobody says another.
USUAL_RISK = 0.05
_AGAIN = "What the model says about itself is damaged: export it again"
_KINDS: dict[str, type] = {
    "kind": str,
    "labels": list,
    "labels.*": str,
    "size": int,
    "arch": str,
    "metric": str,
    "positive": str,
    "temperature": float,
    "thresholds": list,
    "thresholds.*": float,
    "abstention": list,
    "abstention.*": dict,
    "abstention.*.wished": float,
    "abstention.*.threshold": float,
    "abstention.*.bound": float,
    "abstention.*.coverage": float,
    "abstention.*.holds": bool,
    "centre": float,
    "spread": float,
    "fingerprint": str,
}


@dataclass(frozen=True)
class ModelCard:
    """What a model predicts and how its answers are to be read; written into the metadata of
    ``model.onnx``, each field as JSON.

    Attributes:
        kind: what is predicted (`dataprep.schemas.goal.Kind`).
        labels: class names in the order of the probabilities; empty for a regression.
        size: pixels a side of the images that it takes.
        arch: network.
        metric: the figure that was optimised.
        positive: of two classes, the one that is looked for.
        temperature: by which the logits are divided, inside the model.
        thresholds: least probability for a yes, one per label; None where the most probable class
            is taken.
        abstention: confidences to answer at, chosen on validation: wished, threshold, bound,
            coverage, holds of each.
        centre, spread: by which a regression's output is scaled, inside the model.
        fingerprint: of the data that it was trained on.
    """

    kind: Kind
    labels: tuple[str, ...]
    size: int
    arch: str
    metric: str = ""
    positive: str = ""
    temperature: float = 1.0
    thresholds: tuple[float, ...] | None = None
    abstention: tuple[Mapping[str, Any], ...] = ()
    centre: float = 0.0
    spread: float = 1.0
    fingerprint: str = ""

    @classmethod
    def of(cls, goal: Goal, metrics: Mapping[str, Any], fingerprint: str) -> ModelCard:
        """The card of a baseline, out of its ``metrics.json``."""
        regime, data = metrics["regime"], metrics.get("data", {})
        calibration = metrics.get("calibration", {}).get("validation", {})
        return cls(
            goal.kind,
            goal.classes,
            int(regime["size"]),
            regime["arch"],
            goal.metric,
            goal.positive,
            float(calibration.get("temperature") or 1.0),
            _thresholds(goal, metrics.get("thresholds") or {}),
            tuple(_abstention(metrics.get("coverage") or {})),
            float(data.get("centre", 0.0)),
            float(data.get("spread", 1.0)),
            fingerprint,
        )

    @cached_property
    def goal(self) -> Goal:
        """The goal, as the functions of metrics take it."""
        return Goal(self.kind, self.labels, self.metric, positive=self.positive)

    @property
    def least(self) -> NDArray[np.float64] | None:
        """(k,) thresholds as `dataprep.baselines.evaluation.metrics.decide` takes them."""
        return None if self.thresholds is None else np.array(self.thresholds)

    def metadata(self) -> dict[str, str]:
        """Key to JSON, for the metadata of an ONNX file."""
        fields = {
            name: json.dumps(value, ensure_ascii=False) for name, value in asdict(self).items()
        }
        return {FORM_KEY: json.dumps(_FORM), **fields}

    @classmethod
    def read(cls, metadata: Mapping[str, str], path: str) -> ModelCard:
        """The card in the metadata of the model in the file `path`.

        Raises:
            InputError: a model that dataprep did not write, or of a newer version.
        """
        if FORM_KEY not in metadata:
            raise InputError(
                f"{path} is no model of dataprep: it does not say what it predicts. Expected the "
                "model.onnx that "
                "dataprep train-baseline writes"
            )
        with reading(path, _AGAIN):
            if json.loads(metadata[FORM_KEY]) != _FORM:
                raise InputError(
                    f"{path} was written by another version of dataprep: train it again, or take "
                    "that version"
                )
            found = {name: json.loads(metadata[name]) for name in cls.__dataclass_fields__}
            given = {
                name: value
                for name, value in found.items()
                if name != "thresholds" or value is not None
            }
            refuse_wrong_kinds(given, path, _AGAIN, _KINDS)
            least, labels = found["thresholds"], tuple(found["labels"])
            if (
                found["kind"] not in get_args(Kind)
                or len(set(labels)) != len(labels)
                or found["size"] < 1
            ):
                raise ValueError(
                    f"kind {found['kind']!r}, {len(labels)} labels, size {found['size']}"
                )
            if least is not None and len(least) != len(labels):
                raise ValueError(f"{len(least)} thresholds of {len(labels)} labels")
            return cls(
                **{
                    **found,
                    "kind": cast(Kind, found["kind"]),
                    "labels": labels,
                    "thresholds": None if least is None else tuple(map(float, least)),
                    "abstention": tuple(found["abstention"]),
                }
            )

    @property
    def usual_abstention(self) -> Mapping[str, Any] | None:
        """What is refused when nothing is asked for: the stored one that holds for an error of
        `USUAL_RISK`, else for the least above it, else for the greatest below; None where none
        holds.
        """
        kept = sorted(
            (each for each in self.abstention if each["holds"]),
            key=lambda each: float(each["wished"]),
        )
        above = [each for each in kept if each["wished"] >= USUAL_RISK - 1e-12]
        return above[0] if above else kept[-1] if kept else None

    def abstain_below(self, risk: float) -> float:
        """The least confidence to answer at for a wished error among the answers: that of the
        nearest stored one at or below it.

        Raises:
            InputError: the model has none for such an error; the message says which it has.
        """
        if not self.abstention:
            raise InputError(
                f"the model has no thresholds for a wished error (it predicts: {self.kind}). Use "
                "--abstain-below"
            )
        kept = [each for each in self.abstention if each["holds"]]
        fits = [each for each in kept if each["wished"] <= risk + 1e-12]
        if not fits:
            said = ", ".join(f"{each['wished']:g}" for each in kept)
            bound = min(float(each["bound"]) for each in self.abstention)
            raise InputError(
                (
                    f"no confidence was found on validation that keeps the error at {risk:g} or "
                    "below "
                    "with 95 % certainty: "
                )
                + (
                    f"the model has thresholds for {said}"
                    if said
                    else f"the least error that could be shown is {bound:.3g}"
                )
                + ". Use --abstain-below, or train on more validation samples"
            )
        return float(max(fits, key=lambda each: float(each["wished"]))["threshold"])


def _thresholds(goal: Goal, chosen: Mapping[str, Any]) -> tuple[float, ...] | None:
    """As in judging: of a binary goal and of several labels; 0.5 where none was chosen."""
    if not chosen or goal.kind not in ("binary", "multi-label"):
        return None
    return tuple(
        float(chosen[name]["threshold"]) if name in chosen else 0.5 for name in goal.classes
    )


def _abstention(coverage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    names = ("wished", "threshold", "bound", "coverage", "holds")
    return [
        {name: each[name] for name in names}
        for each in coverage.get("abstention", ())
        if each.get("threshold") is not None
    ]
