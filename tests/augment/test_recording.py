"""What augmenting goes on from: a split, and the audit that it was made from, and no other."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dataprep.augment.copies import verify_copies
from dataprep.augment.probe import AugmentationProbe, options_of
from dataprep.augment.recording import last_source
from dataprep.cli import app
from dataprep.errors import FingerprintError, OptionError
from dataprep.ingest import scan
from dataprep.measures.options import PassOptions
from dataprep.schemas.audit import Audit
from dataprep.schemas.split import Split
from tests.conftest import save, textured


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, [*map(str, arguments), "-q"], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_an_audit_of_other_data_is_left_aside(class_folders: Path, tmp_path: Path) -> None:
    for n in range(4):
        save(textured(70 + n), tmp_path / "others" / "ab"[n % 2] / f"{n}.png")
    out = tmp_path / "out"
    run("audit", class_folders, "--no-embedding", "--out", out, "--jobs", 1)
    assert isinstance(last_source(out)[0], Audit)
    run("split", "--out", out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split, audit = last_source(out)
    assert isinstance(split, Split)
    assert audit is not None
    assert options_of(split) == options_of(audit)
    run("audit", tmp_path / "others", "--no-embedding", "--out", out, "--jobs", 1)
    with pytest.warns(UserWarning, match="of other data than the split.*not used"):
        split, audit = last_source(out)
    assert isinstance(split, Split)
    assert audit is None


def test_command_copies_by_fold_and_a_split_made_anew_refuses_the_copies(tmp_path: Path) -> None:
    for n in range(16):
        save(textured(n), tmp_path / "images" / ("rare" if n < 5 else "common") / f"{n}.png")
    out, copies = tmp_path / "out", tmp_path / "copies"
    run("split", tmp_path / "images", "--no-embedding", "--folds", 3, "--out", out)
    run("augment", "--policy", "light", "--fold", 1, "--materialise", copies, "--out", out)
    source, _ = last_source(out)
    assert set(verify_copies(copies, source)["split"]) == {"fold2", "fold3"}
    run("split", tmp_path / "images", "--no-embedding", "--out", out)
    with pytest.raises(FingerprintError, match="no longer with their originals"):
        verify_copies(copies, last_source(out)[0])
    refused = CliRunner().invoke(
        app, ["augment", "--part", "train", "--fold", "1", "--out", str(out)]
    )
    assert isinstance(refused.exception, OptionError)


def test_empty_groups_bind_nothing(class_folders: Path) -> None:
    dataset = scan(str(class_folders))
    groups = ["", "", "a", "a", None, None, *"bcdefg"]
    grouped = replace(
        dataset,
        samples=dataset.samples.assign(
            group=pd.Series(groups, index=dataset.samples.index, dtype="str")
        ),
    )
    probe = AugmentationProbe(grouped, options=PassOptions(jobs=1, embedder=""))
    assert len(np.unique(probe.units)) == len(groups) - 1
