"""``dataprep split --materialise``: from images on disk to a folder that a training program
reads.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.cli.test_cli import run

QUICK = ("--no-embedding", "--quiet")


def test_a_split_is_laid_out_and_told(class_folders: Path, tmp_path: Path) -> None:
    done = run(
        "split",
        class_folders,
        *QUICK,
        "--materialise",
        "new",
        "--ratios",
        "train=0.5,test=0.5",
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert f"Materialised: {tmp_path / 'new'} (12 links, 0 copies; train 6, test 6)" in done.stderr
    splits = pd.read_csv(tmp_path / "dataprep-out/split/splits.csv").set_index("path")["split"]
    for path, part in splits.items():
        assert (tmp_path / "new" / part / path).read_bytes() == (class_folders / path).read_bytes()
    assert len(list((tmp_path / "new").rglob("*.jpg"))) == 12
    shards = ("--as", "webdataset", "--shard-samples", "2", "--folds", "2")
    again = run("split", *QUICK[1:], "--materialise", "tars", *shards, folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in (tmp_path / "tars").glob("*.tar"))[:2] == [
        "fold1-000000.tar",
        "fold1-000001.tar",
    ]


def test_what_cannot_be_laid_out_is_a_line_and_the_split_is_there(
    class_folders: Path, tmp_path: Path
) -> None:
    done = run(
        "split", class_folders, *QUICK, "--materialise", class_folders / "new", folder=tmp_path
    )
    assert done.returncode == 2
    assert "lies in the folder of images, which is never written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "dataprep-out/split/splits.csv").exists()
    assert sorted(path.name for path in class_folders.iterdir()) == ["cat", "dog"]
    wrong = run("split", "--as", "zip", folder=tmp_path)
    assert wrong.returncode == 2
    assert "'webdataset'" in wrong.stderr
