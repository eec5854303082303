"""The facts of a baseline as the diagnosis takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataprep.baselines.diagnosis import claims_of

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit

_AS_THEY_ARE = ("validation", "train", "test", "dumb", "ceiling", "thresholds", "errors")


def facts_of(metrics: Mapping[str, Any], audit: Audit | None = None) -> dict[str, Any]:
    """What `dataprep.baselines.diagnosis.what_next` wants to know, out of everything measured (``metrics.json``)."""
    facts = {key: metrics[key] for key in _AS_THEY_ARE if metrics.get(key)}
    own = metrics["goal"]["metric"]
    probe = (metrics.get("probe") or {}).get("val") or {}
    if own in probe:
        facts["probe"] = {"metric": {"name": own, **probe[own]}}
    if (metrics.get("calibration") or {}).get("validation"):
        facts["calibration"] = metrics["calibration"]["validation"]
    history = metrics.get("history") or []
    if history:
        limit = metrics["regime"]["settings"]["epochs"]
        facts["training"] = {"epochs": len(history), "best_epoch": metrics["best_epoch"] + 1, "limit": limit}
    facts |= _changes(metrics, own)
    return {**facts, "claims": claims_of(audit.issues if audit is not None else None)}


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
