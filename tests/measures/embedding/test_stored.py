"""Embeddings that an audit left in the cache are read back without the files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dataprep
from dataprep.measures.cache import clear_cache
from dataprep.measures.embedding.stored import stored_embedding
from dataprep.measures.options import PassOptions

OPTIONS = PassOptions(embedder_size=32, jobs=1)


def test_what_was_embedded_is_read_back_without_the_files(class_folders: Path) -> None:
    (class_folders / "cat" / "empty.jpg").write_bytes(b"")
    dataset = dataprep.measure(dataprep.scan(str(class_folders)), None, OPTIONS)
    shutil.rmtree(class_folders)
    bare = replace(dataset, arrays={})
    found = stored_embedding(bare, OPTIONS)
    assert found is not None
    np.testing.assert_array_equal(found, dataset.arrays["embedding"])
    some = np.arange(len(dataset)) % 2 == 0
    np.testing.assert_array_equal(stored_embedding(bare.where(some), OPTIONS), found[some])
    assert stored_embedding(bare, replace(OPTIONS, embedder_size=64)) is None
    assert stored_embedding(bare, replace(OPTIONS, cache=False)) is None
    unknown = bare.assign(file_hash=["0" * 32, *bare.samples["file_hash"][1:]])
    assert stored_embedding(unknown, OPTIONS) is None
    clear_cache()
    assert stored_embedding(bare, OPTIONS) is None


def test_a_split_after_an_audit_embeds_nothing_and_takes_its_features(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = dataprep.audit(str(class_folders), pass_options=OPTIONS)
    dataprep.report(audit, tmp_path / "audit", thumbnails=False)
    monkeypatch.setattr("dataprep.measures.decode_pass.imap", None)
    monkeypatch.setattr("dataprep.checks.second_look.features_of", None)
    made = dataprep.split(tmp_path / "audit", ratios="train=0.5,test=0.5")
    test = made.proof.tests.embedding
    assert test is not None
    assert test.status != "not tested", test
