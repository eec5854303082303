"""What differs between two samples, as figures, words and evidence for a claim."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.probes.two_sample import Effect, auc, cohens_d, spread_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.splits.mismatch_statistics import Statistic, Tested
    from dataprep.checks.splits.two_samples import Pair

_BINS = 24
_DRIVERS = 8
#: Start of a property's name to what more and less of it is called.
_WORDS: dict[str, tuple[str, str]] = {
    "luma": ("brighter", "darker"),
    "edge_luma": ("a brighter background", "a darker background"),
    "contrast": ("more contrast", "less contrast"),
    "saturation": ("more colourful", "less colourful"),
    "chroma": ("more colourful", "less colourful"),
    "warmth": ("a warmer cast", "a cooler cast"),
    "tint": ("a greener cast", "a more magenta cast"),
    "sharpness": ("sharper", "softer"),
    "detail_fraction": ("more fine detail", "less fine detail"),
    "noise": ("noisier", "less noisy"),
    "jpeg_quality": ("less compressed", "more compressed"),
    "blockiness": ("blockier", "less blocky"),
    "bytes_per_pixel": ("larger files for their size", "smaller files for their size"),
    "width": ("wider", "narrower"),
    "height": ("taller", "less tall"),
    "megapixels": ("larger", "smaller"),
    "aspect": ("a wider shape", "a narrower shape"),
    "border": ("wider frames", "narrower frames"),
}


def described(pair: Pair, tested: Tested) -> dict[str, Any]:
    """Evidence of one claim: ``text``, ``effect`` (distance from none, in `unit`), ``unit``,
    ``interval`` and what shows it.
    """
    best = _shown(tested)
    if best.property is None:
        return _of_classifier(pair, best)
    if best.kind == "level":
        return _of_level(pair, best)
    if best.kind == "spread":
        return _of_spread(pair, best)
    return _of_location(pair, best)


def magnitude(evidence: dict[str, Any]) -> float:
    """The effect in standard deviations, whatever it was measured in: Cohen's d, or h for
    shares.
    """
    if evidence["unit"] == "AUC":  # d of normal distributions, near chance
        return 2 * math.sqrt(math.pi) * max(0.0, float(evidence["effect"]) - 0.5)
    if evidence["unit"] == "share":
        own, other = (2 * math.asin(math.sqrt(share)) for share in evidence["shares"])
        return abs(own - other)
    return abs(float(evidence["effect"]))


def _shown(tested: Tested) -> Statistic:
    """The statistic that a reader understands: mean luma for a change of exposure, if it tells
    the change at all.
    """
    if tested.best.kind != "exposure":
        return tested.best
    plain = [
        (each, abs(value)) for each, value in tested.statistics if each.kind in ("mean", "location")
    ]
    mean = [each for each, value in plain if each.kind == "mean" and value > 1.5]
    return mean[0] if mean else max(plain, key=lambda item: item[1])[0]


def _of_location(pair: Pair, best: Statistic) -> dict[str, Any]:
    values, known = _values(best)
    own, strata, units = pair.own[known], pair.strata[known], pair.units[known]
    effect = cohens_d(values[known], own, strata, units)
    plain = cohens_d(values[known], own, np.zeros_like(strata), units)
    name = best.property.name if best.property else ""
    means = (values[known][own].mean(), values[known][~own].mean())
    inside = (
        f" within classes; {plain.size:.2f} over all" if abs(plain.size - effect.size) > 0.1 else ""
    )
    text = (
        f"{_word(name, effect.size)} than {pair.reference}: {_label(name)} {_figure(means[0])} "
        f"against {_figure(means[1])} "
        f"(d = {effect.size:.2f}{inside}, 95 % interval {effect.low:.2f} to {effect.high:.2f})"
    )
    found = _evidence(
        text, effect, "standard deviations", pair, values if effect.size > 0 else -values, known
    )
    return found | {
        "d_over_all": plain.size,
        "probability_higher": auc(values[known], own, units).size,
        "means": list(means),
        "histogram": _histogram(pair, values, known, name),
    }


def _of_spread(pair: Pair, best: Statistic) -> dict[str, Any]:
    values, known = _values(best)
    name, own = best.property.name if best.property else "", pair.own[known]
    effect = spread_ratio(values[known], own, pair.units[known])
    low, high = math.exp(effect.low), math.exp(effect.high)
    text = (
        f"{_label(name)} varies {'more' if effect.size > 0 else 'less'} than in {pair.reference}: "
        f"{math.exp(effect.size):.2f} "
        f"times the standard deviation (95 % interval {low:.2f} to {high:.2f})"
    )
    middle = np.median(values[known])
    order = np.abs(values - middle) * (1 if effect.size > 0 else -1)
    found = _evidence(text, effect, "logarithm of a ratio", pair, order, known)
    return found | {"histogram": _histogram(pair, values, known, name)}


def _of_level(pair: Pair, best: Statistic) -> dict[str, Any]:
    each = best.property
    values = each.values if each else np.zeros(len(pair))
    has = (values == best.level) if best.level >= 0 else ~np.isfinite(values)
    name = f"{_label(each.name if each else '')} {_level(best)}"
    shares = [float(has[side].mean()) for side in (pair.own, ~pair.own)]
    spread = math.sqrt(max(float(has.var()), 1e-12))
    in_deviations = cohens_d(has.astype(np.float64), pair.own, pair.strata, pair.units)
    effect = Effect(
        *(spread * value for value in (in_deviations.size, in_deviations.low, in_deviations.high))
    )
    text = (
        f"{'more' if effect.size > 0 else 'less'} often {name} than {pair.reference}: "
        f"{shares[0]:.1%} against {shares[1]:.1%} "
        f"(difference {effect.size:.1%}, 95 % interval {effect.low:.1%} to {effect.high:.1%})"
    )
    order = has.astype(np.float64) * (1 if effect.size > 0 else -1)
    return _evidence(text, effect, "share", pair, order, np.ones(len(pair), bool)) | {
        "shares": shares
    }


def _of_classifier(pair: Pair, best: Statistic) -> dict[str, Any]:
    effect = auc(best.scores, pair.own, pair.units)
    of = "embeddings" if best.family == "content" else "all measured properties together"
    text = (
        f"other content than {pair.reference}"
        if best.family == "content"
        else f"other combinations of properties than {pair.reference}"
    )
    text += f": a classifier of {of} tells the samples apart with AUC {effect.size:.2f} (95 % interval {effect.low:.2f} to {effect.high:.2f}; 0.5 is chance)"  # noqa: E501
    known = np.ones(len(pair), bool)
    found = _evidence(text, effect, "AUC", pair, best.scores, known)
    return found | {"histogram": _histogram(pair, best.scores, known, "score of the classifier")}


def _evidence(
    text: str,
    effect: Effect,
    unit: str,
    pair: Pair,
    order: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> dict[str, Any]:
    """What every claim carries; the drivers are the own side's rows that are highest in `order`."""
    rows = np.flatnonzero(pair.own & known)
    rows = rows[np.argsort(-order[rows], kind="stable")[:_DRIVERS]]
    compared = (int(pair.own.sum()), int((~pair.own).sum()))
    return {
        "text": text,
        "effect": effect.size,
        "unit": unit,
        "interval": [effect.low, effect.high],
        "reference": pair.reference,
        "drivers": [str(name) for name in pair.samples.index[rows]],
        "compared": list(compared),
        "of": list(pair.sizes),
        "kept_together": bool(len(np.unique(pair.lumps)) < len(pair)),
    }


def _values(best: Statistic) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = best.property.values if best.property else best.scores
    return values, np.isfinite(values)


def _histogram(
    pair: Pair, values: NDArray[np.float64], known: NDArray[np.bool_], label: str
) -> dict[str, Any]:
    low, high = np.quantile(values[known], [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    names = (pair.target or "the data set", pair.reference)
    sides = (pair.own & known, ~pair.own & known)
    counts = {
        name: np.histogram(np.clip(values[side], low, high), edges)[0].tolist()
        for name, side in zip(names, sides)
    }
    return {"edges": [float(f"{edge:.5g}") for edge in edges], "series": counts, "label": label}


def _word(name: str, size: float) -> str:
    for start, (more, less) in _WORDS.items():
        if name.startswith(start):
            return more if size > 0 else less
    return f"{'higher' if size > 0 else 'lower'} {_label(name)}"


def _label(name: str) -> str:
    """A property in words: its column's name, spelt out."""
    return {"luma_mean": "mean luma"}.get(name, name.replace("_", " "))


def _level(best: Statistic) -> str:
    if best.level < 0 or best.property is None:
        return "unknown"
    return repr(best.property.categories[best.level])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
