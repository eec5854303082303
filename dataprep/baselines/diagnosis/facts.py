"""The facts of a baseline as the diagnosis takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataprep.baselines.diagnosis.next_steps import claims_of

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

_AS_THEY_ARE = ("validation", "train", "test", "dumb", "ceiling", "thresholds")
#: Claims about the parts that the data came with; a new split has parts of its own.
_OF_PARTS = (
    "split-leakage",
    "group-leakage",
    "label-shift",
    "absent-class",
    "distribution-mismatch",
    "normalisation-mismatch",
)


def facts_of(
    metrics: Mapping[str, Any], dataset: Dataset, audit: Audit | None = None
) -> dict[str, Any]:
    """What `dataprep.baselines.diagnosis.next_steps.what_next` wants to know.

    Args:
        metrics: everything measured (``metrics.json``).
        dataset: what was trained on. Where its parts are not those that the audit saw, the audit's
            claims about parts are left out: they are about others.
        audit: what is known about the samples.
    """
    facts = {key: metrics[key] for key in _AS_THEY_ARE if metrics.get(key)}
    own = metrics["goal"]["metric"]
    probe = (metrics.get("probe") or {}).get("val") or {}
    if own in probe and metrics["regime"]["name"] != "frozen":  # which is such a probe itself
        facts["probe"] = {"metric": {"name": own, **probe[own]}}
    if (metrics.get("calibration") or {}).get("validation"):
        facts["calibration"] = metrics["calibration"]["validation"]
    history = metrics.get("history") or []
    if history:
        limit = metrics["regime"]["settings"]["epochs"]
        facts["training"] = {
            "epochs": len(history),
            "best_epoch": metrics["best_epoch"] + 1,
            "limit": limit,
        }
    facts |= _changes(metrics, own)
    errors = metrics.get("errors") or {}
    if (errors.get("explained") or {}).get("beyond_chance"):
        facts["errors"] = {
            key: errors[key] for key in ("mistakes", "faulty", "wrong_label", "explained")
        }
    claims = claims_of(audit.issues if audit is not None else None)
    if audit is not None and not _same_parts(dataset, audit.dataset):
        claims = {check: claim for check, claim in claims.items() if check not in _OF_PARTS}
    return {**facts, "claims": claims}


def _same_parts(one: Dataset, other: Dataset) -> bool:
    """Whether samples that both have lie in the same parts."""
    if not (one.has("split") and other.has("split")):
        return False
    shared = one.samples.index.intersection(other.samples.index)
    mine, theirs = (
        each.samples["split"].reindex(shared).astype("str").to_numpy() for each in (one, other)
    )
    return bool((mine == theirs).all())


def _changes(metrics: Mapping[str, Any], own: str) -> dict[str, Any]:
    """What class weights and what cleaning do to the metric."""
    found = {}
    imbalance, compare = (metrics.get(key) or {} for key in ("imbalance", "compare"))
    weights = (imbalance.get("difference") or {}).get("metrics", {}).get(own)
    if weights:
        found["class_weights"] = {**weights, "used": imbalance["used"]["class_weights"] != "none"}
    if compare.get("difference") is not None:
        found["cleaning"] = {**compare, "verdict": compare.get("helped", compare.get("verdict"))}
    return found
