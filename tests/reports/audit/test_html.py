"""report.html as a file; how it behaves in a browser is tested in tests/browser."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.reports import report
from dataprep.reports.audit import gallery
from dataprep.reports.audit.gallery import choose_rows, galleries
from dataprep.reports.audit.html import paragraphs
from dataprep.reports.charts import class_chart, histogram_chart, in_figures
from dataprep.schemas.audit import Audit
from dataprep.schemas.issues import Issues, batch
from tests.reports.audit.conftest import learned


class Page(HTMLParser):
    """What the page holds: tags with their attributes, and the content of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._script = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._script = str(dict(attrs).get("id", "code")) if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._script = ""


@pytest.fixture
def text(audit: Audit, tmp_path: Path) -> str:
    return Path(report(audit, tmp_path / "out").html).read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(text: str) -> None:
    page = Page(text)
    loading = {"src", "srcset", "poster", "action", "formaction", "data"}
    for tag, attributes in page.tags:
        assert not loading & set(attributes), (tag, attributes)
        assert "style" not in attributes, "the policy refuses style attributes"
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        href = attributes.get("href") or ""
        assert href.startswith(("#", "data:image/svg+xml")) or not href
    policy = next(
        attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv")
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in re.sub(
        r"http://www\.w3\.org/\S+", "", "".join(re.findall(r"url\([^)]*\)|@import.*", text))
    )


def test_hostile_names_and_labels_make_no_element(text: str, audit: Audit) -> None:
    page = Page(text)
    assert not [
        attributes
        for tag, attributes in page.tags
        if tag == "img" and "data-thumb" not in attributes
    ]
    assert [attributes.get("id", "code") for tag, attributes in page.tags if tag == "script"] == [
        "code",
        "boot",
        "thumbs",
        "claims",
        "code",
    ]
    assert "hacked'</script" not in text


def test_the_page_with_a_map_and_evidence_needs_nothing_else(tmp_path: Path) -> None:
    audit = learned(tmp_path / "images")
    text = Path(report(audit, tmp_path / "out").html).read_text(encoding="utf-8")
    test_the_page_needs_nothing_else(text)
    page = Page(text)
    assert [attributes.get("id", "code") for tag, attributes in page.tags if tag == "script"] == [
        "code",
        "boot",
        "thumbs",
        "claims",
        "map-data",
        "code",
        "code",
    ]
    assert "hacked'</script" not in text
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    points = json.loads(gzip.decompress(base64.b64decode(page.scripts["map-data"])))
    assert len(points["names"]) == 59
    assert set(points["sheet"]["points"]) == set(range(24)), "the images that exist"


def test_the_map_is_absent_with_the_reason(text: str) -> None:
    assert 'id="map"' not in text
    assert "needs embeddings, which this run did not compute" in text


def test_pictures_of_evidence_and_map_can_be_left_out(tmp_path: Path) -> None:
    text = Path(
        report(learned(tmp_path / "images"), tmp_path / "out", thumbnails=False).html
    ).read_text(encoding="utf-8")
    page = Page(text)
    assert json.loads(page.scripts["thumbs"]) == {}
    points = json.loads(gzip.decompress(base64.b64decode(page.scripts["map-data"])))
    assert points["sheet"] == {"image": "", "side": 48, "across": 40, "points": []}
    assert "Nearest neighbours" in text


def test_neighbours_are_pictured_small_beside_their_image(tmp_path: Path) -> None:
    text = Path(report(learned(tmp_path / "images"), tmp_path / "out").html).read_text(
        encoding="utf-8"
    )
    page = Page(text)
    claims = json.loads(gzip.decompress(base64.b64decode(page.scripts["claims"])))
    shown = [
        claims["names"][int(attributes["data-name"] or 0)]
        for tag, attributes in page.tags
        if tag == "button" and "mini" in (attributes.get("class") or "")
    ]
    carriers, drivers, near = (
        [f"{'cat' if i % 2 else 'dog'}/{i:03d}.jpg" for i in rows]
        for rows in (range(2, 5), range(20, 23), range(1, 12, 2))
    )
    assert sorted(shown) == sorted([*carriers, *drivers, *near]), (
        "and not the one that is not in the data"
    )
    assert set(json.loads(page.scripts["thumbs"])) >= {
        str(claims["names"].index(name)) for name in shown
    }


def test_the_table_holds_every_claim(text: str, audit: Audit) -> None:
    claims = json.loads(gzip.decompress(base64.b64decode(Page(text).scripts["claims"])))
    assert len(claims["check"]) == len(audit.issues)
    names = [claims["names"][number] if number >= 0 else "" for number in claims["target"]]
    assert names == audit.issues.table["target"].tolist()
    dog = claims["names"].index("test/dog/00.jpg")
    assert claims["labels"][claims["labelOf"][dog]] == "dog"
    assert claims["splits"][claims["splitOf"][dog]] == "test"


def test_thumbnails_are_of_shown_samples_and_can_be_left_out(
    text: str, audit: Audit, tmp_path: Path
) -> None:
    page = Page(text)
    thumbs = json.loads(page.scripts["thumbs"])
    drawn = {
        attributes["data-thumb"] for tag, attributes in page.tags if "data-thumb" in attributes
    }
    assert set(thumbs) == drawn
    assert all(base64.b64decode(image)[:3] == b"\xff\xd8\xff" for image in thumbs.values())
    bare = Path(report(audit, tmp_path / "bare", thumbnails=False).html).read_text(encoding="utf-8")
    assert json.loads(Page(bare).scripts["thumbs"]) == {}


def test_rows_are_shared_fairly_between_checks() -> None:
    parts = [
        batch("many", "error", "sample", [f"{i}" for i in range(100)]),
        batch("few", "info", "sample", ["a", "b", "c"]),
    ]
    table = Issues.collect(parts).table
    assert len(choose_rows(table, limit=103)) == 103
    chosen = table.iloc[choose_rows(table, limit=13)]
    assert chosen["check"].value_counts().to_dict() == {"many": 10, "few": 3}
    assert (np.diff(choose_rows(table, limit=13)) > 0).all()


def test_clusters_put_the_one_to_keep_first_and_groups_together(audit: Audit) -> None:
    shown = galleries(audit, audit.issues.table)
    members = {cluster.members: cluster.keep for cluster in shown["near-duplicate"]}
    assert members == {
        ("test/dog/00.jpg", "test/dog/01.jpg", "train/cat/=cmd.jpg"): "test/dog/00.jpg",
        ("train/cat/01.jpg", "train/cat/02.jpg"): "train/cat/01.jpg",
    }
    assert [cluster.members for cluster in shown["label-conflict"]] == [
        ("train/cat/00.jpg", "test/dog/00.jpg")
    ]
    assert "class-imbalance" not in shown


def test_pictures_of_the_whole_page_are_bounded(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "PICTURES", 3)
    shown = galleries(audit, audit.issues.table)
    assert (
        len(
            {
                name
                for clusters in shown.values()
                for cluster in clusters
                for name in cluster.members
            }
        )
        <= 4
    )  # one is not in the data


def test_a_giant_group_is_cut_and_says_so(audit: Audit) -> None:
    names = audit.dataset.samples.index
    claims = batch(
        "near-duplicate",
        "warning",
        "pair",
        names[1:20],
        related=names[0],
        group="g",
        suggestion="drop",
    )
    (cluster,) = galleries(audit, Issues.collect([claims]).table)["near-duplicate"]
    assert len(cluster.members) == gallery.MEMBERS
    assert cluster.more == 20 - gallery.MEMBERS


def test_bars_fill_their_frame() -> None:
    chart = histogram_chart(
        {
            "column": "x",
            "unit": "",
            "meaning": "",
            "scale": "linear",
            "n": 1001,
            "p05": 0,
            "median": 0.0,
            "p95": 1,
            "checks": [],
            "edges": [0, 1, 2, 3],
            "counts": [1000, 0, 1],
            "flagged": [10, 0, 1],
        }
    )
    assert [bar["height"] for bar in chart["bars"]] == [64.0, 2.5]
    assert chart["bars"][1]["marked"] == 2.5
    assert chart["bars"][0]["text"] == "0 to 1: 1,000, 10 flagged"


def test_class_bars_are_stacked_by_split_and_the_middle_is_left_out() -> None:
    entry = {"name": "a", "count": 10, "splits": {"train": 6, "test": 2}}
    chart = class_chart([entry], ["train", "test"])
    assert [(part["x"], part["width"], part["split"]) for part in chart["rows"][0]["parts"]] == [
        (0, 60, "train"),
        (60, 20, "test"),
        (80, 20, ""),
    ]
    many = class_chart([{"name": str(i), "count": 100 - i, "splits": {}} for i in range(100)], [])
    assert (len(many["rows"]), len(many["tail"]), many["hidden"]) == (30, 10, 60)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.01234, "0.0123"), (1234567, "1,230,000"), (999.6, "1,000"), (-3.14159, "-3.14")],
)
def test_figures_for_people(number: float, text: str) -> None:
    assert in_figures(number) == text


def test_a_plug_in_of_an_unknown_family_gets_a_chapter(audit: Audit, tmp_path: Path) -> None:
    class Odd(type(audit.checks[0])):  # type: ignore[misc]
        code, family, summary = "odd", "shelf-marks", "Odd shelf marks"

    claims = Odd().claims(["train/cat/01.jpg"])
    made = replace(audit, checks=(Odd(),), issues=Issues.collect([claims]))
    assert "Shelf-marks</h2>" in Path(report(made, tmp_path / "out").html).read_text(
        encoding="utf-8"
    )


def test_unlabelled_unsplit_data_without_measures(tmp_path: Path, audit: Audit) -> None:
    bare = replace(
        audit.dataset,
        samples=pd.DataFrame(index=audit.dataset.samples.index),
        classes=(),
        task="none",
    )
    path = report(replace(audit, dataset=bare), tmp_path / "out", thumbnails=False).html
    assert "Image quality" in Path(path).read_text(encoding="utf-8")


def test_documentation_becomes_markup_that_cannot_be_broken_out_of() -> None:
    text = "First line\nsecond ``x < 1``.\n\nOther <b>`</b>` part:\n- one\n- two"
    assert [str(part) for part in paragraphs(text)] == [
        "First line second <code>x &lt; 1</code>.",
        "Other &lt;b&gt;<code>&lt;/b&gt;</code> part:",
        "- one",
        "- two",
    ]
