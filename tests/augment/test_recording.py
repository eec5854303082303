"""What augmenting goes on from: a split, and the audit that it was made from, and no other."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataprep.augment.probing import options_of
from dataprep.augment.recording import last_source
from dataprep.cli import app
from dataprep.schemas.audit import Audit
from dataprep.schemas.split import Split

from ..conftest import save, textured


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
