"""The check outlier: images that are unlike nearly all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dataprep.checks.contract import Check
from dataprep.probes.oddness import LEAST, Oddness, oddness_of
from dataprep.probes.off_topic import ASKED, FarImages, far_images
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: Nearest images that are shown, rare images that are, and classes that are named.
_SHOWN, _EXAMPLES, _LISTED = 6, 12, 3
#: Share of images far off by chance that pass for off topic by their neighbours, and what no claim
#: is surer than: measured.
_PASSED, _SUREST = 0.25, 0.7
#: A label that the classifiers doubt this much does not count, whether it is wrong or the image
#: hard.
_DOUBT = 0.5


@dataclass(frozen=True)
class Outlier(Check):
    """Outliers: off-topic images, images from another source, broken ones.

    What it finds:
        Images that lie farther from the bulk of the data set, and of their class, than ordinary
        images do, and of which something else says that they do not belong: a drawing among photos,
        a framed thumbnail, a poster, a screenshot, a blank or broken picture. Each claim tells how
        unusual the image is, the classes of the nearest ordinary images, and how many of its
        nearest images are as unusual; the nearest are shown. Images as far off that are only rare
        make one fact about the data set, with examples.
    Why it matters:
        What is off topic teaches nothing, or something wrong, and in a test set counts as an error
        that is none. What is rare but right is the opposite: the image that the data set has too
        few of.
    What to do:
        Look at the list from the top. Drop what does not belong, relabel what has a wrong label.
        Several alike mean a source that got in by mistake; look for all of it. Collect more of what
        is merely rare.
    How it works:
        Distance between embeddings (square roots of the activations, unit length), to the nearest
        twentieth of all images and of those of the class, the nearer half of that passed over, so
        that alike outliers of up to 2.5 % do not hide each other (distance to a measure; Chazal,
        Cohen-Steiner and Mérigot 2011). Each relative to the median image; to be near others of a
        small class excuses no image that is far from all. An image whose label is in doubt is
        compared with all images only. What the farthest 3 % have in common is learnt by ridge
        regressions that do not see the image, its copies or its group, and added (after Elkan and
        Noto 2008). Ordinary images are taken to be normally distributed above the median, with a
        spread read from quantiles up to 93 %; far is what exceeds them at three times `rate`.

        Far alone is rare, not off topic. Listed is an image that is far, and one of these holds:
        two others as far are among its 10 nearest (without labels: four; copies and one group count
        once) and its class has at most 0.2 more of its 10 nearest ordinary images than chance; or
        at most one of the 10 is of its class, where most are for the median image of the class, at
        `rate`; or the tail of the set's own distances, taken for exponential between their 75 % and
        93 % quantiles, expects less than one image as far (without labels: 0.05). Where the
        neighbours of a class are no more of that class than chance and 0.2, its labels are not
        asked. Confidence is 1 less a quarter of the expected share of false alarms by distance, at
        most 0.7, as measured by eye.
    Known limits:
        Fewer than 50 images have no bulk: the check is skipped. Where odd images are more than some
        5 % they are a part of the data set, which similar-images or a look at the feature map
        shows. It sees what the embedding sees: clothes at 32 pixels are hard to tell from cats at
        32 pixels. Rare classes of fewer than 40 images are compared with all images only. One image
        alone of its kind whose neighbours happen to be of its class is taken for rare; without
        labels nearly every lone image is, and copies of one image count as one. A rare pattern of a
        class that neighbours usually show is sometimes listed (two of 2,500 pictures of clothes at
        28 pixels).
    Measured quality:
        benchmarks/outliers.py, planted at 2 %. Photos reduced to 32 pixels among CIFAR images of
        two classes (10 pairs, squashed and cropped): AUROC 0.973 to 0.999; precision of the list
        0.98 (0.88 to 1.00; by distance alone 0.93) at recall 0.42 (0.08 to 0.67; 0.44). Enlarged
        CIFAR images, drawings, cartoons and pages of text among 2,000 photos: AUROC 1.00, precision
        1.00 at recall 0.60 to 1.00. Without labels: precision 0.98 and 1.00 at recall 0.27 and
        0.44. Untouched: none of the photos listed, 0.21 % (95 % interval 0.12 to 0.36) of 6,234
        CIFAR images, most of them framed or unreadable, without labels none.

        Natural data, by eye (off topic, another source such as a framed thumbnail, broken, or a
        wrong label is right); nothing is listed in the sets that are not named:

        ========================================  ======  ========================================
        set                                       listed  right, arguable, wrong (before)
        ========================================  ======  ========================================
        CIFAR-10 (6,234)                          11      8, 2, 1 (22 listed; of 20: 8, 5, 7)
        digits (2,500)                            2       1, 1, 0 (7: 1, 3, 3)
        characters (1,975)                        7       7, 0, 0 (8: 8, 0, 0), blank pictures
        photos, trashnet, icons, stamps, video,   0       (10: 2, 2, 6)
        racing, scenery, stock, textures
        *kept apart:* CIFAR-10 test (5,000)       10      7, 2, 1 (19)
        fashion (2,500)                           2       0, 0, 2 (7), rare patterns
        digits of another source (3,000)          2       0, 1, 1
        emoji (3,000)                             4       1, 3, 0
        sprites (1,197)                           11      10, 1, 0, blank or fading pictures
        tiles, hands, strokes, lessons, manual,   0       (tiles 1, hands 2, nebulae 1)
        nebulae, robot
        ========================================  ======  ========================================
    """

    code: ClassVar = "outlier"
    family: ClassVar = "content"
    severity: ClassVar = "warning"
    needs: ClassVar = ("embedding",)
    wants: ClassVar = ("label",)
    looks: ClassVar = True
    suggestion: ClassVar = "review"
    summary: ClassVar = "Outliers"
    advice: ClassVar = (
        "Check whether they belong to the data set: drop off-topic and broken images, relabel "
        "mislabelled ones."
    )
    message: ClassVar = "{text}"

    rate: float = option(
        0.001,
        "share of ordinary images expected to be as unusual as those listed",
        low=1e-9,
        high=0.1,
    )

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and does not get: embeddings of enough images to lie outside of."""
        missing = super().lacks(dataset, look)
        return missing or (
            [f"embeddings of {LEAST} images"] if int(look.features().known.sum()) < LEAST else []
        )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the images that do not belong, most unusual first, and one fact about those that
        are only rare.
        """
        known = look.features().known
        evidence = look.labels() if dataset.has("label") else None
        oddness = oddness_of(
            dataset.arrays["embedding"],
            known,
            trusted_classes(evidence, len(dataset)),
            look.units(),
        )
        given = np.full(len(dataset), -1, np.int32) if evidence is None else evidence.given
        far = far_images(oddness, look.neighbours(), given, look.units(), self.rate)
        if far.off_topic.any():
            yield self._listed(dataset, look, evidence, oddness, far)
        if not far.off_topic.all():
            yield self._rare(dataset, evidence, far)

    def _listed(
        self,
        dataset: Dataset,
        look: Look,
        evidence: LabelEvidence | None,
        oddness: Oddness,
        far: FarImages,
    ) -> pd.DataFrame:
        """A claim for each image that does not belong."""
        places = np.flatnonzero(far.off_topic)
        rows = far.rows[places]
        judged = int(look.features().known.sum())
        names = dataset.samples.index.to_numpy(dtype=object)
        figure, expected = oddness.deviations()[rows], oddness.chance()[rows] * judged
        false = _PASSED * np.maximum.accumulate(expected / np.arange(1, len(rows) + 1))
        reasons = []
        for place, row, deviations, chance in zip(places, rows, figure, expected, strict=True):
            near = look.neighbours().indices[row]
            in_class = bool(oddness.ratio_in_class[row] >= oddness.ratio[row])  # False for NaN
            ratio = float(oddness.ratio_in_class[row] if in_class else oddness.ratio[row])
            classes = _classes(evidence, far.ordinary[place])
            reasons.append(
                {
                    "text": _sentence(deviations, ratio, in_class, int(far.alike[place]), classes),
                    "ratio": round(ratio, 3),
                    "scope": "class" if in_class else "all",
                    "alike": int(far.alike[place]),
                    "neighbour_classes": classes,
                    "neighbours": [str(name) for name in names[near[near >= 0][:_SHOWN]]],
                    "expected": float(f"{chance:.2g}"),
                    "judged": judged,
                    "threshold": self.rate,
                }
            )
        confidence = np.clip(1 - false, 0, _SUREST).round(3)
        return self.claims(
            names[rows],
            figure=figure.round(2),
            unit="standard deviations",
            confidence=confidence,
            evidence=reasons,
        )

    def _rare(
        self, dataset: Dataset, evidence: LabelEvidence | None, far: FarImages
    ) -> pd.DataFrame:
        """One fact about the images that lie as far and nothing speaks against."""
        rows = far.rows[~far.off_topic]
        classes = _classes(evidence, rows)
        of = f" ({_in_words(classes)})" if classes else ""
        text = (
            f"{len(rows):,} {'image is' if len(rows) == 1 else 'images are'} the most "
            f"unusual{of}, but nothing shows that they do not belong to the data set. If they do, "
            f"collecting more like them helps a model more than collecting typical images"
        )
        names = dataset.samples.index.to_numpy(dtype=object)[rows]
        return self.claims_of_dataset(
            figure=len(rows),
            unit="images",
            evidence={"text": text, "neighbours": [str(name) for name in names[:_EXAMPLES]]},
        )


def trusted_classes(evidence: LabelEvidence | None, rows: int) -> NDArray[np.int64]:
    """(n,) codes of the given classes, -1 where the label is in doubt: to be unlike its class
    may be its label's fault.
    """
    if evidence is None or not evidence.classes:
        return np.full(rows, -1, np.int64)
    return np.where(np.nan_to_num(evidence.doubt) >= _DOUBT, -1, evidence.given).astype(np.int64)


def _classes(evidence: LabelEvidence | None, rows: NDArray[np.int64]) -> dict[str, int]:
    """Class to the number of `rows` (-1: none) in it, the most frequent first, then by name."""
    given = evidence.given[rows[rows >= 0]] if evidence is not None else np.array([], np.int32)
    counts = np.bincount(given[given >= 0])
    named = (
        [(evidence.classes[code], int(counts[code])) for code in np.flatnonzero(counts)]
        if evidence is not None
        else []
    )
    return dict(sorted(named, key=lambda item: (-item[1], item[0])))


def _in_words(classes: dict[str, int]) -> str:
    """The most frequent classes: "4 of 'cat', 3 of 'dog'"."""
    listed = [f"{count} of {name!r}" for name, count in list(classes.items())[:_LISTED]]
    rest = sum(list(classes.values())[_LISTED:])
    return ", ".join([*listed, f"{rest} of others"] if rest else listed)


def _sentence(
    deviations: float, ratio: float, in_class: bool, alike: int, classes: dict[str, int]
) -> str:
    """Why an image is listed."""
    others = "the others of its class" if in_class else "all others"
    text = (
        f"very unusual for this data set ({deviations:.1f} σ): {ratio:.2f} times the usual "
        f"distance to {others}"
    )
    if classes:
        text += f"; the nearest typical images are {_in_words(classes)}"
    return text + (f"; {alike} of its {ASKED} nearest neighbours are as unusual" if alike else "")
