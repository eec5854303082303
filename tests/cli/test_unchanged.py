"""An audit is repeated only where something changed: files, options, results or software."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataprep.cli import app
from dataprep.cli.shared import unchanged
from dataprep.measures.cache import cache_info, clear_cache
from tests.conftest import save, textured

UNCHANGED = "nothing changed since the audit"


def made_long_ago(root: Path) -> None:
    """Give every file a modification time that can be trusted."""
    for path in [root, *root.rglob("*")]:
        os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "images"
    for number in range(4):
        save(textured(number), root / ("cat" if number % 2 else "dog") / f"{number}.png")
    (root / "dog" / "empty.jpg").write_bytes(b"")
    made_long_ago(root)
    monkeypatch.chdir(tmp_path)
    return root


def run(*arguments: str | Path) -> Any:
    quick = ["--no-embedding", "--only", "unreadable", "--only", "missing-file", "--jobs", "1"]
    return CliRunner().invoke(app, ["audit", *map(str, arguments), *quick])


def written() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path("dataprep-out/audit").iterdir()}


def test_an_unchanged_audit_says_the_same_and_writes_nothing(images: Path) -> None:
    first, before = run(images), written()
    second = run(images)
    assert UNCHANGED not in first.stderr
    assert UNCHANGED in second.stderr
    assert second.stdout == first.stdout != ""
    assert written() == before
    for level, code in (("info", 1), ("error", 1), ("never", 0)):
        again = run(images, "--fail-at", level, "--format", "csv", "--out", "dataprep-out")
        assert (again.exit_code, UNCHANGED in again.stderr) == (code, True)
    assert again.stdout == Path("dataprep-out/audit/issues.csv").read_text()


def test_libraries_are_not_loaded_for_an_unchanged_audit(images: Path) -> None:
    run(images)
    code = (
        "import sys; from dataprep.cli import app\n"
        f"app(['audit', {str(images)!r}, '--no-embedding', '--only', 'unreadable', '--only', "
        "'missing-file', '--jobs', '1'], standalone_mode=False)\n"
        "print(sorted({'numpy', 'pandas', 'onnxruntime', 'cv2', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert UNCHANGED in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def _new_image(root: Path) -> None:
    save(textured(9), root / "cat" / "9.png")
    made_long_ago(root)


def _touched(root: Path) -> None:
    os.utime(root / "cat" / "1.png", (1_600_000_000, 1_600_000_000))


def _replaced(root: Path) -> None:  # same name, size and time
    path = root / "cat" / "1.png"
    (root / "new").write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(root / "new", (1_700_000_000, 1_700_000_000))
    os.replace(root / "new", path)


def _table_beside_images(root: Path) -> None:
    (root / "labels.csv").write_text("path,label\n")


def _result_edited(root: Path) -> None:
    path = Path("dataprep-out/audit/issues.csv")
    path.write_bytes(path.read_bytes()[:-1] + b" ")


def _result_deleted(root: Path) -> None:
    Path("dataprep-out/audit/report.html").unlink()


def _cache_cleared(root: Path) -> None:
    assert clear_cache() > 0


def _record_damaged(root: Path) -> None:
    (record,) = Path(cache_info()["folder"]).glob("audit-*")
    record.write_bytes(record.read_bytes()[:40])


@pytest.mark.parametrize(
    "change",
    [
        _new_image,
        _touched,
        _replaced,
        _table_beside_images,
        _result_edited,
        _result_deleted,
        _cache_cleared,
        _record_damaged,
    ],
)
def test_a_change_is_noticed(images: Path, change: Callable[[Path], None]) -> None:
    run(images)
    change(images)
    assert UNCHANGED not in run(images).stderr


@pytest.mark.parametrize(
    "option", [["--skip", "dark"], ["--no-thumbnails"], ["--no-cache"], ["--verify-cache"]]
)
def test_other_options_are_another_audit(images: Path, option: list[str]) -> None:
    run(images)
    assert UNCHANGED not in run(images, *option).stderr


def test_other_software_is_another_audit(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(images)
    monkeypatch.setattr(unchanged, "software", lambda: "another version")
    assert UNCHANGED not in run(images).stderr


def test_files_that_are_too_young_are_not_trusted(images: Path) -> None:
    os.utime(images / "cat" / "1.png")
    run(images)
    assert UNCHANGED not in run(images).stderr


def test_an_audit_that_warned_is_not_remembered(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataprep.reports

    report = dataprep.reports.report

    def warning(*arguments: Any, **options: Any) -> Any:
        warnings.warn("something passing", stacklevel=1)
        return report(*arguments, **options)

    monkeypatch.setattr("dataprep.cleaning.completeness.report", warning)
    with pytest.warns(UserWarning, match="passing"):
        run(images)
    assert UNCHANGED not in run(images).stderr


@pytest.mark.parametrize("changed", ["manifest", "image"])
def test_listed_images_are_watched_where_they_lie(images: Path, changed: str) -> None:
    manifest = images.parent / "lists" / "list.csv"
    manifest.parent.mkdir()
    rows = "".join(f"../images/{path.relative_to(images)}\n" for path in images.rglob("*.png"))
    manifest.write_text(f"path\n{rows}")
    made_long_ago(manifest.parent)
    run("--manifest", manifest)
    assert UNCHANGED in run("--manifest", manifest).stderr
    os.utime(manifest if changed == "manifest" else images / "cat" / "1.png", (1, 1))
    assert UNCHANGED not in run("--manifest", manifest).stderr


def test_a_list_with_missing_files_is_looked_at_again(images: Path) -> None:
    manifest = images.parent / "list.csv"
    manifest.write_text("path\nimages/cat/1.png\nimages/cat/later.png\n")
    made_long_ago(manifest)
    run("--manifest", manifest)
    assert UNCHANGED not in run("--manifest", manifest).stderr
