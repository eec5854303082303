"""Embeddings that users bring find their samples, and say so where they do not."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataprep.errors import InputError
from dataprep.measures.embedding.precomputed import EmbeddingWarning, read_embeddings
from dataprep.schemas.dataset import Dataset

NAMES = ["a/1.png", "a/2.png", "b/3.png", "b/caf\\xe9.png"]
VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3) + 1


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(str(tmp_path), pd.DataFrame(index=pd.Index(NAMES, name="sample")))


def save_parquet(
    path: Path,
    names: list[str | None],
    vectors: object,
    *,
    columns: tuple[str, str] = ("path", "embedding"),
) -> str:
    pq.write_table(pa.table(dict(zip(columns, (names, vectors), strict=True))), path)
    return str(path)


def test_rows_in_order(tmp_path: Path, dataset: Dataset) -> None:
    np.save(tmp_path / "e.npy", VECTORS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_embeddings(str(tmp_path / "e.npy"), dataset)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, VECTORS)


@pytest.mark.parametrize(
    "columns", [("path", "embedding"), ("sample", "features"), ("file_name", "vector")]
)
def test_parquet_by_name_in_any_order(
    tmp_path: Path, dataset: Dataset, columns: tuple[str, str]
) -> None:
    file = save_parquet(
        tmp_path / "e.parquet", NAMES[::-1], VECTORS[::-1].tolist(), columns=columns
    )
    np.testing.assert_array_equal(read_embeddings(file, dataset), VECTORS)


def test_lists_of_fixed_size_and_absolute_paths(tmp_path: Path, dataset: Dataset) -> None:
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 3)
    names = [f"{tmp_path}/{NAMES[0]}", f"{tmp_path}/{NAMES[1]}", f"./{NAMES[2]}", "elsewhere.png"]
    table = save_parquet(tmp_path / "e.parquet", names, fixed)
    with pytest.warns(EmbeddingWarning, match="none for 1 of 4 samples"):
        found = read_embeddings(table, dataset)
    np.testing.assert_array_equal(found[:3], VECTORS[:3])
    assert not found[3].any()


def test_names_as_the_file_system_has_them(tmp_path: Path) -> None:
    dataset = Dataset(
        str(tmp_path), pd.DataFrame(index=pd.Index([r"back\x5cxslash.png"], name="sample"))
    )
    file = save_parquet(tmp_path / "e.parquet", [r"back\xslash.png"], [[1.0, 2.0]])
    assert read_embeddings(file, dataset).tolist() == [[1.0, 2.0]]


def test_npz_by_name(tmp_path: Path, dataset: Dataset) -> None:
    np.savez(tmp_path / "e.npz", names=np.array(NAMES[:3]), embedding=VECTORS[:3])
    with pytest.warns(EmbeddingWarning, match="none for 1 of 4"):
        found = read_embeddings(str(tmp_path / "e.npz"), dataset)
    np.testing.assert_array_equal(found[:3], VECTORS[:3])


def test_figures_that_are_none_become_zeros_and_are_counted(
    tmp_path: Path, dataset: Dataset
) -> None:
    bad = VECTORS.copy()
    bad[1, 0], bad[2, 1] = np.nan, np.inf
    np.save(tmp_path / "e.npy", bad)
    with pytest.warns(EmbeddingWarning, match="NaN or infinite figures for 2 of 4"):
        found = read_embeddings(str(tmp_path / "e.npy"), dataset)
    np.testing.assert_array_equal(found[[0, 3]], VECTORS[[0, 3]])
    assert not found[1:3].any()
    file = save_parquet(tmp_path / "e.parquet", NAMES, [*VECTORS[:3].tolist(), None])
    with pytest.warns(EmbeddingWarning, match="for 1 of 4"):
        assert not read_embeddings(file, dataset)[3].any()


@pytest.mark.parametrize("factor", [1e-9, 1e6, 1e300])
def test_what_float16_cannot_hold_keeps_its_direction(
    tmp_path: Path, dataset: Dataset, factor: float
) -> None:
    np.save(tmp_path / "e.npy", VECTORS.astype(np.float64) * factor)
    found = read_embeddings(str(tmp_path / "e.npy"), dataset).astype(np.float64)
    expected = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_an_empty_data_set(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.zeros((0, 3), np.float32))
    empty = Dataset(str(tmp_path), pd.DataFrame(index=pd.Index([], name="sample", dtype=object)))
    assert read_embeddings(str(tmp_path / "e.npy"), empty).shape == (0, 3)


def test_nothing_is_unpickled(tmp_path: Path, dataset: Dataset) -> None:
    np.save(tmp_path / "e.npy", np.array([object()] * 4), allow_pickle=True)
    with pytest.raises(InputError, match="cannot read the embeddings"):
        read_embeddings(str(tmp_path / "e.npy"), dataset)


def test_files_that_cannot_be_used(tmp_path: Path, dataset: Dataset) -> None:
    np.save(tmp_path / "short.npy", VECTORS[:3])
    np.save(tmp_path / "flat.npy", VECTORS.ravel()[:4])
    np.save(tmp_path / "text.npy", np.array([["a"]] * 4))
    np.savez(tmp_path / "nameless.npz", embedding=VECTORS)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    save_parquet(tmp_path / "ragged.parquet", NAMES, [[1.0], [1.0, 2.0], [1.0], [1.0]])
    save_parquet(tmp_path / "words.parquet", NAMES, ["x"] * 4)
    save_parquet(tmp_path / "strings.parquet", NAMES, [["x"]] * 4)
    save_parquet(tmp_path / "others.parquet", ["x.png"] * 4, VECTORS.tolist())
    expected = {
        "short.npy": "3 rows, the data set has 4 samples",
        "flat.npy": r"expected numbers of shape \(n, d\)",
        "text.npy": "expected numbers",
        "nameless.npz": "expected an array of names",
        "cut.npy": "cannot read",
        "cut.npz": "cannot read",
        "cut.parquet": "cannot read",
        "ragged.parquet": "lists of one length",
        "words.parquet": "lists of numbers",
        "strings.parquet": "cannot read",
        "others.parquet": r"name none of the samples: expected names such as 'a/1.png'.*got "
        r"'x.png'",
        "absent.npy": "there is no file",
        "e.csv": r"ends in .npy, .npz or .parquet",
    }
    for name, words in expected.items():
        with pytest.raises(InputError, match=words):
            read_embeddings(str(tmp_path / name), dataset)
