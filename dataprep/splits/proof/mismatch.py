"""Whether the parts differ: the audit's checks of labels, measured properties and embedding, run
between the parts of a division.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.checks.second_look import SecondLook, remembered_features
from dataprep.engine import make_checks, run_checks
from dataprep.errors import DataprepError
from dataprep.measures.decode_pass import measure
from dataprep.measures.embedding.stored import stored_embedding
from dataprep.measures.options import PassOptions
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.results.proof import Difference, MismatchTest, MismatchTests

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.features import Features
    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

LABELS, IMAGES = "label-shift", "distribution-mismatch"
#: Samples of each part that are compared at most, as the check itself draws them.
MOST_ROWS = 10_000
#: More parts than this are not compared pair by pair.
MOST_PARTS = 20


class _Divided(SecondLook):
    """A look at a divided data set: what varies together is what the division kept together."""

    known_units: Rows

    def units(self) -> Rows:
        return self.known_units

    def features(self) -> Features:
        """As the audit worked them out, where the same samples are divided."""
        return remembered_features(self.dataset, self.options)


def match_of(
    dataset: Dataset,
    part: Rows,
    unit: Rows,
    parts: Sequence[str],
    *,
    ran_with: Mapping[str, Any],
    apart: Collection[str] = (),
) -> MismatchTests:
    """Tests of labels, properties and embedding between the parts.

    Args:
        dataset: the samples, measured.
        part: (n,) part of each, -1 for none.
        unit: (n,) number of what was kept together.
        parts: names of the parts.
        ran_with: the record of the audit's run: how files were read, and with which embedder.
        apart: parts that are meant to differ, and are not tested.
    """
    tested = [
        number for number, name in enumerate(parts) if name not in apart and (part == number).any()
    ]
    if not 2 <= len(tested) <= MOST_PARTS:
        why = f"{len(tested)} parts to compare; from 2 to {MOST_PARTS} are"
        return MismatchTests(_untested(why), _untested(why), _untested(why))
    names = np.asarray(parts, dtype=object)
    labels = _label_test(dataset, part, names, tested)
    drawn = _drawn(part, tested)
    some, why = _with_embedding(dataset.where(drawn), ran_with)
    some = some.assign(split=pd.Categorical(names[part[drawn]]))
    look = _Divided(some, PassOptions.of_run(ran_with), verify=None)
    look.known_units = unit[drawn]
    issues, skipped = run_checks(make_checks(only=[IMAGES]), some, look)
    compared = {
        str(names[number]): int(min(MOST_ROWS, (part == number).sum())) for number in tested
    }
    if IMAGES in skipped:
        return MismatchTests(labels, _untested(skipped[IMAGES]), _untested(skipped[IMAGES]))
    rows = list(issues.table.itertuples())
    is_content = [evidence_of(str(row.evidence)).get("what") == "content" for row in rows]
    properties = [_difference(row) for row, content in zip(rows, is_content) if not content]
    embedding = [_difference(row) for row, content in zip(rows, is_content) if content]
    return MismatchTests(
        labels, _tested(properties), _untested(why) if why else _tested(embedding), compared
    )


def _label_test(
    dataset: Dataset, part: Rows, names: NDArray[Any], tested: Sequence[int]
) -> MismatchTest:
    if dataset.task in ("regression", "multi-label"):
        return _untested(f"the test knows one class per sample, not {dataset.task} labels")
    if not dataset.has("label"):
        return _untested("no labels")
    inside = np.isin(part, tested)
    columns = dataset.samples[["label"]][inside].assign(split=pd.Categorical(names[part[inside]]))
    divided = replace(dataset, samples=columns, arrays={}, annotations=None)
    issues, skipped = run_checks(
        make_checks(only=[LABELS]), divided, _Divided(divided, PassOptions(), verify=None)
    )
    if LABELS in skipped:
        return _untested(skipped[LABELS])
    return _tested([_label_difference(row) for row in issues.table.itertuples()])


def _drawn(part: Rows, tested: Sequence[int]) -> NDArray[np.bool_]:
    """(n,) which samples are compared: all of a small part, so many drawn at random of a large
    one.
    """
    rng, drawn = np.random.default_rng(0), np.zeros(len(part), bool)
    for number in tested:
        rows = np.flatnonzero(part == number)
        drawn[rows if len(rows) <= MOST_ROWS else rng.choice(rows, MOST_ROWS, replace=False)] = True
    return drawn


def _with_embedding(dataset: Dataset, ran_with: Mapping[str, Any]) -> tuple[Dataset, str]:
    """The samples with their embeddings, which the cache of the audit still has; or why there
    are none.
    """
    if dataset.has("embedding"):
        return dataset, ""
    options = PassOptions.of_run(ran_with)
    if "options" not in ran_with or not options.embedder:
        return dataset, "the audit ran without embeddings"
    if not options.cache:
        return dataset, "the audit ran without the cache, where embeddings are kept"
    try:
        vectors = stored_embedding(dataset, options)
        if vectors is None:
            vectors = measure(dataset, ["embedding"], options).arrays.get("embedding")
    except DataprepError as error:
        return dataset, str(error)
    if vectors is None or not np.asarray(vectors).any():
        return dataset, "no image could be read"
    return dataset.with_arrays(embedding=vectors), ""


def _difference(row: Any) -> Difference:
    text = str(evidence_of(row.evidence).get("text", ""))
    return Difference(row.target, text, round(float(row.figure), 4), row.unit)


def _label_difference(row: Any) -> Difference:
    evidence = evidence_of(row.evidence)
    differing = f"{evidence.get('differing', '')}{evidence.get('absent_text', '')}"
    text = f"another mix of labels than {evidence.get('reference', 'the rest')}{differing}"
    return Difference(row.target, text, round(float(row.figure), 4), row.unit)


def _tested(found: Sequence[Difference]) -> MismatchTest:
    return MismatchTest("differ" if found else "match", found=tuple(found))


def _untested(why: str) -> MismatchTest:
    return MismatchTest("not tested", why)
