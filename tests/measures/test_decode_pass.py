from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import psutil
import pytest

from dataprep import registry
from dataprep.backends import imap
from dataprep.errors import RegistryError
from dataprep.measures import builtin_measures, decode_pass
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.measures.work import measures_of
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.lost import Lost
from dataprep.schemas.text.names import escape_name
from tests.conftest import OBEYING, save, textured

REPOSITORY = Path(__file__).parents[2]
#: Embedding has its own tests (test_pass_embedding.py).
OPTIONS = PassOptions(jobs=2, embedder="")


def dataset_of(root: Path | str, names: list[str] | None = None) -> Dataset:
    if names is None:
        names = sorted(
            path.relative_to(root).as_posix() for path in Path(root).rglob("*") if path.is_file()
        )
    return Dataset(
        str(root),
        pd.DataFrame(
            index=pd.Index([escape_name(name) for name in names], name="sample", dtype="str")
        ),
    )


def age(root: Path) -> None:
    """Give every file an old time stamp, so that it can be recognised unread."""
    for path in root.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for index in range(12):
        save(textured(index), root / f"{index:02d}.jpg", quality=90)
    age(root)
    return root


@pytest.fixture
def work_done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each file cost, in the order of finishing: "recognised" by content, or "decoded";
    nothing for files not read.
    """
    costs: list[str] = []

    def counting(*args: Any, **options: Any) -> Iterator[Any]:
        for index, result in imap(*args, **options):
            costs.append(
                "lost" if isinstance(result, Lost) else "recognised" if result[2] else "decoded"
            )
            yield index, result

    monkeypatch.setattr(decode_pass, "imap", counting)
    return costs


def test_columns_have_their_published_names_kinds_and_order(photos: Path) -> None:
    measured = measure(dataset_of(photos), options=OPTIONS)
    columns = list(measured.samples.columns)
    assert columns == [name for name in COLUMNS if name in columns]
    assert {measure.column for measure in builtin_measures()} <= {*columns, *measured.arrays}
    kinds = {
        "float": "float32",
        "int": "float64",
        "bool": "bool",
        "category": "category",
        "text": "str",
    }
    assert {name: str(measured.samples[name].dtype) for name in columns} == {
        name: kinds[COLUMNS[name].kind] for name in columns
    }
    assert (
        measured.samples[["bytes", "width", "luma_mean", "file_hash", "jpeg_quality"]]
        .notna()
        .all(axis=None)
    )
    assert (measured.samples["lost"] == "").all()
    assert set(measured.samples["extension"]) == {"jpg"}
    assert (measured.samples["width"] == 96).all()
    for name, array in measured.arrays.items():
        assert len(array) == 12, name


def test_every_file_that_gives_no_pixels_has_a_reason_and_costs_no_other(photos: Path) -> None:
    (photos / "empty.jpg").touch()
    (photos / "page.jpg").write_text("<html></html>")
    (photos / "cut.jpg").write_bytes((photos / "00.jpg").read_bytes()[:900])
    (photos / "folder").mkdir()
    names = [*sorted(os.listdir(photos)), "nowhere.jpg", "null\0byte.jpg", "00.jpg/inside"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(photos / "pipe.jpg")
        names.append("pipe.jpg")
    samples = measure(dataset_of(photos, names), options=OPTIONS).samples
    lost = samples["lost"].astype("str")
    assert lost[lost != ""].to_dict() == {
        "empty.jpg": "empty",
        "page.jpg": "not-an-image",
        "cut.jpg": "truncated",
        "folder": "unreadable",
        "nowhere.jpg": "missing",
        "null\0byte.jpg": "unreadable",
        "00.jpg/inside": "missing",
        **({"pipe.jpg": "unreadable"} if "pipe.jpg" in names else {}),
    }
    bad = samples[lost != ""]
    assert (bad["lost_detail"].str.len() > 0).all()
    assert bad[["luma_mean", "contrast"]].isna().all(axis=None)
    assert bad.loc["page.jpg", "bytes"] == 13
    assert bad.loc["cut.jpg", "format"] == "JPEG"
    assert samples.loc[lost == "", "luma_mean"].notna().all()


def test_odd_names_survive(tmp_path: Path) -> None:
    names = ["with space.png", "new\nline.png", "ünï.png", "\\x41.png"]
    if sys.platform == "linux":
        names.append("not-utf8-\udcff.png")
    for name in names:
        save(textured(1), tmp_path / "odd" / name)
    samples = measure(dataset_of(tmp_path / "odd", names), options=OPTIONS).samples
    assert (samples["lost"] == "").all()


def test_no_rows_give_no_rows(tmp_path: Path) -> None:
    measured = measure(dataset_of(tmp_path, []), options=OPTIONS)
    assert len(measured) == 0
    assert "luma_mean" in measured.samples


def test_only_the_columns_asked_for_are_filled(photos: Path) -> None:
    measured = measure(dataset_of(photos), ["luma_mean", "label"], OPTIONS)
    assert set(measured.samples.columns) == {
        "bytes",
        "file_hash",
        "lost",
        "lost_detail",
        "luma_mean",
    }


def test_given_columns_stay_and_the_dataset_given_is_not_changed(photos: Path) -> None:
    given = dataset_of(photos).assign(label="shirt", mine=range(12))
    measured = measure(given, options=OPTIONS)
    assert list(given.samples.columns) == ["label", "mine"]
    assert measured.samples["mine"].tolist() == list(range(12))


def test_progress_goes_from_nothing_to_all(photos: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    measure(dataset_of(photos), options=OPTIONS, progress=lambda *now: seen.append(now))
    assert [now[0] for now in seen] == sorted(now[0] for now in seen)
    assert seen[-1][:2] == (12, 12)


def test_unchanged_files_are_not_read_again(photos: Path, work_done: list[str]) -> None:
    (photos / "page.jpg").write_text("<html></html>")
    age(photos)
    first = measure(dataset_of(photos), options=OPTIONS)
    assert work_done == ["decoded"] * 13
    second = measure(dataset_of(photos), options=OPTIONS)
    assert len(work_done) == 13
    pd.testing.assert_frame_equal(first.samples, second.samples)
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_renamed_files_are_recognised_by_content(photos: Path, work_done: list[str]) -> None:
    first = measure(dataset_of(photos), options=OPTIONS)
    work_done.clear()
    (photos / "00.jpg").rename(photos / "new name.png")
    samples = measure(dataset_of(photos), options=OPTIONS).samples
    assert work_done == ["recognised"]
    assert samples.loc["new name.png", "luma_mean"] == first.samples.loc["00.jpg", "luma_mean"]
    assert samples.loc["new name.png", "extension"] == "png"
    measure(dataset_of(photos), options=OPTIONS)
    assert work_done == ["recognised"]


def test_a_changed_file_is_measured_again(photos: Path, work_done: list[str]) -> None:
    measure(dataset_of(photos), options=OPTIONS)
    work_done.clear()
    save(np.zeros((50, 60, 3), np.uint8), photos / "03.jpg")
    samples = measure(dataset_of(photos), options=OPTIONS).samples
    assert work_done == ["decoded"]
    assert samples.loc["03.jpg", "width"] == 60


def test_verifying_the_cache_finds_what_the_time_stamp_hides(
    photos: Path, work_done: list[str]
) -> None:
    before = measure(dataset_of(photos), options=OPTIONS).samples
    data = (photos / "03.jpg").read_bytes()
    (photos / "03.jpg").write_bytes(bytes(len(data)))
    (photos / "03.jpg").write_bytes(data[:-50] + bytes(50))
    age(photos)
    pd.testing.assert_frame_equal(measure(dataset_of(photos), options=OPTIONS).samples, before)
    work_done.clear()
    after = measure(dataset_of(photos), options=replace(OPTIONS, verify_cache=True)).samples
    assert sorted(work_done) == ["decoded"] + ["recognised"] * 11
    assert after.loc["03.jpg", "file_hash"] != before.loc["03.jpg", "file_hash"]


def test_another_limit_or_column_does_not_take_the_old_rows(
    photos: Path, work_done: list[str]
) -> None:
    measure(dataset_of(photos), options=OPTIONS)
    work_done.clear()
    smaller = measure(dataset_of(photos), options=replace(OPTIONS, max_megapixels=0.1))
    assert work_done == ["decoded"] * 12
    assert (smaller.samples["lost"] == "").all()
    measure(dataset_of(photos), ["luma_mean"], OPTIONS)
    assert work_done == ["decoded"] * 24


def test_no_cache_means_none(photos: Path, work_done: list[str]) -> None:
    for _ in range(2):
        measure(dataset_of(photos), options=replace(OPTIONS, cache=False))
    assert work_done == ["decoded"] * 24
    assert os.listdir(os.environ["DATAPREP_CACHE_DIR"]) == []


@pytest.mark.parametrize("reason", ["crashed", "timed-out", "out-of-memory"])
def test_a_loss_that_may_pass_is_tried_again(
    photos: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def losing(*args: Any, **options: Any) -> Iterator[Any]:
        for index, result in imap(*args, **options):
            yield index, Lost(reason, "bad luck") if index == 5 else result

    with monkeypatch.context() as patch:
        patch.setattr(decode_pass, "imap", losing)
        unlucky = measure(dataset_of(photos), options=OPTIONS).samples
    assert unlucky["lost"].tolist() == [reason if row == 5 else "" for row in range(12)]
    assert unlucky["bytes"].notna().all()
    assert (measure(dataset_of(photos), options=OPTIONS).samples["lost"] == "").all()


def test_bytes_come_through_this_process_where_workers_cannot_reach(
    work_done: list[str], tmp_path: Path
) -> None:
    files = fsspec.filesystem("memory")
    path = save(textured(3), tmp_path / "a.jpg")
    names = [f"{folder}/{i}.jpg" for folder in ("cat", "dög [1]") for i in range(5)]
    for name in names:
        files.pipe(f"/bucket/{name}", path.read_bytes())
    files.pipe("/bucket/big.jpg", bytes(200_000))
    dataset = dataset_of("memory://bucket", [*names, "big.jpg", "nowhere.jpg"])
    options = replace(OPTIONS, max_file_mb=0.1)
    samples = measure(dataset, options=options).samples
    assert samples["lost"].tolist() == [""] * 10 + ["too-large", "missing"]
    assert (samples["width"].iloc[:10] == 96).all()
    work_done.clear()
    pd.testing.assert_frame_equal(measure(dataset, options=options).samples, samples)
    assert work_done.count("recognised") == 10


PLUGIN = """
import numpy as np
from dataprep.measures.contract import Measure

def angry(pixels):
    raise ValueError("cannot measure this")

number = Measure("redness", 1, lambda pixels: float(pixels.rgb[..., 0].mean()))
word = Measure("verdict", 1, lambda pixels: "fine")
vector = Measure("colour", 1, lambda pixels: pixels.rgb.mean(axis=(0, 1)))
failing = Measure("anger", 1, angry)
taken = Measure("luma_mean", 1, angry)
"""


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a package with the named measures."""

    def install(*names: str) -> None:
        folder = tmp_path / "site"
        info = folder / "my_measures-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "my_measures.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-measures\nVersion: 1.0\n")
        lines = "".join(f"{name} = my_measures:{name}\n" for name in names)
        (info / "entry_points.txt").write_text(f"[dataprep.measures]\n{lines}")
        monkeypatch.syspath_prepend(folder)
        registry._table.cache_clear()

    yield install
    registry._table.cache_clear()
    sys.modules.pop("my_measures", None)


def test_measures_of_a_plug_in_become_columns_and_arrays(
    plug_in: Callable[..., None], photos: Path
) -> None:
    plug_in("number", "word", "vector")
    (photos / "empty.jpg").touch()
    for _ in range(2):  # measured, then recalled
        measured = measure(dataset_of(photos), options=OPTIONS)
        good = measured.samples[measured.samples["lost"] == ""]
        assert good["redness"].between(1, 255).all()
        assert np.isnan(measured.samples.loc["empty.jpg", "redness"])
        assert set(good["verdict"]) == {"fine"}
        assert measured.arrays["colour"].shape == (13, 3)
        assert np.allclose(measured.arrays["colour"][:12, 0], good["redness"])


def test_a_measure_that_raises_costs_its_column_alone_and_is_named(
    plug_in: Callable[..., None], photos: Path, work_done: list[str]
) -> None:
    plug_in("failing", "number")
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"12 files .* anger: ValueError: cannot measure this"):
            samples = measure(dataset_of(photos), options=OPTIONS).samples
        assert (samples["lost"] == "").all()
        assert samples["anger"].isna().all()
        assert samples["redness"].notna().all()
    assert work_done == ["decoded"] * 24, "what a faulty measure gave is not kept"


def test_a_column_that_is_taken_is_an_error_that_names_both(plug_in: Callable[..., None]) -> None:
    plug_in("taken")
    with pytest.raises(RegistryError, match=r"luma_mean.*dataprep.*taken"):
        measures_of()


def test_workers_of_the_pass_do_not_import_pandas(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataprep.measures.work import Setup

    monkeypatch.syspath_prepend(str(REPOSITORY))
    columns = tuple(measure.column for measure in builtin_measures())
    ((_, (row, modules)),) = imap(
        "tests.backends.pool_tasks:measuring_then_modules",
        [str(photos / "00.jpg")],
        setup=Setup(columns, OPTIONS, view=128),
        jobs=1,
    )
    assert len(row[3]) == 128 * 128 * 3
    assert "cv2" in modules
    heavy = {
        "importlib.metadata",
        "onnxruntime",
        "pandas",
        "scipy",
        "torch",
        "typer",
        "rich",
        "psutil",
        "fsspec",
        "pyarrow",
        "sklearn",
        "matplotlib",
    }
    assert not heavy & set(modules)


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
import psutil
from dataprep.measures import cache, decode_pass
from dataprep.measures.options import PassOptions
from tests.measures.test_decode_pass import dataset_of

cache._COMMIT_S = decode_pass._PROGRESS_S = 0

def progress(done, total, note):
    if done >= 5:
        print(*(child.pid for child in psutil.Process().children()), flush=True)
        os.kill(os.getpid(), signal.{signal})

try:
    decode_pass.measure(dataset_of(Path({root!r})), options=PassOptions(jobs=2, embedder=''), progress=progress)
except KeyboardInterrupt:
    print("interrupted", len(psutil.Process().children()))
"""  # noqa: E501


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("signal", ["SIGINT", "SIGKILL"])
def test_an_interrupted_pass_leaves_no_process_and_goes_on_where_it_was(
    photos: Path, work_done: list[str], signal: str
) -> None:
    script = INTERRUPTED.format(root=str(photos), signal=signal)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        **OBEYING,
    )
    first, *rest = done.stdout.splitlines()
    children = [int(pid) for pid in first.split()]
    assert children
    assert rest == (["interrupted 0"] if signal == "SIGINT" else []), done.stderr
    _, alive = psutil.wait_procs(
        [psutil.Process(pid) for pid in children if psutil.pid_exists(pid)], timeout=20
    )
    assert not alive
    samples = measure(dataset_of(photos), options=OPTIONS).samples
    assert (samples["lost"] == "").all()
    assert 0 < len(work_done) <= 8, "about five of twelve are not measured again"


def test_two_passes_at_once_give_the_same(photos: Path) -> None:
    script = (
        "from pathlib import Path\nfrom dataprep.measures.options import PassOptions\n"
        "from tests.measures.test_decode_pass import dataset_of, measure\n"
        f"samples = measure(dataset_of(Path({str(photos)!r})), options=PassOptions(jobs=1, "
        "embedder='')).samples\n"
        "print(samples['luma_mean'].tolist())"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    first, second = (run.communicate(timeout=60)[0] for run in runs)
    assert first == second != ""
