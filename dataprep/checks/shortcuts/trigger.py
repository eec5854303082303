"""The check trigger: a few altered pixels that carry a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.shortcuts.planted import Planted, planted
from dataprep.checks.shortcuts.recurrence import LEAST, Patch, buckets, distinct, find_patches
from dataprep.checks.statistics.arrays import transparent
from dataprep.checks.statistics.labelled import labelled_rows
from dataprep.measures.image.marks import Marks, is_bottom, is_right, marks_of_squares, where
from dataprep.measures.image.patches import PLACES
from dataprep.measures.image.windows import nothing, windows_of_squares
from dataprep.probes.vectors import principal_directions
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_NAMED = 12
#: A class that shares patches at more places shows content.
_MOST_PATCHES = 3
#: Patches at the corners and the centre whose whole images are decoded again.
_MOST_LOOKED_AT = 12
_BLOCK = 20_000
#: Share of the carriers that have transparent parts, beyond which they are drawings.
_MOSTLY = 0.5
#: Of more images than these only marks whose place and colour occur often are held.
_ALL_MARKS = 50_000
_BUCKET_BITS = 24


@dataclass(frozen=True)
class Trigger(Check):
    """A small patch of identical pixels that goes with one label.

    What it finds:
        Small patches, down to a single pixel, that occur identically at one place in images of one
        class far more often than elsewhere. One claim for the class, with the patch, and one for
        each
        image that carries it.
    Why it matters:
        Whoever plants such a patch together with a wrong label controls the model: it predicts
        that label whenever the patch is present, and no accuracy on clean images shows it (Gu,
        Dolan-Gavitt & Garg 2017, "BadNets"). A stamp or watermark of one source does the same by
        accident.
    What to do:
        Drop these images, and find out how they came in: their source cannot be trusted. Where
        it is a harmless stamp, crop or cover it in all classes.
    How it works:
        A mark is a pixel that differs from the pixels 3 (or 8) places above, below, left and right
        of it by more than 40 levels of 256; flat backgrounds, skies and borders have none. The pass
        over the files keeps the 6 x 6 pixels of the four corners and the centre at full resolution;
        a second look decodes whole images again, within a budget and evenly from the classes.
        Pixels that differ from all eight neighbours at 1 or at 2 pixels are marks of kinds of their
        own. A colour counts where it is a mark at the same place, from the nearest corner, in at
        least 6 images of a class, at least 8 times as often as in the other classes, more often
        than random labels would and than this colour is a mark at the places around (Chernoff's
        bounds of the binomial and the Poisson distribution, over all colours, places and classes
        together). Colours are compared at 16 bits, and again at 9, since JPEG changes them. Marks
        in the same images make one patch.

        What a class shows by its nature recurs too, so each patch is looked at in 64 of its images,
        beside 200 others. It is content, and no trigger, where the pixels beside it are nearer to
        its colour than in the others (a stroke goes on), where the images with it are more alike
        around it than the others (frames of a scene, a shape in aligned pictures), or where more
        than 15 % of the others show the same there (background, clipped white). Where two or more
        of the patches that recur in a data set are content, recurring is in its nature, and a patch
        has to be rarer and surer. Where most carriers have transparent parts, they are drawings,
        whose parts recur, and nothing is said. Where embeddings are known, the evidence says how
        far the carriers stand out along the first principal direction of their class (spectral
        signatures: Tran, Li & Mądry 2018).
    Known limits:
        Patches larger than about 12 pixels, patterns blended over the whole image, and places that
        move are not looked for. A carrier whose own background looks like the patch is not listed.
        In images larger than the budget allows, places other than the corners and the centre are
        seen in a part of the images only. A class that shares patches at more than 3 places
        (screens, forms, drawings) shows content, and is passed over; so is a patch whose carriers
        are copies or frames of one scene. White on strokes that are white themselves hides. Images
        whose files are out of reach are not judged.
    Measured quality:
        benchmarks/shortcuts.py --natural. No claim on any of eight sets with nothing planted:
        written digits and grey pictures of clothes (2,500 each, the first halves of a part of MNIST
        and Fashion-MNIST), hands (2,062), tiles (674), rubbish (2,527), two sets of CIFAR-10 (6,234
        and 5,000), photos of clothes (2,000); nor on 77 parts of the grey pictures (halves, pairs
        of classes, five classes), on drawn one-bit characters, icons, and 88 tracks of 30 frames
        cut from photos. Planted three times each in digits, 3 x 3 pixels or one, mixed or white:
        near a corner with 15 or 50 carriers 24 of 24; anywhere with 50 carriers 11 of 12, with 15
        carriers 7 of 12 (white 2 of 6: it lies on white strokes). In the grey pictures of clothes
        near a corner 12 of 12 with 50 carriers and 10 of 12 with 15, anywhere 12 of 12 and 5 of 12.
        With 200 carriers 15 of 16 in each, one single pixel anywhere missed. In CIFAR-10 16 of 16
        with 15 carriers and 16 of 16 with 50. In photos of 400 x 533 pixels 3 x 3 near a corner 6
        of 6 with 50 carriers and 6 of 6
          with 15; saved as JPEG of
        quality 90 3 of 3 and 2 of 3. Elsewhere in large photos a patch is found only in the part
        that the budget looks at. Limits were chosen on digits, clothes in grey and CIFAR-10; tiles,
        rubbish and the photos had no part in it.
    """

    code = "trigger"
    family = "shortcuts"
    severity = "error"
    scope = "class"
    needs = ("label", "patches", "width", "height")
    wants = ("alpha",)
    classes = 2
    looks = True
    suggestion = "review"
    summary = "Possible backdoor trigger"
    advice = "Drop the images with this patch, and find out where they come from."
    message = "{what}"

    alpha: float = option(0.005, "probability of any claim on random labels", low=0.00001, high=0.5)
    megapixels: float = option(
        100.0, "million pixels that are decoded again, to look at every place", low=0
    )
    most_images: int = option(
        20_000, "images that are decoded again, drawn evenly from the classes", low=0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each patch and its class, and one for each image that carries it."""
        if dataset.task in ("regression", "multi-label"):
            return
        rows, codes, names, _ = labelled_rows(dataset, look, len(dataset), LEAST)
        if len(names) < 2:
            return
        labels = np.full(len(dataset), -1, np.int64)
        labels[rows] = codes
        through = transparent(dataset)
        for number, found in enumerate(self._found(dataset, look, rows, labels)):
            patch = found.patch
            if through[patch.carriers].mean() > _MOSTLY:
                continue
            evidence = _evidence(
                found, names[patch.label], int((labels == patch.label).sum()), dataset
            )
            evidence |= _spectral(dataset, look, patch, labels)
            yield self._class_claim(patch, names[patch.label], evidence)
            yield self._sample_claims(
                patch, f"trigger-{number + 1}", names[patch.label], evidence, dataset
            )

    def _found(
        self, dataset: Dataset, look: Look, rows: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> list[Planted]:
        """The patches that were planted, the surest first, each once."""
        squares = dataset.arrays["patches"]
        recurring = find_patches(_marks_of_pass(squares, rows), labels, self.alpha / 2)
        found = planted(
            recurring, rows, lambda rows, places: _windows_of_pass(squares, rows, places)
        )
        found = planted(
            [each.patch for each in found[:_MOST_LOOKED_AT]], rows, look.windows
        )  # beyond the squares
        chosen = self._budgeted(dataset, rows, labels[rows])
        recurring = find_patches(look.marks(chosen), labels, self.alpha / 2)
        found += planted(recurring, chosen, look.windows)
        by_patch = {id(each.patch): each for each in found}
        kept = distinct(each.patch for each in found)
        count = np.bincount([patch.label for patch in kept], minlength=1)
        return [by_patch[id(patch)] for patch in kept if count[patch.label] <= _MOST_PATCHES]

    def _budgeted(
        self, dataset: Dataset, rows: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Rows to decode again: as many of each class, at random, as the budget allows."""
        order = np.random.default_rng(0).permutation(len(rows))
        ranks = np.empty(len(rows), np.int64)
        for code in np.unique(codes):
            own = order[codes[order] == code]
            ranks[own] = np.arange(len(own))
        chosen = rows[np.lexsort((order, ranks))]
        sizes = (
            (dataset.samples["width"] * dataset.samples["height"])
            .fillna(0)
            .to_numpy(dtype=np.float64)[chosen]
        )
        fitting = np.cumsum(sizes) <= self.megapixels * 1e6
        return np.sort(chosen[fitting][: self.most_images])

    def _class_claim(self, patch: Patch, name: str, evidence: dict[str, Any]) -> pd.DataFrame:
        what = (
            f"an identical patch of {evidence['size']} at the {evidence['place']} occurs in "
            f"{len(patch.carriers):,} images of {name!r} and in {patch.others:,} of all other "
            f"classes"
        )
        return self.claims(
            [name],
            figure=len(patch.carriers),
            unit="images",
            evidence={"what": what, **evidence},
            suggestion="none",
            confidence=1 - min(1.0, evidence["chance"]),
        )

    def _sample_claims(
        self, patch: Patch, group: str, name: str, evidence: dict[str, Any], dataset: Dataset
    ) -> pd.DataFrame:
        shared = f"that {len(patch.carriers):,} images of {name!r} share"
        what = f"has the patch of {evidence['size']} at the {evidence['place']} {shared}"
        return self.claims(
            dataset.samples.index.to_numpy(dtype=object)[patch.carriers],
            scope="sample",
            figure=len(patch.carriers),
            unit="images",
            evidence={"what": what, "place": evidence["place"]},
            suggestion="drop",
            group=group,
            confidence=patch.precision,
        )


def _marks_of_pass(patches: NDArray[np.uint16], rows: NDArray[np.int64]) -> Marks:
    """The marks within the squares of every row; of many rows only those that may recur often
    enough, for memory's sake.
    """
    blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
    counts = np.zeros(1 << _BUCKET_BITS if len(rows) > _ALL_MARKS else 0, np.int32)
    if len(counts):
        for block in blocks:
            counts += np.bincount(
                _bucket(marks_of_squares(np.asarray(patches[block]), block)), minlength=len(counts)
            ).astype(np.int32)
    parts = [
        _frequent(marks_of_squares(np.asarray(patches[block]), block), counts) for block in blocks
    ]
    return Marks(
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.colour for part in parts]),
        np.concatenate([part.looked for part in parts]),
        parts[0].places,
    )


def _windows_of_pass(
    squares: NDArray[np.uint16], rows: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.int16]:
    """What the pass kept of the pixels around places in its squares."""
    windows = nothing(len(rows))
    for place in np.unique(places).tolist():
        asked = np.flatnonzero(places == place)
        windows[asked] = windows_of_squares(np.asarray(squares[rows[asked]]), place)
    return windows


def _bucket(marks: Marks) -> NDArray[np.int64]:
    """(m,) a number for the place and colour of each mark; a few share it."""
    return buckets(marks.place << 16 | marks.colour.astype(np.int64), _BUCKET_BITS)


def _frequent(marks: Marks, counts: NDArray[np.int32]) -> Marks:
    if not len(counts):
        return marks
    kept = counts[_bucket(marks)] >= LEAST
    return replace(
        marks, image=marks.image[kept], place=marks.place[kept], colour=marks.colour[kept]
    )


def _evidence(found: Planted, name: str, size: int, dataset: Dataset) -> dict[str, Any]:
    patch = found.patch
    pixels, text, place = _picture(found)
    carriers = [str(each) for each in dataset.samples.index[patch.carriers[:_NAMED]]]
    return {
        "patch": {"pixels": pixels, "place": place, "carriers": carriers},
        "place": place,
        "size": text,
        "class": name,
        "carriers": len(patch.carriers),
        "others": patch.others,
        "class_size": size,
        "precision": patch.precision,
        "chance": float(np.exp(max(patch.log_chance, -700.0))),
        "apart": round(found.seen.apart, 3),
    }


def _picture(found: Planted) -> tuple[list[Any], str, str]:
    """(pixels as shown, size in words, place in words) of a patch; what lies between its pixels
    is in their median colour.
    """
    corner, down, across = where(int(found.patch.places[0]))
    rows, columns = np.nonzero(found.seen.mask)
    colours = found.seen.colours[rows, columns]
    shape = (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1, 1)
    shown = np.tile(np.median(colours, axis=0).astype(np.uint8), shape)
    shown[rows - rows.min(), columns - columns.min()] = colours
    middle = len(found.seen.mask) // 2
    top = down + (middle - int(rows.max()) if is_bottom(corner) else int(rows.min()) - middle)
    left = across + (
        middle - int(columns.max()) if is_right(corner) else int(columns.min()) - middle
    )
    text = "1 pixel" if len(rows) == 1 else f"{shape[1]} x {shape[0]} pixels"
    place = PLACES[corner]
    if corner < len(PLACES) - 1 and (top or left):
        place += f" ({left} across and {top} down from it)"
    return shown.tolist(), text, place


def _spectral(
    dataset: Dataset, look: Look, patch: Patch, labels: NDArray[np.int64]
) -> dict[str, Any]:
    """How the carriers stand out along the first principal direction of their class's embeddings
    (Tran, Li & Mądry 2018).

    The share of pairs of a carrier and another image of the class in which the carrier is further
    out; 0.5 by chance.
    """
    if not dataset.has("embedding"):
        return {}
    features = look.features()
    own = np.flatnonzero((labels == patch.label) & features.known)
    carries = np.isin(own, patch.carriers)
    if not carries.any() or carries.all():
        return {}
    values = features.values[own] - features.values[own].mean(axis=0)
    direction = principal_directions(values.T @ values, 1)[1][:, 0]
    ranks = np.argsort(np.argsort((values @ direction) ** 2, kind="stable"), kind="stable")
    count = int(carries.sum())
    area = (ranks[carries].sum() - count * (count - 1) / 2) / (count * (len(own) - count))
    return {"spectral": float(area)}
