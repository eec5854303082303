"""Each check of the family "quality": pictures that it must name, and pictures that it must not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from dataprep import registry
from tests.checks.measured import issues, measured, messages, targets, with_columns
from tests.measures.image.test_texture import blurred, compressed, enlarged, framed, moved
from tests.measures.pictures import encoded, scene


def noisy(array: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, array.shape)
    return np.clip(np.rint(array + noise), 0, 255).astype(np.uint8)


def squeezed(array: np.ndarray, low: float, high: float) -> np.ndarray:
    return (low + array.astype(float) / 255 * (high - low)).astype(np.uint8)


def page(ink: int = 0) -> np.ndarray:
    sheet = np.full((400, 300, 3), 255, np.uint8)
    for line in range(20, 380, 24):
        cv2.putText(
            sheet,
            "the quick brown fox 0123456789",
            (12, line),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5,
            (ink, ink, ink),
            1,
        )
    return sheet


def lamp_at_night() -> np.ndarray:
    night = squeezed(scene(20), 0, 30)
    cv2.circle(night, (200, 150), 60, (250, 240, 200), -1)
    return night


def product() -> np.ndarray:
    shot = np.full((300, 400, 3), 255, np.uint8)
    cv2.circle(shot, (200, 150), 90, (40, 60, 90), -1)
    shot[110:190, 160:240] = scene(21)[110:190, 160:240] // 2
    return shot


def soft_background() -> np.ndarray:
    portrait = blurred(scene(22), 6)
    portrait[100:220, 120:280] = scene(22)[100:220, 120:280]
    return portrait


def carpet() -> np.ndarray:
    """Coarse enough that neighbours go together."""
    random = np.random.default_rng(1)
    return np.clip(
        blurred(random.normal(0, 160, (300, 400, 1)), 0.8)[:, :, None] + np.array([120, 100, 80]),
        0,
        255,
    ).astype(np.uint8)


def glow() -> Image.Image:
    """A soft light that fades out by transparency."""
    far = np.hypot(*np.mgrid[-150:150, -200:200])
    alpha = np.clip(255 - 2 * far, 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([np.full((300, 400, 3), (200, 60, 20), np.uint8), alpha]))


def striped() -> np.ndarray:
    shirt = blurred(scene(23), 0.7)
    shirt[:, ::5] //= 2
    shirt[:, 1::5] //= 2
    return shirt


S = [scene(seed) for seed in range(8)]
GREY = np.repeat(cv2.cvtColor(S[0], cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
#: Check to bad pictures and good ones; each is looked at among eight ordinary pictures.
PICTURES = {
    "dark": (
        [squeezed(S[0], 0, 25), squeezed(S[1], 0, 60)],
        [lamp_at_night(), squeezed(S[2], 0, 140), np.zeros_like(S[0])],
    ),
    "bright": (
        [squeezed(S[0], 200, 255), squeezed(S[1], 170, 255)],
        [product(), page(), squeezed(S[2], 60, 255)],
    ),
    "low-contrast": (
        [squeezed(S[0], 110, 140), squeezed(S[1], 60, 100)],
        [squeezed(S[2], 0, 20), page(150), squeezed(S[3], 60, 200)],
    ),
    "low-information": (
        [np.full_like(S[0], 255), np.zeros_like(S[0]), noisy(np.full_like(S[0], 128), 1)],
        [page(), squeezed(S[1], 0, 25), product()],
    ),
    "blurry": (
        [blurred(S[0], 3), blurred(S[1], 5), blurred(S[2], 10)],
        [soft_background(), page(), compressed(S[3], 60), glow()],
    ),
    "motion-blur": (
        [moved(S[0], 25, 0), moved(S[1], 25, 45), moved(S[2], 25, 90)],
        [blurred(S[3], 4), page(), soft_background()],
    ),
    "noisy": (
        [noisy(S[0], 25), noisy(S[1], 40), noisy(squeezed(S[2], 90, 160), 25)],
        [page(), compressed(S[3], 20), product(), carpet()],
    ),
    "heavy-compression": (
        [compressed(S[0], 5), compressed(S[1], 4)],
        [compressed(S[2], 60), page(), np.zeros_like(S[0])],
    ),
    "upscaled": (
        [enlarged(S[0], 8, cv2.INTER_LINEAR), enlarged(S[1], 6, cv2.INTER_CUBIC)],
        [soft_background(), moved(S[2], 15, 0), blurred(S[3], 3), striped(), compressed(S[4], 10)],
    ),
    "odd-size": (
        [cv2.resize(S[0], (32, 24)), cv2.resize(S[1], (1800, 1350))],
        [cv2.resize(S[2], (600, 500)), S[3][:150]],
    ),
    "odd-aspect-ratio": (
        [S[0][:50], np.ascontiguousarray(S[1][:, :60])],
        [S[2].transpose(1, 0, 2).copy(), S[3][:200]],
    ),
    "grayscale": ([GREY, compressed(GREY, 80)], [squeezed(S[1], 60, 200), np.full_like(S[0], 128)]),
    "border": (
        [framed(S[0] // 2 + 60, 40, 40, 0, 0, 0), framed(S[1] // 2, 12, 12, 12, 12, 255)],
        [product(), page()],
    ),
}


def check_of(code: str):
    return registry.load("dataprep.checks", code)()


def test_every_quality_check_has_pictures():
    known = registry.names("dataprep.checks")
    checks = {code: registry.load("dataprep.checks", code) for code in known}
    assert set(PICTURES) == {
        code
        for code, check in checks.items()
        if (check.family, check.scope) == ("quality", "sample")
    }


@pytest.mark.parametrize("code", PICTURES)
def test_bad_pictures_are_named_and_good_ones_are_not(code):
    bad, good = PICTURES[code]
    files = {
        f"ordinary{index}.png": encoded(scene(100 + index), "PNG", compress_level=1)
        for index in range(8)
    }
    files |= {
        f"bad{index}.png": encoded(picture, "PNG", compress_level=1)
        for index, picture in enumerate(bad)
    }
    files |= {
        f"good{index}.png": encoded(picture, "PNG", compress_level=1)
        for index, picture in enumerate(good)
    }
    dataset = measured(files)
    assert targets(check_of(code), dataset) == {f"bad{index}.png" for index in range(len(bad))}
    for message in messages(check_of(code), dataset):
        assert "nan" not in message


def test_low_jpeg_quality_is_enough():
    files = {
        "poor.jpg": encoded(S[0], "JPEG", quality=8),
        "fair.jpg": encoded(S[0], "JPEG", quality=70),
    }
    dataset = measured(files)
    assert targets(check_of("heavy-compression"), dataset) == {"poor.jpg"}
    assert messages(check_of("heavy-compression"), dataset) == ["JPEG quality is 8 (below 15)"]


def test_options_move_the_threshold():
    dataset = measured({"dim.png": encoded(squeezed(S[2], 0, 140), "PNG")})
    dark = registry.load("dataprep.checks", "dark")
    assert targets(dark(), dataset) == set()
    assert targets(dark(threshold=0.9), dataset) == set(), "something in it is lit"
    assert targets(dark(threshold=0.9, lit=0.9), dataset) == {"dim.png"}


def letter(ink: int, paper: int) -> np.ndarray:
    sheet = np.full((96, 96, 3), paper, np.uint8)
    sheet[20:75, 46:48] = ink
    return sheet


def test_a_thin_letter_is_neither_blank_nor_dark():
    dataset = measured(
        {"thin.png": encoded(letter(0, 255), "PNG"), "night.png": encoded(letter(255, 0), "PNG")}
    )
    assert targets(check_of("low-information"), dataset) == set()
    assert targets(check_of("dark"), dataset) == set()


def test_a_white_drawing_on_nothing_is_no_file_to_drop():
    clear = np.dstack([np.full((64, 64, 3), 255, np.uint8), np.tri(64, dtype=np.uint8) * 255])
    dataset = measured(
        {
            "white.png": encoded(clear, "PNG"),
            "blank.png": encoded(np.full((64, 64, 3), 255, np.uint8), "PNG"),
        }
    )
    table = issues(check_of("low-information"), dataset).table.set_index("target")
    assert table["severity"].astype(str).to_dict() == {"white.png": "info", "blank.png": "error"}
    assert table["suggestion"].astype(str).to_dict() == {"white.png": "review", "blank.png": "drop"}


def test_colours_of_one_luma_are_not_blank_and_a_faint_texture_only_nearly():
    columns = {
        "luma_p01": [0.5] * 3,
        "luma_p99": [0.51, 0.51, 0.525],
        "contrast": [0.004] * 3,
        "saturation": [0.4, 0.4, 0.4],
    }
    dataset = with_columns(3, **columns, chroma_p99=[0.6, 0.41, 0.41])
    table = issues(check_of("low-information"), dataset).table.set_index("target")
    assert table["severity"].astype(str).to_dict() == {"1": "error", "2": "warning"}
    assert table["suggestion"].astype(str).to_dict() == {"1": "drop", "2": "review"}


def test_a_blue_lamp_at_night_is_lit():
    columns = {"luma_p95": [0.05] * 2, "luma_p99": [0.12] * 2, "luma_p01": [0.0] * 2}
    assert targets(check_of("dark"), with_columns(2, **columns, chroma_p99=[0.9, 0.1])) == {"1"}


@pytest.mark.parametrize("code", ["dark", "bright", "low-contrast"])
def test_tones_of_what_shows_through_are_not_judged(code):
    columns = {
        "dark": {"luma_p95": 0.1, "luma_p99": 0.1, "luma_p01": 0.0, "chroma_p99": 0.1},
        "bright": {
            "luma_p01": 0.8,
            "luma_p50": 0.9,
            "luma_p99": 1.0,
            "edge_luma": 0.9,
            "edge_contrast": 0.1,
        },
        "low-contrast": {"luma_p01": 0.4, "luma_p99": 0.5},
    }[code]
    both = with_columns(
        2, alpha=[True, False], **{name: np.full(2, value) for name, value in columns.items()}
    )
    assert targets(check_of(code), both) == {"1"}


def test_a_pale_subject_on_white_is_not_bright():
    columns = {"luma_p01": [0.7] * 3, "luma_p99": [1.0] * 3, "luma_p50": [1.0, 0.9, 0.9]}
    dataset = with_columns(3, **columns, edge_luma=[0.9, 1.0, 0.9], edge_contrast=[0.1, 0.0, 0.1])
    assert targets(check_of("bright"), dataset) == {"2"}


def margins(framed, plain, ordinary, level=1.0, **columns):
    """Images with a frame, with plain surroundings of `level`, and without either."""
    sizes = [framed, plain, ordinary]
    return with_columns(
        sum(sizes),
        border=np.repeat([0.2, 0.0, 0.0], sizes),
        border_straightness=np.repeat([0.97, 0.0, 0.0], sizes),
        edge_contrast=np.repeat([0.0, 0.0, 0.2], sizes),
        edge_luma=np.repeat([1.0, level, 0.5], sizes),
        **columns,
    )


def test_frames_are_named_by_how_straight_they_are():
    (claim,) = issues(check_of("border"), margins(1, 0, 99)).table.to_dict("records")
    assert (claim["target"], claim["scope"]) == ("0", "sample")
    assert claim["confidence"] == pytest.approx(0.97)


def test_margins_of_the_background_that_a_set_has_are_said_once():
    drawn = margins(5, 60, 35)
    assert targets(check_of("border"), drawn) == set()
    (claim,) = issues(check_of("border"), drawn).table.to_dict("records")
    assert (claim["scope"], claim["severity"]) == ("dataset", "fact")
    assert messages(check_of("border"), drawn)[0].endswith(
        "plain margins, white: 65% (threshold 15%)"
    )
    assert targets(check_of("border"), margins(5, 10, 85)) == set(), (
        "too few to speak of, and no frame either"
    )
    assert len(targets(check_of("border"), margins(5, 10, 85, level=0.0))) == 5, (
        "the background is black, the frames are white"
    )


def test_a_stroke_that_touches_the_edge_leaves_the_background_one():
    drawn = margins(2, 60, 38)
    drawn.samples.loc[["0", "1"], "edge_contrast"] = 0.2
    drawn.samples.loc["0", "edge_luma"] = 0.95
    drawn.samples.loc["1", "edge_luma"] = 0.3
    assert targets(check_of("border"), drawn) == {"1"}


def test_transparent_margins_are_no_frames():
    assert targets(check_of("border"), margins(4, 0, 96, alpha=np.arange(100) < 3)) == {"3"}


def test_tiny_images_are_a_fact():
    small = with_columns(50, width=np.full(50, 28.0), height=np.full(50, 28.0))
    (claim,) = issues(check_of("odd-size"), small).table.to_dict("records")
    assert (claim["scope"], claim["severity"], claim["figure"]) == ("dataset", "fact", 28.0)
    assert not len(
        issues(
            check_of("odd-size"),
            with_columns(50, width=np.full(50, 280.0), height=np.full(50, 280.0)),
        )
    )


@pytest.mark.parametrize(
    ("greys", "says"),
    [
        (40, "grey data set (100% of the images"),
        (30, "mixed data set (75% of"),
        (6, "mixed data set (15% of"),
    ],
)
def test_grey_and_mixed_sets_are_said_once(greys, says):
    grey = check_of("grayscale")
    tones = {"luma_p01": np.zeros(40), "luma_p99": np.ones(40)}
    dataset = with_columns(40, chroma_p99=np.repeat([0.0, 0.4], [greys, 40 - greys]), **tones)
    (claim,) = issues(grey, dataset).table.to_dict("records")
    assert (claim["scope"], claim["severity"]) == ("dataset", "fact")
    assert messages(grey, dataset)[0].startswith(says)


def test_a_few_grey_images_are_named():
    tones = {"luma_p01": np.zeros(40), "luma_p99": np.ones(40)}
    assert (
        len(
            targets(
                check_of("grayscale"),
                with_columns(40, chroma_p99=np.repeat([0.0, 0.4], [4, 36]), **tones),
            )
        )
        == 4
    )


@pytest.mark.parametrize("code", ["odd-size", "odd-aspect-ratio"])
def test_nothing_is_odd_in_a_set_of_widely_mixed_shapes(code):
    random = np.random.default_rng(0)
    width, height = (
        (2 ** random.uniform(5, 12, 500)).round(),
        (2 ** random.uniform(5, 12, 500)).round(),
    )
    assert targets(check_of(code), with_columns(500, width=width, height=height)) == set()


def test_sets_of_small_images_or_strips_are_fine():
    small = with_columns(50, width=np.full(50, 32.0), height=np.full(50, 32.0))
    assert targets(check_of("odd-size"), small) == set()
    strips = with_columns(50, width=np.full(50, 900.0), height=np.full(50, 60.0))
    assert targets(check_of("odd-aspect-ratio"), strips) == set()
    strips.samples.loc["7", "width"] = 60.0
    assert targets(check_of("odd-aspect-ratio"), strips) == {"7"}


def test_two_sizes_are_said_once():
    sides = np.repeat([400.0, 4000.0], [60, 40])
    dataset = with_columns(100, width=sides, height=sides)
    assert (
        targets(check_of("odd-size"), dataset),
        targets(check_of("odd-size"), dataset, "dataset"),
    ) == (set(), {""})


def test_tiny_images_are_not_called_blocky():
    columns = {"jpeg_quality": [90.0], "block_steps": [0.2], "luma_p01": [0.0], "luma_p99": [1.0]}
    check = check_of("heavy-compression")
    assert targets(check, with_columns(1, width=[32.0], height=[400.0], **columns)) == set()
    assert targets(check, with_columns(1, width=[320.0], height=[400.0], **columns)) == {"0"}


@pytest.mark.parametrize(("blank", "named"), [(70, 70), (98, 0)])
def test_many_blank_images_are_a_fault_of_each_and_nearly_all_a_trait_of_the_data(
    blank: int, named: int
) -> None:
    high = np.where(np.arange(100) < blank, 0.5, 0.9)
    plain = {"saturation": np.zeros(100), "chroma_p99": np.zeros(100)}
    dataset = with_columns(
        100, luma_p01=np.full(100, 0.5), luma_p99=high, contrast=high / 2 - 0.25, **plain
    )
    check = registry.load("dataprep.checks", "low-information")()
    assert len(targets(check, dataset)) == named
    assert len(targets(check, dataset, "dataset")) == (named == 0)
