"""LeakFreeSplit: a splitter for scikit-learn, whose folds share no group and no copy and have the
same mix of labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from dataprep.errors import OptionError
from dataprep.neighbours.components import connect
from dataprep.neighbours.cosine import nearest
from dataprep.probes.classifiers.folds import join
from dataprep.schemas.dataset import Dataset, Task
from dataprep.schemas.split import UNIT, Split
from dataprep.splits.features import balance_features
from dataprep.splits.solver.division import problem_of
from dataprep.splits.solver.solving import solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    RandomState = int | np.random.RandomState | np.random.Generator | None

#: Nearest neighbours of each sample that are held against the threshold.
_NEIGHBOURS = 32
#: Cosines of equal vectors miss 1 by rounding.
_ROUNDING = 1e-5
#: Figures with fractions that take more values than this are a target to regress on.
_MOST_CLASSES = 20


class LeakFreeSplit(BaseCrossValidator):  # type: ignore[misc]
    """Cross-validation folds that share no group and no copy, for anything in scikit-learn that
    takes `cv`.

    >>> cross_validate(model, X, y, groups=patients, cv=LeakFreeSplit(5))   # doctest: +SKIP

    Every fold is a test set once. Folds are as equal in size and in the mix of `y` as whole groups
    allow: classes, each of several labels (an indicator matrix), or quantiles of a figure; none is
    empty. Which samples a fold gets is searched for, not drawn, so there is no `shuffle`: the same
    data and `random_state` give the same folds, and another number gives others that are as good.
    With groups and without `similarity`, the order of the rows does not matter to which groups
    share a fold.

    Under scikit-learn's metadata routing it asks for `groups`: ``cross_validate(...,
    params={"groups": patients})``.

    Args:
        n_splits: number of folds, at least 2.
        random_state: of the search. A whole number from 0 to 4,294,967,295 gives the same folds in
            every call; a ``numpy.random.RandomState`` or ``Generator`` is drawn from in every call,
            and None draws from numpy's global one.
        similarity: cosine from which two samples count as copies and stay together, in (0, 1]; X is
            then a matrix of embeddings (n, d), or a Dataset with the array ``embedding``. Each
            sample is held against its 32 nearest. None: samples are not compared. What a copy is
            depends on the embedder, so there is no default.
        seed: an older name of `random_state`, for whole numbers.

    Example:
        >>> import dataprep, numpy as np
        >>> X, y, patients = np.zeros((12, 1)), np.array([0, 1] * 6), np.arange(12) // 2
        >>> folds = list(dataprep.LeakFreeSplit(3).split(X, y, groups=patients))
        >>> [len(set(patients[train]) & set(patients[test])) for train, test in folds]
        [0, 0, 0]
    """

    # What metadata routing passes to `split`; scikit-learn reads it from the class.
    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        random_state: RandomState = 0,
        similarity: float | None = None,
        seed: int | None = None,
    ) -> None:
        if isinstance(n_splits, bool) or not isinstance(n_splits, int | np.integer) or n_splits < 2:
            raise OptionError(
                f"option n_splits: expected a whole number from 2 on, got {n_splits!r}"
            )
        if similarity is not None and not 0 < similarity <= 1:
            raise OptionError(
                f"option similarity: expected a cosine in (0, 1] or None, got {similarity!r}"
            )
        self.n_splits = int(n_splits)
        self.random_state = random_state if seed is None else seed
        self.similarity = similarity
        _demand_random_state(self.random_state)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803 - scikit-learn's name
        """Number of folds; the arguments are there for scikit-learn."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:  # noqa: N803
        """Yield the rows to train on and the rows to test on, ascending, for each fold.

        Args:
            X: anything with n rows; a Dataset or a Split brings its labels, its column ``group``
                and what a split kept together.
            y: (n,) classes or figures, or (n, k) of 0 and 1, one column per label; None: folds are
                alike in size only.
            groups: (n,) what belongs together, or (n, g) several such columns; missing values and
                empty texts belong to nothing.

        Raises:
            OptionError: lengths that differ, a `y` of another form, fewer units than folds, or no
                embedding to compare.
        """
        fold = self._folds(X.dataset if isinstance(X, Split) else X, y, groups)
        for number in range(self.n_splits):
            yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)

    def _folds(self, data: Any, y: Any, groups: Any) -> Rows:
        """(n,) fold of each row."""
        known = data if isinstance(data, Dataset) else None
        rows = len(data) if known is not None or not hasattr(data, "shape") else int(data.shape[0])
        labellings, names = _groupings(rows, known, groups)
        if self.similarity is not None:
            labellings.append(_copies(_embedding(data), self.similarity))
        unit = join(rows, tuple(labellings))
        units = int(unit.max()) + 1 if rows else 0
        if units < self.n_splits:
            raise OptionError(
                f"{self.n_splits} folds need at least {self.n_splits} units (groups that can be "
                f"separated), and {rows:,} rows "
                f"make {units:,}: take fewer folds, or other groups"
            )
        labelled = _labelled(rows, y) if y is not None else known
        features = balance_features(
            labelled if labelled is not None else _labelled(rows, None), np.arange(rows)
        )
        least = pd.Series(names).groupby(unit).min().to_numpy(dtype=object)
        parts = [f"fold{number}" for number in range(1, self.n_splits + 1)]
        targets = [rows / self.n_splits] * self.n_splits
        seed = _seed_of(self.random_state)
        problem, place = problem_of(unit, least, features, parts, targets, seeds=(seed,))
        return np.asarray(solve(problem, seed=seed), np.int64)[place]


def _demand_random_state(given: Any) -> None:
    if isinstance(given, np.random.RandomState | np.random.Generator) or given is None:
        return
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 0 <= given < 2**32:
        raise OptionError(
            "option random_state: expected a whole number from 0 to 4,294,967,295, a numpy "
            "RandomState or Generator, or None, "
            f"got {given!r}"
        )


def _seed_of(given: RandomState) -> int:
    """The number that a call begins with."""
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**32))
    if given is None or isinstance(given, np.random.RandomState):
        source = np.random if given is None else given
        return int(source.randint(2**32, dtype=np.uint64))
    return int(given)


def _groupings(
    rows: int, known: Dataset | None, groups: Any
) -> tuple[list[Rows], NDArray[np.object_]]:
    """Numbers (n,) of each way of belonging together, -1 for none, and (n,) names that give
    units an order.
    """
    columns = [] if groups is None else _columns(groups, rows)
    names = np.asarray([f"row {row}" for row in range(rows)], dtype=object)
    if known is not None:
        columns += [known.samples[name] for name in ("group", UNIT) if name in known.samples]
        names = known.samples.index.astype("str").to_numpy(dtype=object)
    labellings = [_numbers(column) for column in columns]
    if labellings and known is None:
        texts = np.asarray([f"group {value}" for value in columns[0]], dtype=object)
        names = np.where(labellings[0] >= 0, texts, names)
    return labellings, names


def _numbers(column: Any) -> Rows:
    """(n,) number of each row's group; -1 where the value is missing or an empty text."""
    numbers = np.asarray(pd.factorize(column)[0], np.int64)
    return np.where(
        np.asarray([value == "" if isinstance(value, str) else False for value in column], bool),
        -1,
        numbers,
    )


def _columns(groups: Any, rows: int) -> list[Any]:
    table = pd.DataFrame(groups) if np.ndim(groups) != 1 else pd.DataFrame({"group": list(groups)})
    if len(table) != rows:
        raise OptionError(f"groups: expected {rows:,} rows as in X, got {len(table):,}")
    return [table[name].reset_index(drop=True) for name in table]


def _labelled(rows: int, y: Any) -> Dataset:
    """A data set of nothing but labels, from whatever form scikit-learn's users have them in."""
    index = pd.RangeIndex(rows).astype("str")
    if y is None:
        return Dataset("", pd.DataFrame(index=index))
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.ravel()
    if len(values) != rows:
        raise OptionError(f"y: expected {rows:,} rows as in X, got {len(values):,}")
    task, labels = _several(values) if values.ndim == 2 else _one(values)
    return Dataset("", pd.DataFrame({"label": labels}, index=index), task)


def _one(values: NDArray[Any]) -> tuple[Task, Any]:
    series = pd.Series(values)
    if np.issubdtype(values.dtype, np.floating):
        known = series.dropna()
        if (known % 1 != 0).any() and known.nunique() > _MOST_CLASSES:
            return "regression", values
    return "classification", series.astype("str").where(series.notna(), None).to_numpy(dtype=object)


def _several(values: NDArray[Any]) -> tuple[Task, Any]:
    if values.ndim != 2 or not np.isin(values, (0, 1)).all():
        raise OptionError(
            f"y: expected (n,), or (n, k) of 0 and 1, got {values.dtype} values of shape "
            f"{values.shape}"
        )
    patterns, pattern = np.unique(values.astype(bool), axis=0, return_inverse=True)
    texts = ["|".join(map(str, np.flatnonzero(each))) or None for each in patterns]
    return "multi-label", np.asarray(texts, dtype=object)[pattern.ravel()]


def _embedding(data: Any) -> NDArray[np.float32]:
    """(n, d) what copies are found by."""
    if isinstance(data, Dataset):
        if "embedding" not in data.arrays:
            raise OptionError(
                "option similarity: the data set has no embedding: measure it, or leave similarity "
                "out"
            )
        data = data.arrays["embedding"]
    try:
        values = np.array(data, np.float32)
    except (TypeError, ValueError) as error:
        raise OptionError(
            "option similarity: expected a matrix of embeddings (n, d) as X, got "
            f"{type(data).__name__}"
        ) from error
    if values.ndim != 2:
        raise OptionError(
            "option similarity: expected a matrix of embeddings (n, d) as X, got shape "
            f"{values.shape}"
        )
    return values


def _copies(values: NDArray[np.float32], similarity: float) -> Rows:
    """(n,) number of the group of rows that are alike, by way of others or directly; zeros and
    NaN are like nothing.
    """
    length = np.linalg.norm(values, axis=1, keepdims=True)
    known = np.isfinite(length[:, 0]) & (length[:, 0] > 0)
    values = np.where(known[:, None], values / np.where(length > 0, length, 1), 0).astype(
        np.float32
    )
    if known.sum() < 2:
        return np.full(len(values), -1)
    found = nearest(values, known, min(_NEIGHBOURS, int(known.sum()) - 1))
    rows, places = np.nonzero(found.similarity >= similarity - _ROUNDING)
    return connect(len(values), rows, found.indices[rows, places].astype(np.int64))
