"""A reference data set: scanned and measured alike, compared, and not audited."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import dataprep
from dataprep.errors import InputError
from tests.conftest import save, textured


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """24 images, and the like of them 60 levels darker with a broken file among them."""
    for i in range(24):
        image = np.clip(textured(i).astype(int) // 2 + 100, 0, 255)
        save(image.astype(np.uint8), tmp_path / "own" / f"{i}.png")
        save(
            (np.clip(textured(100 + i).astype(int) // 2 + 40, 0, 255)).astype(np.uint8),
            tmp_path / "other" / f"{i}.png",
        )
    (tmp_path / "other" / "broken.png").write_bytes(b"broken")
    return tmp_path / "own", tmp_path / "other"


def test_a_brighter_set_is_told_and_the_reference_is_not_audited(
    folders: tuple[Path, Path],
) -> None:
    own, other = folders
    plain = dataprep.PassOptions(embedder="", jobs=1)
    audit = dataprep.audit(
        str(own),
        reference=str(other),
        pass_options=plain,
        only=["distribution-mismatch", "unreadable"],
    )
    found = [
        message
        for message in audit.issues.table["evidence"]
        if "brighter than the reference" in message
    ]
    assert len(found) == 1
    assert json.loads(found[0])["of"] == [24, 24]
    assert not len(audit.issues.of("unreadable"))
    assert len(audit.dataset) == 24
    assert audit.run["options"]["reference"]


def test_without_splits_and_reference_it_says_that_it_did_not_look(
    folders: tuple[Path, Path],
) -> None:
    audit = dataprep.audit(
        str(folders[0]),
        pass_options=dataprep.PassOptions(embedder="", jobs=1),
        only=["distribution-mismatch"],
    )
    assert audit.skipped["distribution-mismatch"] == "needs splits"


def test_a_reference_that_is_not_there_is_a_users_mistake(folders: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="nowhere"):
        dataprep.audit(str(folders[0]), reference="nowhere")


def test_the_command_line_takes_a_reference(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from dataprep.cli import app

    own, other = folders
    arguments = [
        "audit",
        str(own),
        "--reference",
        str(other),
        "--no-embedding",
        "--jobs",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(
        app, [*arguments, "--only", "distribution-mismatch", "--format", "csv"]
    )
    assert done.exit_code == 0, done.output
    assert "brighter than the reference" in done.output
