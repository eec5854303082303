"""The HTML report in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import Opener
from tests.reports.audit.conftest import CLOSING, HOSTILE

pytestmark = pytest.mark.browser


def shows(page: Any, words: str) -> None:
    """Wait until the table says how many issues it shows: typing is answered after a short rest."""
    page.locator("#shown", has_text=re.compile(f"^{words}$")).wait_for(timeout=10_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessible(opened: Opener, small: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(small, scheme, width)
    results = axe.run(page)
    assert len(results.response["passes"]) > 20, "the checker itself must have run"
    assert results.violations_count == 0, results.generate_report()
    page.click(".thumb >> nth=1")
    results = axe.run(page)
    assert results.violations_count == 0, results.generate_report()


def test_no_sideways_scrolling_on_a_phone(opened: Opener, small: str) -> None:
    page = opened(small, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_search_and_filters_narrow_the_table(opened: Opener, small: str) -> None:
    page = opened(small)
    shows(page, "16 issues")
    page.fill("#search", "mirrored DOG/00")
    shows(page, "2 of 16 issues")
    page.fill("#search", "no such thing")
    shows(page, "0 of 16 issues")
    assert page.is_visible("#none")
    page.click("#reset")
    page.select_option("#filter-severity", "error")
    shows(page, "3 of 16 issues")
    page.select_option("#filter-split", "test")
    shows(page, "0 of 16 issues")
    page.select_option("#filter-severity", "")
    page.select_option("#filter-label", "dog")
    shows(page, "2 of 16 issues")


def test_a_checks_button_shows_its_issues(opened: Opener, small: str) -> None:
    page = opened(small)
    page.click("[data-show=dark]")
    shows(page, "7 of 16 issues")
    assert page.locator("#rows tr td.c-check").all_inner_texts() == ["Dark images"] * 7


def test_sorting(opened: Opener, small: str) -> None:
    page = opened(small)
    page.click("[data-show=dark]")
    page.click("[data-sort=target] button")
    names = page.locator("#rows .name").all_text_contents()
    assert names == sorted(names, key=str.lower)
    page.click("[data-sort=target] button")
    assert page.locator("#rows .name").all_text_contents() == names[::-1]
    assert page.get_attribute("[data-sort=target]", "aria-sort") == "descending"


def test_only_the_rows_in_sight_exist_and_every_row_can_be_reached(
    opened: Opener, large: str
) -> None:
    page = opened(large)
    shows(page, "30,000 issues")
    assert page.get_attribute("#grid", "aria-rowcount") == "30001"
    assert page.locator("#rows tr").count() < 80
    page.evaluate("document.querySelector('#viewport').scrollTop = 1e9")
    page.wait_for_selector("tr[aria-rowindex='30001']")
    assert page.locator("#rows tr").count() < 80
    page.fill("#search", "class3/000003")
    shows(page, "2 of 30,000 issues")


def test_rows_by_keyboard(opened: Opener, large: str) -> None:
    page = opened(large)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("dark")
    shows(page, "20,000 of 30,000 issues")
    page.keyboard.press("ArrowDown")
    for key in ("ArrowDown", "ArrowDown", "PageDown", "End"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.className") == "name", key
    assert page.evaluate("document.activeElement.closest('tr').ariaRowIndex") == "20001"
    page.keyboard.press("Enter")
    assert page.inner_text("#inspector-place") == "20,000 of 20,000"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#inspector-place") == "19,999 of 20,000"
    page.keyboard.press("Escape")
    page.wait_for_selector("tr[aria-rowindex='20000']:focus-within")


def test_inspector_by_keyboard(opened: Opener, small: str) -> None:
    page = opened(small)
    first = page.locator("#check-near-duplicate .thumb").first
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.is_visible("#inspector")
    assert page.inner_text("#inspector-place") == "2 of 5"
    assert page.locator("#inspector img").count() == 2
    assert page.locator("#inspector .role").all_inner_texts() == ["B · copy", "A · keep"]
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#inspector-place") == "3 of 5"
    page.keyboard.press("Escape")
    page.wait_for_selector(
        "#check-near-duplicate .cluster:nth-child(1) .tile:nth-child(3) .thumb:focus"
    )
    assert not page.is_visible("#inspector")


def test_pictures_are_drawn_and_a_lost_one_says_why(opened: Opener, small: str) -> None:
    page = opened(small)
    page.locator("#check-dark .thumb").first.scroll_into_view_if_needed()
    page.wait_for_selector("#check-dark .tile:last-child img[src]")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('#check-dark img')].map((image) => image.naturalWidth)"
        )
        == [96] * 7
    )
    assert page.inner_text("#check-unreadable .thumb") == "truncated"


def test_the_scheme_follows_the_system_until_it_is_chosen_and_is_remembered(
    opened: Opener, small: str
) -> None:
    page = opened(small, "dark")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_selector("html[data-theme=light]")
    page.click("#theme")
    assert page.evaluate(theme) == "dark"
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page.reload()
    assert page.evaluate(theme) == "dark"


def test_hostile_names_and_labels_are_inert(opened: Opener, small: str) -> None:
    page = opened(small)
    assert "hacked" not in page.title()
    page.fill("#search", "onerror")
    shows(page, "1 of 16 issues")
    assert page.locator("#rows .name").text_content() == f"test/dog/{HOSTILE}"
    page.click("#rows .name")
    assert HOSTILE in page.inner_text("#inspector figcaption")
    assert page.get_attribute("#inspector a.button", "href").endswith(
        "/test/dog/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.jpg"
    )
    page.keyboard.press("Escape")
    page.select_option("#filter-label", CLOSING)
    page.fill("#search", "")
    shows(page, "2 of 16 issues")
    assert page.title().endswith("dataprep")


def test_bytes_of_a_name_reach_the_file(opened: Opener, small: str) -> None:
    page = opened(small)
    page.click("#check-unreadable .thumb")
    assert page.get_attribute("#inspector a.button", "href").endswith("/train/cat/caf%e9.jpg")


def test_names_are_copied_one_a_line(opened: Opener, small: str) -> None:
    page = opened(small)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.select_option("#filter-check", "near-duplicate")
    page.click("#copy-all")
    page.wait_for_selector("#toast.on")
    assert page.inner_text("#toast") == "3 names copied"
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        "test/dog/01.jpg",
        "train/cat/02.jpg",
        "train/cat/=cmd.jpg",
    ]


def test_navigation_and_skip_link(opened: Opener, small: str) -> None:
    page = opened(small)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.click("nav a[href='#check-dark']")
    page.wait_for_selector("nav a[href='#check-dark'][aria-current]")
    narrow = opened(small, width=390)
    assert not narrow.is_visible("nav")
    narrow.click("#menu")
    assert narrow.is_visible("nav")
    narrow.click("nav a[href='#data']")
    assert not narrow.is_visible("nav")


def test_print_shows_the_findings_without_the_tools(opened: Opener, small: str) -> None:
    page = opened(small)
    page.emulate_media(media="print")
    assert not page.is_visible("nav")
    assert not page.is_visible("#issues")
    assert page.is_visible("#check-dark h3")
