"""SARIF 2.1.0, by the parts of the standard that we write."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

from dataprep.reports.audit import sarif as module
from dataprep.reports.audit.sarif import sarif, uri_of
from dataprep.reports.audit.summary import summarise
from dataprep.schemas.audit import Audit
from dataprep.schemas.text.names import escape_name

# The constraints of the OASIS schema on what we write: required keys, enumerations, and no key that
# it does not know.
_MESSAGE = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}},
}
_MULTI = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}},
}
_PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "additionalProperties": False,
            "properties": {
                "uri": {"type": "string", "format": "uri-reference", "pattern": "^[!-~]+$"},
                "uriBaseId": {"const": "ROOT"},
            },
        },
        "region": {
            "type": "object",
            "properties": {"startLine": {"type": "integer", "minimum": 1}},
        },
    },
}
_LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"id": {"type": "integer"}, "message": _MESSAGE, "physicalLocation": _PHYSICAL},
}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "shortDescription": _MULTI,
        "fullDescription": _MULTI,
        "help": _MULTI,
        "defaultConfiguration": {
            "type": "object",
            "properties": {"level": _LEVEL},
            "additionalProperties": False,
        },
        "properties": {"type": "object"},
    },
}
_RESULT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": _LEVEL,
        "message": _MESSAGE,
        "locations": {"type": "array", "items": _LOCATION, "minItems": 1},
        "relatedLocations": {"type": "array", "items": _LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
    },
}
_RUN = {
    "type": "object",
    "required": ["tool", "results"],
    "additionalProperties": False,
    "properties": {
        "tool": {
            "type": "object",
            "required": ["driver"],
            "properties": {
                "driver": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string"},
                        "semanticVersion": {"type": "string"},
                        "rules": {"type": "array", "items": _RULE},
                    },
                }
            },
        },
        "invocations": {
            "type": "array",
            "items": {"type": "object", "required": ["executionSuccessful"]},
        },
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "originalUriBaseIds": {
            "type": "object",
            "additionalProperties": {"properties": {"uri": {"pattern": "/$"}}},
        },
        "results": {"type": "array", "items": _RESULT},
    },
}
_LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"items": _RUN}},
}


def test_log_keeps_the_standard(audit: Audit, empty_audit: Audit) -> None:
    for made in (audit, empty_audit):
        jsonschema.validate(sarif(summarise(made)), _LOG)


def test_every_result_points_to_its_rule_and_place(audit: Audit) -> None:
    run = sarif(summarise(audit))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    places = {
        result["ruleId"]: result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    }
    assert places["unreadable"] == "train/cat/caf%E9.jpg"
    assert places["class-imbalance"] == "./"
    near = next(result for result in run["results"] if result["ruleId"] == "near-duplicate")
    assert (
        near["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "test/dog/00.jpg"
    )


def test_a_record_points_to_its_row(audit: Audit) -> None:
    run = sarif(summarise(audit))["runs"][0]
    record = next(result for result in run["results"] if result["ruleId"] == "conflicting-rows")
    assert record["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "labels.csv", "uriBaseId": "ROOT"},
        "region": {"startLine": 17},
    }


def test_what_is_left_out_is_said(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESULTS_LIMIT", 5)
    run = sarif(summarise(audit))["runs"][0]
    assert len(run["results"]) == 5
    assert (
        "11 of 16 results, the least severe ones, were left out"
        in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    )


@pytest.mark.parametrize(
    "name", ["a b/ü#?.jpg", "caf\udce9.jpg", "back\\x41slash", "lone\ud800.png", "new\nline"]
)
def test_a_name_becomes_a_uri_of_its_bytes(name: str) -> None:
    uri = uri_of(escape_name(name))
    handler = "surrogatepass" if "\ud800" in name else "surrogateescape"
    assert uri.isascii()
    assert unquote_to_bytes(uri) == name.encode("utf-8", handler)
