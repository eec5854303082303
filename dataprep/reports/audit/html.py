"""report.html: one file that needs nothing else, drawn from the summary and the issue table."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup, escape

from dataprep.checks.contract import FAMILIES, HEADINGS
from dataprep.measures.decode.thumbnails import SIDE, thumbnails
from dataprep.measures.options import PassOptions
from dataprep.reports.audit import sprites
from dataprep.reports.audit.distributions import flagged_samples, histogram, judged_property
from dataprep.reports.audit.evidence import exhibits, names_shown
from dataprep.reports.audit.feature_map import (
    FeatureMap,
    extent,
    feature_map,
    map_payload,
    reading,
    why_unmapped,
)
from dataprep.reports.audit.gallery import Cluster, choose_rows, galleries
from dataprep.reports.audit.payload import compressed, in_bytes, payload, sample_facts
from dataprep.reports.audit.rows import rows_of
from dataprep.reports.audit.sprites import affordable, pictured, sheet
from dataprep.reports.audit.summary import templates
from dataprep.reports.audit.verdict import percent
from dataprep.reports.charts import class_chart, histogram_chart, in_figures
from dataprep.reports.compiled_templates import CompiledTemplates
from dataprep.reports.messages import read_evidence, render
from dataprep.schemas.text.words import printable
from dataprep.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.audit import Audit

_FAMILY_TITLES = {
    "files": "Files",
    "records": "Records",
    "duplicates": "Duplicates",
    "labels": "Labels",
    "content": "Content",
    "shortcuts": "Shortcuts",
    "splits": "Splits",
    "quality": "Image quality",
}
_FAMILY_LEADS = {
    "files": "Can every file be read, and does its format match its name?",
    "records": "Do the folder and the list of labels agree?",
    "duplicates": "Does the same image occur more than once?",
    "labels": "Are the labels right, and are there enough examples of every class?",
    "content": "Does every image belong to the data set, and is anything missing?",
    "shortcuts": "Could a model predict the label for the wrong reason?",
    "splits": "Does the test set measure what it should?",
    "quality": "Is the image quality what the model will see in production?",
}
#: Claims that are not about files are listed in the check's card, up to this many.
LISTED = 24
#: Longer side of the pictures that stand beside another, in pixels.
SMALL = 112


def render_html(
    summary: Mapping[str, Any],
    audit: Audit,
    *,
    pictures: bool = True,
    options: PassOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> str:
    """The page as text.

    Args:
        summary: what `dataprep.reports.audit.summary.summarise` gives for `audit`.
        audit: the audit.
        pictures: whether thumbnails are made and embedded.
        options: limits for reading the files.
        progress: called with (done, total, note) while thumbnails are made.
    """
    table = audit.issues.table
    table = table.iloc[choose_rows(table)].reset_index(drop=True)
    shown = galleries(audit, table)
    listed = _listed(audit, table)
    samples = audit.dataset.samples.index
    first: dict[int, tuple[str, ...]] = {
        claim["row"]: () for claims in listed.values() for claim in claims
    }
    first |= {
        cluster.rows[0]: cluster.members for clusters in shown.values() for cluster in clusters
    }
    exhibited = exhibits(table, first, lambda names: set(samples[samples.isin(names)]))
    members = list(
        dict.fromkeys(
            name for clusters in shown.values() for cluster in clusters for name in cluster.members
        )
    )
    others = [name for name in names_shown(exhibited) if name not in set(members)]
    facts = sample_facts(audit, [*members, *others])
    draw = _drawing(audit, options or PassOptions(), pictures, progress)
    drawn = draw([name for name in members if name in facts], SIDE) | draw(others, SMALL)
    data = payload(audit, table, others)
    places = {name: place for place, name in enumerate(data["names"])}
    mapped = feature_map(audit)
    context = {
        **_chapters(summary, audit, shown, table, listed),
        "exhibits": exhibited,
        "map": _map(audit, mapped, draw, drawn) if mapped else None,
        "unmapped": why_unmapped(audit) if not mapped else "",
        "summary": summary,
        "facts": facts,
        "places": places,
        "pictures": pictures,
        "charts": [histogram_chart(entry) for entry in summary["distributions"]["properties"]],
        "classes": class_chart(
            summary["distributions"]["classes"],
            [entry["name"] for entry in summary["dataset"]["splits"]],
        ),
        "data": compressed(data),
        "thumbs": {
            str(places[name]): base64.b64encode(image).decode("ascii")
            for name, image in sorted(drawn.items())
        },
        "boot": _boot(summary, facts, places, len(table)),
    }
    return _page(context)


def _drawing(
    audit: Audit,
    options: PassOptions,
    pictures: bool,
    progress: Callable[[int, int, str], None] | None,
) -> Callable[[list[str], int], dict[str, bytes]]:
    """What makes thumbnails of the named samples, their longer side so many pixels; none without
    `pictures`.
    """

    def draw(names: list[str], side: int) -> dict[str, bytes]:
        return (
            thumbnails(audit.dataset, names, options, side=side, progress=progress)
            if pictures
            else {}
        )

    return draw


def _map(
    audit: Audit,
    found: FeatureMap,
    draw: Callable[[list[str], int], dict[str, bytes]],
    drawn: Mapping[str, bytes],
) -> dict[str, Any]:
    """The feature map as the page shows it; pictures that are drawn already are used again."""
    data = map_payload(audit, found)
    names = data["names"]
    claimed = np.zeros(len(names), bool)
    claimed[[point for points in data["flags"].values() for point in points]] = True
    points = pictured(
        found.positions, claimed, affordable(data["facts"]["width"], data["facts"]["height"])
    )
    made = dict(drawn) | draw(
        [names[point] for point in points if names[point] not in drawn], sprites.SOURCE
    )
    data["sheet"] = sheet(
        {int(point): made[names[point]] for point in points if names[point] in made}
    )
    return {
        "data": compressed(data),
        "points": len(found),
        "total": found.total,
        "extent": extent(found),
        "reading": reading(found),
        "classes": found.classes,
        "pictures": len(data["sheet"]["points"]),
    }


def draw_page(
    template: str, styles: tuple[str, ...], scripts: Mapping[str, str], context: Mapping[str, Any]
) -> str:
    """A page that needs nothing else: a template of this package with its styles and scripts
    inside, and no others allowed.

    Args:
        template: name of the template.
        styles: names of static files.
        scripts: name in the template to name of the static file; several, one after another, with
            "+" between.
        context: what else the template is given.
    """
    style = "".join(map(_static, styles))
    texts = {name: "".join(map(_static, files.split("+"))) for name, files in scripts.items()}
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src "
        f"{' '.join(map(_digest, texts.values()))}; "
        "base-uri 'none'; form-action 'none'"
    )
    given = {"version": __version__, **texts, **context}
    return _environment().get_template(template).render(style=style, policy=policy, **given)


def _page(context: Mapping[str, Any]) -> str:
    scripts = {"theme": "theme.js", "script": "page.js+report.js", "map_script": "map.js"}
    return draw_page("report.html.j2", ("report.css", "map.css"), scripts, context)


def _chapters(
    summary: Mapping[str, Any],
    audit: Audit,
    shown: Mapping[str, list[Cluster]],
    table: pd.DataFrame,
    listed: Mapping[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    """The checks by family, as the page shows them."""
    flags = flagged_samples(audit)
    judged = {check.code: judged_property(check) for check in audit.checks}
    cards = [
        {
            **check,
            "clusters": shown.get(check["code"], []),
            "messages": _captions(shown.get(check["code"], []), audit, table),
            "figures": _figures(shown.get(check["code"], []), table),
            "claims": listed.get(check["code"], []),
            "chart": _chart(check["code"], judged[check["code"]], audit, flags),
            "headings": [heading for heading in HEADINGS if check["page"].get(heading)],
        }
        for check in summary["checks"]
    ]
    found = [card for card in cards if card["count"]]
    facts = [
        card
        for card in cards
        if card["facts"] and not card["count"] and (card["clusters"] or card["claims"])
    ]
    families = [*FAMILIES, *sorted({card["family"] for card in found} - set(FAMILIES))]
    chapters = [
        {
            "family": family,
            "title": _FAMILY_TITLES.get(family, family.capitalize()),
            "lead": _FAMILY_LEADS.get(family, ""),
            "cards": [card for card in found if card["family"] == family],
            "clear": [card for card in cards if card["family"] == family and not card["count"]],
        }
        for family in families
    ]
    clear = [card for card in cards if not card["count"] and not card["facts"]]
    return {"found": found, "clear": clear, "chapters": chapters, "fact_cards": facts}


def _captions(clusters: list[Cluster], audit: Audit, table: pd.DataFrame) -> dict[int, str]:
    """Row to what is said under a picture or a cluster: the relation to the picture that is
    kept, else the whole message.
    """
    rows = sorted({row for cluster in clusters for row in cluster.rows})
    if not rows:
        return {}
    part = table.iloc[rows]
    relations = [read_evidence(evidence).get("relation") for evidence in part["evidence"].tolist()]
    return {
        row: str(relation or text)
        for row, relation, text in zip(rows, relations, render(part, templates(audit)))
    }


def _figures(clusters: list[Cluster], table: pd.DataFrame) -> dict[int, str]:
    """Row to its figure and unit, for the pictures that stand alone; empty where the claim has
    none.
    """
    rows = [cluster.rows[0] for cluster in clusters if len(cluster.members) == 1]
    if not rows:
        return {}
    part = table.iloc[rows]
    figures = zip(rows, part["figure"].tolist(), part["unit"].astype("str").tolist())
    return {
        row: f"{in_figures(figure)} {unit}".strip()
        for row, figure, unit in figures
        if math.isfinite(figure)
    }


def _listed(audit: Audit, table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Check code to its claims that no picture can show: about classes, splits, records and the
    data set.
    """
    issued = (
        table["check"]
        .astype("str")
        .isin(table["check"][table["severity"] != "fact"].astype("str").unique())
    )
    told = (
        table["severity"] == "fact"
    ) & issued  # facts beside issues are told under "Your data" alone
    rest = table[~table["scope"].isin(("sample", "pair")).to_numpy() & ~told.to_numpy()]
    first = rest[rest.groupby("check", observed=True).cumcount() < LISTED]
    messages = render(first, templates(audit))
    listed: dict[str, list[dict[str, Any]]] = {}
    for row, message in zip(rows_of(first), messages):
        claim = {
            "row": row.Index,
            "target": row.target,
            "location": row.location,
            "message": message,
            "value": row.value,
        }
        listed.setdefault(row.check, []).append(claim)
    return listed


def _chart(
    code: str, column: str, audit: Audit, flags: Mapping[str, np.ndarray[Any, Any]]
) -> dict[str, Any] | None:
    """The distribution of the property that a check judges by, with what it flagged."""
    if not column or column not in audit.dataset.samples or code not in flags:
        return None
    found = histogram(audit.dataset.samples[column], column, flags[code])
    return histogram_chart(found) if found else None


def _boot(
    summary: Mapping[str, Any], facts: Mapping[str, Any], places: Mapping[str, int], rows: int
) -> dict[str, Any]:
    root = summary["dataset"]["root"]
    local = not summary["anonymised"] and "://" not in root and bool(root)
    return {
        "rows": rows,
        "total": summary["issues"]["total"],
        "root": Path(root).absolute().as_uri().rstrip("/") + "/" if local else "",
        "facts": {
            str(places[name]): [entry["facts"], entry["lost"]] for name, entry in facts.items()
        },
        "checks": {
            check["code"]: [check["summary"], check["advice"], check["severity"]]
            for check in summary["checks"]
            if check["count"] or check["facts"]
        },
    }


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _static(name: str) -> str:
    text = files("dataprep.reports").joinpath("static", name).read_text(encoding="utf-8")
    return "\n" + re.sub(r"\r\n?", "\n", text)


@cache
def _environment() -> jinja2.Environment:
    folder = files("dataprep.reports").joinpath("templates")
    loader = jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=loader,
        bytecode_cache=CompiledTemplates(str(folder)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "thousands": lambda number: f"{number:,}",
        "figures": in_figures,
        "bytes": in_bytes,
        "printable": printable,
        "percent": _percent,
        "paragraphs": paragraphs,
    }
    return environment


def paragraphs(text: str) -> list[Markup]:
    """A section of a documentation page as paragraphs of markup: lines joined, items of a list
    apart, ``code`` marked.
    """
    lines = re.sub(r"\n(?=[ \t]*(?:[-*•]|\d+\.) )", "\n\n", text.strip())
    plain = (" ".join(part.split()) for part in re.split(r"\n\s*\n", lines))
    return [
        Markup(re.sub(r"(`{1,2})([^`]+)\1", r"<code>\2</code>", str(escape(part))))
        for part in plain
        if part
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else percent(share)
