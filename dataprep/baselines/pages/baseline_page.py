"""baseline.html: one file that needs no other: how good, against what, what was got wrong and
why, and what next.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from dataprep.baselines.pages import drawings
from dataprep.baselines.pages.feature_map import map_of_page
from dataprep.baselines.pages.figures import chapters_of
from dataprep.baselines.pages.summary import (
    class_rows,
    judged_parts,
    metric_name,
    reference_rows,
    requirement_rows,
    sentence_of,
    verdict,
)
from dataprep.measures.decode.thumbnails import thumbnails
from dataprep.measures.options import PassOptions
from dataprep.reports.audit.html import draw_page

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.baseline import Baseline

#: Pictures of mistakes in the page, their longer side in pixels, and how many get an overlay of
#: what spoke for the class.
PICTURES, SIDE, OVERLAYS = 300, 176, 60
_CLASSES = 60
_GALLERIES = {
    "false-negative": "{of}: false negatives, taken for something else",
    "false-positive": "{of}: false positives, something else taken for it",
    "too-high": "Predicted too high",
    "too-low": "Predicted too low",
}


def draw_baseline(
    baseline: Baseline,
    audit: Audit | None = None,
    *,
    thumbnails: bool = True,
    options: PassOptions | None = None,
    report: str = "../audit/report.html",
) -> str:
    """The page as text.

    Args:
        baseline: with its network, overlays show what spoke for a class; without, they are left
            out.
        audit: what the audit found; its report is linked to.
        thumbnails: whether pictures are made and embedded.
        options: limits for reading the files.
        report: where the report of the audit is, from the page.
    """
    metrics, passing = baseline.metrics, options or PassOptions()
    errors = metrics.get("errors") or {}
    galleries = _galleries(errors)
    shown = _shown(errors, galleries)
    pictures, heats = _pictures(baseline, shown, passing) if thumbnails else ({}, {})
    places = {name: place for place, name in enumerate(shown)}
    goal, classes = metrics["goal"], class_rows(metrics)
    context = {
        "metrics": metrics,
        "regime": metrics.get("regime") or {},
        "data": metrics.get("data") or {},
        "goal": goal,
        "metric": metric_name(goal["metric"]),
        "verdict": verdict(metrics),
        "root": baseline.dataset.root,
        "version": baseline.run.get("dataprep", ""),
        "generated_at": baseline.run.get("finished_at", ""),
        "tests": judged_parts(metrics),
        "references": drawings.reference_chart(reference_rows(metrics), share=_is_share(metrics)),
        "steps": [
            {**each, "sentence": sentence_of(each, metrics)} for each in metrics.get("next") or ()
        ],
        "requirements": requirement_rows(metrics),
        "classes": [_class_row(each) for each in classes[:_CLASSES]],
        "hidden_classes": max(0, len(classes) - _CLASSES),
        **chapters_of(metrics),
        "errors": errors,
        "galleries": galleries,
        "examples": errors.get("examples") or {},
        "places": places,
        "heated": set(heats),
        "pictured": set(pictures),
        "audit": audit is not None,
        "report": report,
        "thumbs": {
            str(places[name]): base64.b64encode(image).decode("ascii")
            for name, image in sorted(pictures.items())
        },
        "heats": {
            str(places[name]): base64.b64encode(image).decode("ascii")
            for name, image in sorted(heats.items())
        },
        "map": map_of_page(baseline, passing, thumbnails),
        "boot": {"examples": _examples(errors), "places": places},
    }
    scripts = {"theme": "theme.js", "map_script": "map.js", "script": "page.js+baseline.js"}
    return draw_page(
        "baseline.html.j2", ("report.css", "map.css", "split.css", "baseline.css"), scripts, context
    )


def _is_share(metrics: Mapping[str, Any]) -> bool:
    """Whether the metric lies between 0 and 1."""
    from dataprep.baselines.evaluation.metrics import METRICS

    return METRICS[metrics["goal"]["metric"]].bounded


def _class_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "class": entry["class"],
        "support": entry["support"],
        **{name: drawings.bar(entry.get(name)) for name in ("precision", "recall", "f1")},
        "pr_auc": entry.get("pr_auc"),
        "roc_auc": entry.get("roc_auc"),
    }


def _galleries(errors: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The galleries of the page: the worst of all, then each class's."""
    titled = [
        {**each, "title": _GALLERIES[each["kind"]].replace("{of}", str(each["of"]))}
        for each in errors.get("galleries") or ()
    ]
    worst = errors.get("worst") or []
    whole = {
        "title": "The worst of all",
        "of": "",
        "kind": "worst",
        "count": errors.get("mistakes", 0),
        "samples": worst,
    }
    return [whole, *titled] if worst else titled


def _shown(errors: Mapping[str, Any], galleries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Samples with a picture: the worst, and of every gallery in turn the next worst."""
    turns = chain.from_iterable(zip_longest(*(each["samples"] for each in galleries[1:])))
    names: Iterator[str] = filter(None, chain(errors.get("worst") or (), turns))
    return list(dict.fromkeys(names))[:PICTURES]


def _pictures(
    baseline: Baseline, shown: Sequence[str], options: PassOptions
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Thumbnails of samples, and of the worst of them with what spoke for the class that was
    predicted.
    """
    known = baseline.dataset.samples.index
    there = [name for name in shown if name in known]
    made = thumbnails(baseline.dataset, there, options, side=SIDE)
    if baseline.network is None:
        return made, {}
    from dataprep.baselines.diagnosis.gradcam import overlays

    examples, goal = baseline.metrics["errors"]["examples"], baseline.goal
    wanted = {
        name: _code(goal.classes, examples[name]["predicted"]) for name in there if name in made
    }
    first = dict(list(wanted.items())[:OVERLAYS])
    several = goal.kind in ("multi-label", "regression")
    side = int(baseline.metrics["regime"]["size"])
    return made, overlays(
        baseline.network, baseline.dataset, side, first, made, options, several=several
    )


def _code(classes: Sequence[str], predicted: Any) -> int:
    """The class that an overlay is for: the one predicted, the first of several; the only output
    of a regression.
    """
    first = str(predicted).split("|")[0] if str(predicted) not in classes else str(predicted)
    return classes.index(first) if first in classes else 0


def _examples(errors: Mapping[str, Any]) -> dict[str, Any]:
    """What the feature map says of the mistakes that are shown."""
    return {
        name: [[each["check"], each["severity"], each["message"]] for each in example["issues"]]
        for name, example in (errors.get("examples") or {}).items()
    }
