"""Chromium for the tests of the HTML report; without it they are skipped, and the end of the run
says so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.reports import report
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues
from tests.reports.audit.conftest import CHECKS, Dark, LabelConflict, learned, planted

#: Opens the page at a path with a colour scheme and a width.
Opener = Callable[..., Any]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_REASON = "no Chromium: install it or name it in DATAPREP_CHROMIUM"


def find_chromium() -> str:
    named = os.environ.get("DATAPREP_CHROMIUM", "")
    return named or next(filter(None, map(shutil.which, _NAMES)), "")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = [
        item for item in terminalreporter.stats.get("skipped", []) if _REASON in str(item.longrepr)
    ]
    if skipped:
        terminalreporter.section(
            "THE HTML REPORT WAS NOT TESTED IN A BROWSER", sep="!", red=True, bold=True
        )
        terminalreporter.write_line(f"{len(skipped)} tests skipped: {_REASON}", red=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = find_chromium()
    if not path:
        pytest.skip(_REASON)
    api = pytest.importorskip("playwright.sync_api", reason=f"{_REASON} (and playwright)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with pictures, hostile names and one claim of every kind."""
    folder = tmp_path_factory.mktemp("small")
    return report(planted(folder / "images"), folder / "out").html


@pytest.fixture(scope="session")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with a feature map and evidence of every kind."""
    folder = tmp_path_factory.mktemp("mapped")
    return report(learned(folder / "images"), folder / "out").html


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of 30,000 issues without pictures."""
    n = 20_000
    names = [f"train/class{i % 7}/{i:06d}.jpg" for i in range(n)]
    columns = {
        "label": pd.Categorical([f"class{i % 7}" for i in range(n)]),
        "luma_p99": np.linspace(0, 1, n),
    }
    samples = pd.DataFrame(columns, index=pd.Index(names, name="sample"))
    dark = Dark().claims(
        names,
        figure=np.linspace(0, 1, n),
        evidence={"threshold": 0.2},
        confidence=np.linspace(1, 0, n),
    )
    conflict = LabelConflict().claims(
        names[: n // 2], related=names[n // 2 :], evidence={"label": "a", "other": "b"}
    )
    audit = Audit(
        Dataset("/nowhere", samples, "classification"), Issues.collect([dark, conflict]), {}, CHECKS
    )
    return report(audit, tmp_path_factory.mktemp("large") / "out", thumbnails=False).html


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opener]:
    """Opens a page; at the end there must have been no error and no request but for the file
    itself.
    """
    contexts, troubles = [], []

    def open_page(path: str, scheme: str = "light", width: int = 1280) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 850}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                troubles.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        own = Path(path).as_uri()
        page.on(
            "request",
            lambda request: (
                troubles.append(request.url) if not request.url.startswith((own, "data:")) else None
            ),
        )
        page.goto(own)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles
