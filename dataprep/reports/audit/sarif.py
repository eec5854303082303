"""SARIF 2.1.0 (OASIS): the worst claims in the form that code hosts show beside a change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dataprep.schemas.issues import FILE_SCOPES
from dataprep.schemas.text.names import unescape_name

#: Results in one file; code hosts refuse or cut longer ones.
RESULTS_LIMIT = 5_000

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "fact": "none"}
_ROW = re.compile(r"^(?P<file>.+?)(?:, row |:)(?P<row>\d+)$")


def sarif(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A SARIF log of one run, from a summary; facts, with nothing to mend, are no results.

    A claim's file is relative to the base ``ROOT`` (the data set's folder); a claim about a class,
    a split or the whole data set points to the root itself, as code hosts show no result without a
    place. At most `RESULTS_LIMIT` results, worst first; a notification says how many were left out.
    """
    checks = summary["checks"]
    places = {check["code"]: index for index, check in enumerate(checks)}
    claims = [claim for claim in summary["issues"]["claims"] if claim["severity"] != "fact"][
        :RESULTS_LIMIT
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": summary["tool"]["name"],
                "semanticVersion": summary["tool"]["version"],
                "rules": [_rule(check) for check in checks],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": _left_out(summary, len(claims)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(claim, places) for claim in claims],
    }
    base = _base(summary)
    if base:
        run["originalUriBaseIds"] = {"ROOT": {"uri": base}}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def uri_of(sample: str) -> str:
    """A sample's path as a relative URI reference."""
    name = unescape_name(sample)
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = name.encode("utf-8", "surrogatepass")  # half a surrogate pair, in a Windows name
    return quote(data, safe="/")


def _base(summary: Mapping[str, Any]) -> str:
    root = summary["dataset"]["root"]
    if summary["anonymised"] or not root:
        return ""
    uri: str = root if "://" in root else Path(root).absolute().as_uri()
    return uri.rstrip("/") + "/"


def _rule(check: Mapping[str, Any]) -> dict[str, Any]:
    page = check["page"]
    rule: dict[str, Any] = {
        "id": check["code"],
        "name": "".join(part.capitalize() for part in check["code"].split("-")),
        "shortDescription": {"text": check["summary"]},
        "fullDescription": {"text": page.get("What it finds") or check["summary"]},
        "help": {
            "text": "\n\n".join(
                [check["advice"], *(f"{heading}\n{text}" for heading, text in page.items())]
            ),
            "markdown": "\n\n".join(
                [check["advice"], *(f"## {heading}\n\n{text}" for heading, text in page.items())]
            ),
        },
        "defaultConfiguration": {"level": _LEVELS[check["severity"]]},
        "properties": {"tags": ["data-quality", check["family"]]},
    }
    return rule


def _result(claim: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": claim["check"],
        "level": _LEVELS[claim["severity"]],
        "message": {"text": claim["message"] or claim["check"]},
        "locations": [_location(claim)],
        "partialFingerprints": {"dataprepClaim/v1": claim["id"]},
        "properties": {
            key: claim[key]
            for key in ("scope", "target", "confidence", "figure", "unit", "suggestion", "value")
            if claim[key] not in (None, "")
        },
    }
    if claim["check"] in places:
        result["ruleIndex"] = places[claim["check"]]
    if claim["related"] and claim["scope"] in FILE_SCOPES:
        result["relatedLocations"] = [
            {"id": 1, "message": {"text": "the related file"}, **_file(uri_of(claim["related"]))}
        ]
    return result


def _location(claim: Mapping[str, Any]) -> dict[str, Any]:
    row = _ROW.match(claim["location"])
    if claim["scope"] in FILE_SCOPES and claim["target"]:
        return _file(uri_of(claim["target"]))
    if row:
        return _file(quote(row["file"], safe="/"), int(row["row"]))
    return _file(
        uri_of(claim["target"]) if claim["scope"] == "record" and claim["target"] else "./"
    )


def _file(uri: str, line: int = 0) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": "ROOT"}}
    if line > 0:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def _left_out(summary: Mapping[str, Any], shown: int) -> Iterable[dict[str, Any]]:
    hidden = summary["counts"]["issues"] - shown
    if hidden <= 0:
        return []
    text = (
        f"{hidden:,} of {summary['counts']['issues']:,} results, the least severe ones, were left "
        f"out; issues.csv lists all."
    )
    return [{"level": "note", "message": {"text": text}}]
