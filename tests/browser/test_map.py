"""The feature map and the evidence of claims in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser

#: How many pixels of the map have a colour other than its ground's.
_DRAWN = """() => {
  const canvas = document.querySelector('#map-canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - data[0]) + Math.abs(data[i + 1] - data[1]) > 30) drawn++;
  return drawn;
}"""  # noqa: E501

#: The middle of what is drawn, in pixels of the page.
_MIDDLE = """() => {
  const canvas = document.querySelector('#map-canvas'), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const data = copy.getImageData(0, 0, width, height).data;
  let count = 0, x = 0, y = 0;
  for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - data[0]) + Math.abs(data[i + 1] - data[1]) > 30) {
    count++; x += (i / 4) % width; y += Math.floor(i / 4 / width);
  }
  return [x / count * canvas.clientWidth / width, y / count * canvas.clientHeight / height];
}"""  # noqa: E501


def drawn(page: Any) -> int:
    page.wait_for_timeout(120)
    return int(page.evaluate(_DRAWN))


def colours(page: Any) -> list[str]:
    return [str(text) for text in page.locator("#map-legend bdi").all_inner_texts()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessible(opened: Opener, mapped: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(mapped, scheme, width)
    page.click("#map summary")
    page.focus("#map-canvas")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    results = axe.run(page)
    assert results.violations_count == 0, results.generate_report()
    page.click("#check-wrong-label .thumb >> nth=0")
    assert page.locator("#inspector .strip img[src]").count() == 6
    results = axe.run(page)
    assert results.violations_count == 0, results.generate_report()


def test_no_sideways_scrolling_on_a_phone(opened: Opener, mapped: str) -> None:
    page = opened(mapped, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_map_is_drawn_and_coloured_by_what_is_chosen(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    assert drawn(page) > 500
    assert colours(page)[:2] == ["cat", "dog"]
    page.select_option("#map-colour", "check:wrong-label")
    assert colours(page) == ["Likely label errors", "all others"]
    assert page.locator("#map-legend .n").all_inner_texts() == ["1", "58"]
    page.select_option("#map-colour", "label")
    whole = drawn(page)
    page.click("#map-legend button >> nth=2")
    assert page.get_attribute("#map-legend button >> nth=2", "aria-pressed") == "true"
    assert 0 < drawn(page) < 0.6 * whole
    page.click("#map-legend button >> nth=2")
    assert drawn(page) == whole


def test_points_are_reached_and_pinned_by_keyboard(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    page.select_option("#map-colour", "check:wrong-label")
    page.click("#map-legend button >> nth=0")
    page.focus("#map-canvas")
    page.keyboard.press("ArrowLeft")
    assert "dog/000.jpg" in page.inner_text("#map-frame [role=status]")
    assert "Likely label errors" in page.inner_text("#map-tip")
    page.keyboard.press("Enter")
    assert "dog/000.jpg" in page.inner_text("#map-pinned")
    assert page.locator("#map-pinned img").count() == 1
    page.keyboard.press("Tab")
    page.click("#map-pinned .map-claims button")
    assert page.is_visible("#inspector")
    assert page.inner_text("#inspector-title") == "Likely label errors"
    page.keyboard.press("Escape")
    page.wait_for_selector("#map-pinned .map-claims button:focus")
    page.focus("#map-canvas")
    page.keyboard.press("Escape")
    assert "Point at an image" in page.inner_text("#map-pinned")


def test_pointing_shows_and_clicking_keeps(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    page.select_option("#map-colour", "check:wrong-label")
    page.click("#map-legend button >> nth=0")
    page.wait_for_timeout(120)
    across, down = page.evaluate(_MIDDLE)  # of the one point that is shown
    page.locator("#map-canvas").hover(position={"x": across, "y": down})
    page.wait_for_selector("#map-tip:not([hidden])")
    assert "000.jpg" in page.inner_text("#map-tip")
    page.mouse.down()
    page.mouse.up()
    assert "dog/000.jpg" in page.inner_text("#map-pinned")


def test_zoom_and_back(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    whole = drawn(page)
    page.click("#map-in")
    page.click("#map-in")
    page.click("#map-in")
    assert drawn(page) != whole
    page.click("#map-fit")
    assert drawn(page) == whole
    page.click("#map-pictures")
    page.wait_for_timeout(200)
    assert drawn(page) > 2 * whole


def test_the_wheel_scrolls_the_page_until_the_map_is_chosen(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    page.locator("#map-canvas").scroll_into_view_if_needed()
    page.locator("#map-canvas").hover(position={"x": 5, "y": 5})
    whole = drawn(page)
    page.mouse.wheel(0, 40)
    page.wait_for_selector("#map-hint.on")
    assert drawn(page) == whole
    page.focus("#map-canvas")
    page.mouse.wheel(0, -300)
    assert drawn(page) != whole


def test_the_table_says_the_same(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    page.click("#map summary")
    rows = page.locator("#map tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows][:2] == ["cat", "dog"]
    assert rows[0].split("\t")[1] == "29"


def test_a_neighbour_opens_the_claim_that_it_belongs_to(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    page.click("#check-wrong-label .mini >> nth=1")
    assert page.is_visible("#inspector")
    assert page.locator("#inspector figcaption .path").all_inner_texts() == [
        "cat/003.jpg",
        "dog/000.jpg",
    ]
    page.keyboard.press("Escape")
    page.wait_for_selector("#check-wrong-label .mini:focus")


def test_evidence_of_every_kind_is_drawn(opened: Opener, mapped: str) -> None:
    page = opened(mapped)
    for kind in ("series-chart", "patch", "curve", "matrix", "interval", "carriers", "drivers"):
        assert page.locator(f"#check-shortcut .exhibit.{kind}").count() == 1, kind
        assert page.locator(f"#check-shortcut .exhibit.{kind}").bounding_box()["height"] > 10, kind
    fills = page.eval_on_selector_all(
        "#check-shortcut .patch rect", "all => all.map((one) => getComputedStyle(one).fill)"
    )
    assert fills == ["rgb(255, 0, 0)", "rgb(0, 255, 0)", "rgb(0, 0, 255)", "rgb(255, 255, 0)"]
