"""What most of a data set shares is no fault of its members: it is said once, about the data
set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.schemas.issues import Severity
from dataprep.schemas.text.words import lower_first

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Check
    from dataprep.schemas.dataset import Dataset

#: Data sets of fewer measured images have no typical image.
LEAST = 20
#: More than this share of the images makes a fault typical: blur and noise are worth a look also
#: where a third has them.
SHARE = 0.5
#: The same of tones and margins, which so many images share only where the data set was made so.
SHARE_OF_TONES = 0.15
#: A figure stands out that lies so many times as far from the median as the outermost sixth of the
#: images begins, on a scale of ratios. The tails of photographs are exponential on that scale: the
#: most extreme of 2,000 to 6,000 lie at 4.9 to 5.7.
_FAR = 6.5
_SIXTH = 0.16
#: Least width of the middle that is taken, so that nothing within about a factor of two of the
#: median stands out.
_LEAST_WIDTH = 0.11
#: One grey level, so that black has a logarithm.
_LEVEL = 1 / 255

#: Code of a check to what its fault means for training where it is typical.
MEANINGS: dict[str, str] = {
    "blurry": "there is no fine detail to learn from: train at a lower resolution, and expect "
    "images in production to be as soft",
    "border": "crop all images alike, or none: margins make the subject smaller, and are a "
    "shortcut if one class has them more often",
    "bright": "normalise by this data set's own mean and standard deviation, and expect images in "
    "production to be as bright",
    "dark": "normalise by this data set's own mean and standard deviation, and expect images in "
    "production to be as dark",
    "heavy-compression": "compress images in production alike, or vary the quality as an "
    "augmentation",
    "low-contrast": "normalise by this data set's own mean and standard deviation: pretrained "
    "weights expect more contrast",
    "low-information": "there is hardly anything to tell the labels by, or the images were not "
    "decoded as intended",
    "motion-blur": "images in production should be blurred alike; vary blur as an augmentation",
    "noisy": "denoise all images alike or none, in training and in production",
    "odd-aspect-ratio": "aspect ratios are mixed: pad or crop to one instead of stretching",
    "odd-size": "sizes are mixed: resize all to one, and keep augmentations of scale wide",
    "upscaled": "there is no detail at this size: train at a lower resolution, which costs nothing",
}


def claim_unless_typical(
    check: Check,
    dataset: Dataset,
    bad: NDArray[np.bool_],
    *,
    judged: NDArray[np.bool_],
    figure: NDArray[np.float64],
    what: str,
    unit: str = "",
    confidence: NDArray[np.float64] | float = 1.0,
    evidence: Mapping[str, Any] | None = None,
    share: float = SHARE,
    unusual: NDArray[np.bool_] | None = None,
    severity: Severity = "fact",
) -> Iterator[pd.DataFrame]:
    """Yield one claim per bad sample, or, where more than `share` of those judged are bad, one
    about the data set.

    Args:
        check: whose claims they are; its message begins with ``{what}`` and tells the figure.
        dataset: the data set.
        bad: (n,) the samples at fault.
        judged: (n,) the samples that could be judged.
        figure: (n,) the figure that was judged; the data set's is the median of the bad ones.
        what: what the figure is, to begin a sentence with.
        unit: of the figure.
        confidence: (n,) or one for all.
        evidence: what the message needs besides ``what``.
        share: above which the fault is typical; `SHARE_OF_TONES` where so many have it only because
            the set was made so.
        unusual: (n,) the samples that may be named; all where None. The others count for what is
            typical.
        severity: of the claim about the data set; a fault to mend in every file (a tag that loaders
            pass over) is no fact.
    """
    given = {"what": what, **(evidence or {})}
    typical = claim_typical(
        check, bad, judged, figure, given, unit=unit, share=share, severity=severity
    )
    if typical is not None:
        yield typical
        return
    rows = np.flatnonzero(bad if unusual is None else bad & unusual)
    if rows.size:
        yield check.claims(
            dataset.samples.index.to_numpy(dtype=object)[rows],
            figure=figure[rows],
            unit=unit,
            evidence=given,
            confidence=np.broadcast_to(confidence, bad.shape)[rows],
        )


def claim_typical(
    check: Check,
    bad: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    figure: NDArray[np.float64],
    evidence: Mapping[str, Any],
    *,
    unit: str = "",
    share: float = SHARE,
    severity: Severity = "fact",
) -> pd.DataFrame | None:
    """The claim about a data set of which more than `share` of the judged images are bad, or
    None; see `claim_unless_typical`.
    """
    found = bad.sum() / max(int(judged.sum()), 1)
    if judged.sum() < LEAST or found <= share:
        return None
    meaning = MEANINGS.get(check.code, "")
    what = (
        f"{usual(found)} this data set ({found:.0%} of the "
        f"images{'; ' if meaning else ''}{meaning}): {evidence['what']}"
    )
    sentence = (
        f"{usual(found)} this data set, in {found:.0%} of the images: "
        f"{lower_first(check.summary)}; {meaning}"
    ).rstrip("; ")
    about = {
        "what": what,
        "typical": True,
        "share": float(found),
        "meaning": meaning,
        "sentence": sentence,
    }
    return check.claims_of_dataset(
        severity=severity,
        figure=float(np.median(figure[bad])),
        unit=unit,
        evidence={**evidence, **about},
    )


def usual(share: float) -> str:
    """How a sentence begins about what `share` of the images have."""
    return "typical of" if share >= SHARE else "common in"


def stands_out(figure: NDArray[np.float64], usual: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) whether a small figure lies beyond the tail that this data set has by itself; all, where
    too few are `usual` to know.

    Distances are ratios to the median. The tail is told from the smallest sixth of the usual
    figures: where every image is a little darker than the next, none stands out, and of figures
    that are nearly alike only those below about half the median do.

    Args:
        figure: (n,) figures from 0 to 1, of which small ones may be faults.
        usual: (n,) the samples to compare with: those that could be judged and have no such fault.
    """
    if usual.sum() < LEAST:
        return np.ones(len(figure), dtype=bool)
    logs = np.log(np.maximum(figure, 0) + _LEVEL)
    sixth, median = np.quantile(logs[usual], (_SIXTH, 0.5))
    return np.asarray(logs < median - _FAR * max(median - sixth, _LEAST_WIDTH))
