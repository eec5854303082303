"""The page of a baseline in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def baseline_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with every chapter, hostile names among them."""
    pytest.importorskip("torch")
    from dataprep.baselines.pages.baseline_page import draw_baseline
    from tests.baselines.analysed import analysed

    folder = tmp_path_factory.mktemp("baseline")
    baseline, audit = analysed(folder / "images")
    path: Path = folder / "baseline.html"
    path.write_text(draw_baseline(baseline, audit), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_accessible(opened: Opener, baseline_page: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(baseline_page, scheme, width)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    results = axe.run(page)
    assert len(results.response["passes"]) > 20, "the checker itself must have run"
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def source(page: Any) -> str:
    page.locator("#mistake-0").scroll_into_view_if_needed()
    page.wait_for_selector("#mistake-0 img[src]")
    return str(page.get_attribute("#mistake-0 img", "src"))


def test_the_button_shows_what_spoke_for_a_class_and_back(
    opened: Opener, baseline_page: str
) -> None:
    page = opened(baseline_page)
    plain = source(page)
    page.click("#heat")
    assert page.get_attribute("#heat", "aria-pressed") == "true"
    assert source(page) != plain
    page.keyboard.press("Enter")
    assert source(page) == plain


def test_the_map_tells_what_a_mistake_was_taken_for(opened: Opener, baseline_page: str) -> None:
    page = opened(baseline_page)
    ways = page.eval_on_selector_all("#map-colour option", "all => all.map((each) => each.value)")
    assert {"label", "split", "predicted", "check:mistake"} <= set(ways)
    page.select_option("#map-colour", "check:mistake")
    page.locator("#map-legend button", has_text="Mistake").click()
    page.focus("#map-canvas")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#map-pinned", has_text="taken for").wait_for()
    assert page.title() != "hacked"


def test_the_scheme_changes_and_the_menu_opens_on_a_phone(
    opened: Opener, baseline_page: str
) -> None:
    page = opened(baseline_page, width=390)
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("#menu")
    page.locator("#nav a", has_text="Mistakes").click()
    assert page.get_attribute("#menu", "aria-expanded") == "false"
