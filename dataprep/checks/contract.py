"""What a check is: a frozen dataclass whose fields are its options, which reads columns and
yields batches of issues.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from dataprep.schemas.issues import Scope, Severity, Suggestion, batch
from dataprep.schemas.options import from_mapping, validate

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from dataprep.checks.duplicates.pairs import Duplicates
    from dataprep.measures.image.close_up import CloseUps
    from dataprep.measures.image.marks import Marks
    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features
    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: The headings of a check's docstring, in order; it is the check's documentation page.
HEADINGS: tuple[str, ...] = (
    "What it finds",
    "Why it matters",
    "What to do",
    "How it works",
    "Known limits",
    "Measured quality",
)
#: Families group the checks in reports, in this order.
FAMILIES: tuple[str, ...] = (
    "files",
    "records",
    "duplicates",
    "labels",
    "content",
    "shortcuts",
    "splits",
    "quality",
)


class Look(Protocol):
    """The budgeted second look at a few candidates, given to checks whose `looks` is true;
    results are shared between checks.
    """

    def duplicates(self) -> Duplicates:
        """Verified duplicates of the data set: exact by bytes, exact by pixels, and near."""
        ...

    def features(self) -> Features:
        """Embeddings in the space in which they are compared; nothing is known where there are
        none.
        """
        ...

    def neighbours(self) -> Nearest:
        """The nearest neighbours of every sample among `features`."""
        ...

    def units(self) -> NDArray[np.int64]:
        """(n,) number of what has to stay in one fold: copies and groups."""
        ...

    def labels(self) -> LabelEvidence:
        """Out-of-fold class probabilities of every sample, beside its given label."""
        ...

    def reference(self) -> Dataset | None:
        """The measured data set that this one is compared with, if any."""
        ...

    def marks(self, rows: NDArray[np.int64]) -> Marks:
        """The pixels of the images `rows` that are unlike all around them; their files are
        decoded again.
        """
        ...

    def close_ups(self) -> CloseUps:
        """What edges, noise and traces of enlargement are like in the images that may be
        blurred, noisy or enlarged.
        """
        ...

    def windows(self, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int16]:
        """(q, s, s, 3) the pixels around a place in each of the images `rows`; minus one where
        there are none.
        """
        ...


@dataclass(frozen=True)
class Check(ABC):
    """One kind of fault. A subclass is a frozen dataclass in a file of its own, whose fields are
    `option`s.

    Class attributes:
        code: kebab-case name of the fault.
        family: one of `FAMILIES`.
        severity: how bad the fault is if true; fixed per check and published.
        scope: what the claims are about.
        needs: columns or arrays it reads; given ones (``label``, ``split``, ``group``) that are
            missing mean "skipped".
        wants: columns or arrays that it uses where they are known, and does without elsewhere.
        classes: how many different labels it takes for there to be something to find.
        looks: whether it asks for the second look.
        suggestion: what to do with a target, unless a claim says otherwise.
        summary: what is wrong, in a few words, as a heading.
        advice: what to do, in one sentence.
        message: template of one claim's text: ``{figure}``, ``{unit}``, ``{target}``,
            ``{related}``, ``{value}`` and any key of its evidence, with format specifications:
            ``"luma p99 is {figure:.2f}, below {threshold:.2f}"``.

    Example:
        >>> import dataprep, pandas as pd
        >>> class Wide(dataprep.Check):
        ...     code, family, severity = "wide", "quality", "info"
        ...     needs = ("width", "height")
        ...     summary, advice = "Wide images", "Crop them."
        ...     message = "{figure:.1f} times as wide as high"
        ...
        ...     def find(self, dataset, look):
        ...         ratio = dataset.samples["width"] / dataset.samples["height"]
        ...         wide = (ratio > 2).to_numpy()
        ...         yield self.claims(dataset.samples.index[wide], figure=ratio[wide])
        >>> sizes = {"width": [300, 90], "height": [100, 90]}
        >>> dataset = dataprep.Dataset("photos", pd.DataFrame(sizes, index=["1.jpg", "2.jpg"]))
        >>> [claims] = Wide().find(dataset, None)
        >>> claims[["target", "figure"]].values.tolist()
        [['1.jpg', 3.0]]
    """

    code: ClassVar[str]
    family: ClassVar[str]
    severity: ClassVar[Severity]
    scope: ClassVar[Scope] = "sample"
    needs: ClassVar[tuple[str, ...]] = ()
    wants: ClassVar[tuple[str, ...]] = ()
    classes: ClassVar[int] = 0
    looks: ClassVar[bool] = False
    suggestion: ClassVar[Suggestion] = "review"
    summary: ClassVar[str]
    advice: ClassVar[str]
    message: ClassVar[str]

    def __post_init__(self) -> None:
        validate(self, self.code)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Check:
        """The check with `options`; raises OptionError on one that it does not know or that is
        out of range.
        """
        return from_mapping(cls, options, cls.code)

    @abstractmethod
    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield batches of claims (`self.claims`).

        Pure: the data set is not changed, and nothing is read but its columns and `look`.
        """

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and does not get; the engine then skips it and says so."""
        missing = [need for need in self.needs if not dataset.has(need)]
        if not missing and self.classes > 1 and dataset.samples["label"].nunique() < self.classes:
            return [f"labels of {self.classes} classes"]
        return missing

    def claims(self, target: ArrayLike, **columns: Any) -> pd.DataFrame:
        """A batch of claims of this check; see `dataprep.schemas.issues.batch`."""
        columns.setdefault("suggestion", self.suggestion)
        return batch(
            self.code,
            columns.pop("severity", self.severity),
            columns.pop("scope", self.scope),
            target,
            **columns,
        )

    def claims_of_dataset(self, **columns: Any) -> pd.DataFrame:
        """One claim about the whole data set, by default a fact that nothing is to be done about;
        see `dataprep.schemas.issues.batch`.
        """
        return self.claims(
            [""], **{"scope": "dataset", "severity": "fact", "suggestion": "none", **columns}
        )

    @classmethod
    def page(cls) -> dict[str, str]:
        """The documentation page: heading to text, from the docstring."""
        sections: dict[str, list[str]] = {}
        heading = ""
        for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
            if line.rstrip(":") in HEADINGS and line.endswith(":"):
                heading = line.rstrip(":")
                sections[heading] = []
            elif heading:
                sections[heading].append(line)
        return {name: inspect.cleandoc("\n".join(lines)) for name, lines in sections.items()}
