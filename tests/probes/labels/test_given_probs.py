"""Probabilities that users bring: by name, with every class, and never of samples that a model
learned from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import InputError
from dataprep.probes.labels.given_probs import with_probs
from dataprep.schemas.dataset import Dataset


def dataset(labels: list[str | None], task: str = "classification") -> Dataset:
    index = pd.Index([f"{row}.png" for row in range(len(labels))], name="sample")
    return Dataset("/images", pd.DataFrame({"label": labels}, index=index), task, ("cat", "dog"))  # type: ignore[arg-type]


def table(path: Path, **columns: object) -> str:
    frame = pd.DataFrame(
        {
            "sample": ["2.png", "/images/0.png", "other.png"],
            "p:dog": [0.9, 0.2, 0.5],
            "p:cat": [0.1, 0.8, 0.5],
        }
    )
    frame = frame.assign(**columns)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("name", ["probs.parquet", "probs.csv"])
def test_rows_go_by_name_and_classes_are_in_the_one_order(tmp_path: Path, name: str) -> None:
    found = with_probs(dataset(["cat", "dog", "bird"]), table(tmp_path / name))
    assert found.classes == ("bird", "cat", "dog")
    np.testing.assert_allclose(
        found.arrays["probs"], [[0, 0.8, 0.2], [0, 0, 0], [0, 0.1, 0.9]], atol=1e-6
    )


def test_what_a_model_learned_from_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "predictions.parquet", seen=[False, True, False])
    with pytest.raises(InputError, match=r"learned from.*--out-of-fold 5"):
        with_probs(dataset(["cat", "dog", "cat"]), path)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    data = dataset(["cat", "dog", "cat"])
    pd.DataFrame({"sample": ["0.png"], "cat": [1.0]}).to_parquet(tmp_path / "no.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"nothing")
    for name, said in (
        ("no.parquet", "columns p:CLASS, found sample, cat"),
        ("broken.parquet", "cannot read the probabilities"),
        ("gone.csv", "cannot read the probabilities"),
        ("probs.npy", "ends in .parquet or .csv"),
    ):
        with pytest.raises(InputError, match=said):
            with_probs(data, str(tmp_path / name))
    with pytest.raises(InputError, match="name none of the samples"):
        with_probs(data, table(tmp_path / "else.csv", sample=["a", "b", "c"]))
    with pytest.raises(InputError, match="the task here is multi-label"):
        with_probs(dataset(["cat", "dog", "cat"], "multi-label"), table(tmp_path / "probs.csv"))


def test_the_audit_judges_labels_by_them(tmp_path: Path) -> None:
    from dataprep.checks.labels.label_candidates import LabelCandidates
    from tests.checks.learned import claims_of

    rng = np.random.default_rng(0)
    true = np.arange(200) % 2
    given = np.where(np.arange(200) % 20 == 0, 1 - true, true)
    sure = np.clip(rng.normal(0.93, 0.03, 200), 0, 1)
    data = dataset([("cat", "dog")[code] for code in given])
    probs = np.where(true, sure, 1 - sure)
    frame = pd.DataFrame({"sample": data.samples.index, "p:cat": 1 - probs, "p:dog": probs})
    frame.to_csv(tmp_path / "probs.csv", index=False)
    known = with_probs(data, str(tmp_path / "probs.csv")).with_arrays(
        embedding=np.ones((200, 4), np.float16)
    )
    first = [claim for claim in claims_of(LabelCandidates(), known) if claim["target"]][:10]
    found = {claim["target"]: claim["value"] for claim in first}
    assert found == {f"{row}.png": ("cat", "dog")[true[row]] for row in range(0, 200, 20)}
