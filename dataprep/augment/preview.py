"""A sheet of pictures: images of different classes as they are and as a policy changes them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dataprep.augment.policies import Policy
from dataprep.augment.probe import AugmentationProbe
from dataprep.schemas.text.words import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

#: Side of a picture, space between pictures, height of the strips with titles, width of the class
#: names.
CELL, GAP, STRIP, NAMES = 112, 6, 30, 110
_PAPER, _INK, _QUIET = (255, 255, 255), (24, 24, 32), (110, 112, 125)


def preview(
    source: Audit | Split | Dataset | AugmentationProbe,
    policies: Sequence[Policy],
    *,
    rows: int = 8,
    draws: int = 6,
    seed: int = 0,
    options: PassOptions | None = None,
) -> bytes:
    """A PNG file: for each policy a title and `rows` images, each as it is and in `draws` changes.

    Args:
        source: an audit, a split or a measured data set; or an AugmentationProbe that is at hand.
        policies: one block each, the same images in all of them.
        rows: images, of different classes as far as there are.
        draws: changes of each.
        seed: of the policies; the changes are those of copies 0, 1, 2, ... of epoch 0.
        options: limits of reading and decoding.

    Raises:
        InputError: there are no readable training images. OptionError: albumentations is not
            installed.
    """
    probe = (
        source
        if isinstance(source, AugmentationProbe)
        else AugmentationProbe(source, options=options)
    )
    chosen = _chosen(probe, rows)
    width = NAMES + (draws + 1) * (CELL + GAP) + GAP
    block = STRIP + len(chosen) * (CELL + GAP)
    sheet = Image.new("RGB", (width, STRIP + len(policies) * block + GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((NAMES, 8), "original", _QUIET, _font(13))
    draw.text((NAMES + CELL + GAP, 8), f"changed, seed {seed}", _QUIET, _font(13))
    for place, policy in enumerate(policies):
        top = STRIP + place * block
        draw.text(
            (GAP, top + 6),
            _fitted(f"{policy.name}: {policy.purpose}".rstrip(": "), width, 14),
            _INK,
            _font(14),
        )
        for line, index in enumerate(chosen):
            _draw_row(sheet, probe, index, policy, seed, draws, top + STRIP + line * (CELL + GAP))
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _chosen(probe: AugmentationProbe, count: int) -> list[int]:
    """Places among the probe's rows: one of each class, then a second of each."""
    codes = probe.codes[probe.rows]
    seen: dict[int, int] = {}
    turns = []
    for code in codes.tolist():
        turns.append(seen.get(code, 0))
        seen[code] = turns[-1] + 1
    first = np.lexsort((np.arange(len(codes)), codes, np.asarray(turns)))[:count]
    return sorted(first.tolist(), key=lambda place: (int(codes[place]), place))


def _draw_row(
    sheet: Image.Image,
    probe: AugmentationProbe,
    index: int,
    policy: Policy,
    seed: int,
    draws: int,
    top: int,
) -> None:
    code = int(probe.codes[probe.rows[index]])
    name = printable(probe.classes[code]) if code >= 0 else ""
    ImageDraw.Draw(sheet).text(
        (GAP, top + CELL // 2 - 8), _fitted(name, NAMES - 2 * GAP, 13), _INK, _font(13)
    )
    image = probe.images[index]
    sample = str(probe.dataset.samples.index[probe.rows[index]])
    for place in range(draws + 1):
        shown = (
            image if not place else policy.augment(image, sample=sample, copy=place - 1, seed=seed)
        )
        sheet.paste(Image.fromarray(_in_cell(shown)), (NAMES + place * (CELL + GAP), top))


def _in_cell(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(CELL, CELL, 3): the whole picture, on grey."""
    height, width = image.shape[:2]
    scale = CELL / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(
        image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    )
    cell = np.full((CELL, CELL, 3), 236, np.uint8)
    top, left = (CELL - size[1]) // 2, (CELL - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _fitted(text: str, width: int, size: int) -> str:
    """The text, cut where it would be wider than `width` pixels."""
    font = _font(size)
    while text and font.getlength(text) > width:
        text = text.removesuffix("…")[:-1].rstrip() + "…" if len(text) > 1 else ""
    return text
