"""Fitting takes training rows and no others, and says why."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import dataprep
from dataprep.backends.warm import warm_workers
from dataprep.cli import app
from dataprep.errors import InputError, OptionError
from dataprep.measures.options import PassOptions
from dataprep.normalisation.fitting import training_images, training_rows
from dataprep.normalisation.normaliser import Normaliser
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.results.proof import Proof
from dataprep.schemas.split import Split
from tests.conftest import save, textured

ONE_JOB = PassOptions(jobs=1)


@pytest.fixture(autouse=True, scope="module")
def _one_worker_for_all_tests():
    with warm_workers():
        yield


@pytest.fixture
def parts(tmp_path):
    """Folders train, val and test; the images of val are white, those of test black, one file of
    train is damaged.
    """
    root = tmp_path / "images"
    for index in range(6):
        save(textured(index), root / "train" / "abc"[index % 3] / f"{index}.png")
    for index in range(3):
        save(np.full((40, 40, 3), 255, np.uint8), root / "val" / "abc"[index] / f"{index}.png")
        save(np.zeros((40, 40, 3), np.uint8), root / "test" / "abc"[index] / f"{index}.png")
    (root / "train" / "a" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


def table_of(column, **more):
    index = pd.Index([f"{row}.png" for row in range(len(column))], name="sample", dtype="str")
    return Dataset("nowhere", pd.DataFrame({"split": column, **more}, index=index))


def test_figures_are_those_of_train_alone(parts):
    made = dataprep.fit_normaliser(parts, kind="z-score", options=ONE_JOB)
    pixels = np.concatenate([textured(index).reshape(-1, 3) for index in range(6)]) / 255
    np.testing.assert_allclose(made.statistics.mean, pixels.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(made.statistics.std, pixels.std(axis=0), atol=1e-9)
    assert (made.part, made.rows, made.lost) == ("train", 7, 1)
    dataset = dataprep.scan(parts)
    assert made.fingerprint == dataset.where(dataset.samples["split"] == "train").fingerprint
    assert (
        dataprep.fit_normaliser(
            dataset.where(np.arange(len(dataset))[::-1] >= 0), kind="z-score", options=ONE_JOB
        )
        == made
    )


def test_other_rows_change_nothing(parts):
    before = dataprep.fit_normaliser(parts, kind="min-max", options=ONE_JOB)
    for path in (parts / "val").rglob("*.png"):
        path.unlink()
    assert dataprep.fit_normaliser(parts, kind="min-max", options=ONE_JOB) == before


@pytest.mark.parametrize("part", ["val", "test", "Validation", "external", "whatever"])
def test_parts_that_are_not_for_training_are_refused(parts, part):
    with pytest.raises(OptionError, match="training rows alone"):
        dataprep.fit_normaliser(parts, part=part)


def test_without_parts_one_has_to_say_so(class_folders):
    with pytest.raises(OptionError, match="dataprep split.*part=None"):
        dataprep.fit_normaliser(class_folders)
    assert dataprep.fit_normaliser(class_folders, part=None, options=ONE_JOB).part == "all rows"


def test_all_rows_of_divided_data_are_refused(parts):
    with pytest.raises(OptionError, match="divided into test, train, val"):
        dataprep.fit_normaliser(parts, part=None)


def test_rows_without_a_part_are_left_out():
    rows = training_rows(table_of(["train", None, "val", "train", np.nan]))
    assert list(rows.dataset.samples.index) == ["0.png", "3.png"]
    assert rows.left_alone == {"val": 1}


def test_folds_are_fitted_without_the_one_held_out_and_without_holdouts():
    folds = table_of(["fold0", "fold1", "fold2", "fold1", "test", None])
    rows = training_rows(folds, fold="fold1")
    assert list(rows.dataset.samples.index) == ["0.png", "2.png"]
    assert rows.left_alone == {"fold1": 2, "test": 1}
    assert list(training_rows(folds, fold=1).dataset.samples.index) == ["0.png", "2.png"]
    assert list(training_rows(table_of([0, 1, 2]), fold=1).dataset.samples.index) == [
        "0.png",
        "2.png",
    ]


@pytest.mark.parametrize(
    ("column", "arguments", "words"),
    [
        (["fold0", "fold1"], {"fold": "fold7"}, "the folds are: fold0, fold1"),
        (["train", "val"], {"fold": "val"}, "no folds"),
        (["fold0", "test"], {"fold": "fold0"}, "no rows remain"),
        ([None, None], {"fold": 1}, "the folds are: none"),
    ],
)
def test_folds_and_parts_that_do_not_fit(column, arguments, words):
    with pytest.raises(OptionError, match=words):
        training_rows(table_of(column), **arguments)


def test_one_fold_is_no_training_part_and_what_is_no_fold_is_left_alone():
    column = ["fold1", "fold2", "fold3", "hidden", "external", "fold2"]
    folds = Split(table_of(column), Proof(parts=("fold1", "fold2", "fold3")))
    with pytest.raises(OptionError, match="one fold of several"):
        training_rows(folds, part="fold1")
    rows = training_rows(folds, fold=1)
    assert list(rows.dataset.samples["split"]) == ["fold2", "fold3", "fold2"]
    assert rows.left_alone == {"external": 1, "fold1": 1, "hidden": 1}
    with pytest.raises(
        OptionError, match="no fold is called 'hidden'; the folds are: fold1, fold2, fold3"
    ):
        training_rows(folds, fold="hidden")


@pytest.mark.parametrize("rows", [training_rows, training_images])
@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["fold0", "fold1"], "which one is held out"),
        (["val", "test"], "no rows are in part 'train'"),
        (["a", "b"], "--part"),
    ],
)
def test_parts_none_of_which_is_for_training_are_never_taken_for_it(rows, column, words):
    for source in (table_of(column), Split(table_of(column), Proof(parts=tuple(column)))):
        with pytest.raises(InputError, match=words):
            rows(source)


def test_training_images_leave_out_the_fold_and_lost_rows_and_are_all_of_undivided_data():
    folds = table_of(["fold1", "fold2", "fold3", "test"], lost=["", "truncated", "", ""])
    assert list(training_images(folds, fold=1).samples.index) == ["2.png"]
    assert list(training_images(table_of(["Training", "val"])).samples.index) == ["0.png"]
    assert list(training_images(table_of([None, None])).samples.index) == ["0.png", "1.png"]
    with pytest.raises(InputError, match="no readable training image"):
        training_images(table_of(["train", "val"], lost=["truncated", ""]))


def test_first_part_of_a_split_may_have_a_name_of_its_own():
    divided = Split(table_of(["fit", "fit", "judge"]), Proof(parts=("fit", "judge")))
    assert training_rows(divided, part="fit").left_alone == {"judge": 1}
    with pytest.raises(OptionError, match="training rows alone"):
        training_rows(divided, part="judge")
    # A part for judging is refused even in the first place.
    with pytest.raises(OptionError, match="training rows alone"):
        training_rows(Split(table_of(["val", "train"]), Proof(parts=("val", "train"))), part="val")


def test_columns_are_fitted_on_train_alone_and_images_left_alone():
    table = table_of(["train", "train", "val"], age=[1.0, 3.0, 1e9])
    made = dataprep.fit_normaliser(table, kind="none", columns=["age"], column_kind="min-max")
    assert (made.columns[0].centre, made.columns[0].spread) == (1.0, 2.0)
    assert made.apply_table(table.samples)["age"].tolist() == [0.0, 1.0, (1e9 - 1) / 2]
    with pytest.raises(OptionError, match="nothing to fit"):
        dataprep.fit_normaliser(table, kind="none")


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "zscore"},
        {"weighting": "files"},
        {"size": 3},
        {"columns": ["nix"]},
        {"split_column": "nix"},
    ],
)
def test_options_out_of_range(parts, arguments):
    with pytest.raises(OptionError):
        dataprep.fit_normaliser(parts, **arguments)


def test_images_that_cannot_be_read_and_sources_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"none of the 2 images of train.*missing"):
        dataprep.fit_normaliser(table_of(["train", "train"]), options=ONE_JOB)
    with pytest.raises(InputError, match="expected a Split, a Dataset or a path"):
        dataprep.fit_normaliser(3)


def test_large_images_that_look_unlike_small_ones_are_told_of(tmp_path):
    save(np.full((300, 300, 3), 250, np.uint8), tmp_path / "a.png")
    for index in range(4):
        save(np.full((30, 30, 3), 20, np.uint8), tmp_path / f"{index}.png")
    with pytest.warns(UserWarning, match="large images look unlike small ones"):
        by_pixels = dataprep.fit_normaliser(tmp_path, part=None, options=ONE_JOB)
    with pytest.warns(UserWarning, match="weighted by pixels differ"):
        by_images = dataprep.fit_normaliser(
            tmp_path, part=None, weighting="images", options=ONE_JOB
        )
    assert by_images.statistics.mean[0] == pytest.approx((250 + 4 * 20) / 5 / 255)
    assert by_pixels.statistics.mean[0] == pytest.approx((250 * 90000 + 20 * 3600) / 93600 / 255)


def test_images_at_one_size_weigh_alike(tmp_path, recwarn):
    save(np.full((300, 300, 3), 250, np.uint8), tmp_path / "a.png")
    save(np.full((30, 30, 3), 20, np.uint8), tmp_path / "b.png")
    assert dataprep.fit_normaliser(tmp_path, part=None, size=32, options=ONE_JOB).statistics.mean[
        0
    ] == pytest.approx(135 / 255)
    assert not [warning for warning in recwarn if "unlike" in str(warning.message)]


def test_images_beyond_the_local_disk():
    import fsspec

    files = fsspec.filesystem("memory")
    from tests.measures.pictures import encoded

    for name in ("train/a.png", "val/b.png"):
        with files.open(f"/normalise/{name}", "wb") as file:
            file.write(encoded(textured(len(name)), "PNG"))
    made = dataprep.fit_normaliser("memory://normalise", options=ONE_JOB)
    assert made.statistics.mean == pytest.approx(
        textured(len("train/a.png")).mean(axis=(0, 1)) / 255
    )


def test_rows_known_to_be_lost_are_not_read_again(parts):
    dataset = dataprep.scan(parts)
    dataset = dataset.assign(
        lost=np.where(dataset.samples.index.str.contains("bad|0.png"), "truncated", "")
    )
    made = dataprep.fit_normaliser(dataset, options=ONE_JOB)
    assert (made.statistics.images, made.lost) == (5, 2)


# --- the command
# -----------------------------------------------------------------------------------------------------------  # noqa: E501


def run(*arguments):
    from typer.testing import CliRunner

    return CliRunner().invoke(app, ["normalise", *map(str, arguments)])


def test_command_writes_and_prints(parts, tmp_path):
    out = tmp_path / "out"
    done = run(
        parts,
        "--kind",
        "z-score",
        "--export",
        "timm",
        "--export",
        "onnx",
        "--out",
        out,
        "--jobs",
        1,
    )
    assert done.exit_code == 0, done.output
    for words in (
        "ImageNet mean",
        "z-score: each channel",
        "Fitted on 6 images of train; test (3), val (3) not touched",
    ):
        assert words in done.output
    made = Normaliser.load(out / "normalise" / "normaliser.json")
    assert made == dataprep.fit_normaliser(parts, kind="z-score", options=ONE_JOB)
    record = json.loads((out / "normalise" / "run.json").read_text())
    assert (record["stage"], record["samples"], record["fingerprint"]) == (
        "normalise",
        7,
        made.fingerprint,
    )
    assert json.loads((out / "normalise" / "normalise_timm.json").read_text())["mean"] == [
        *made.statistics.mean
    ]
    assert not list(parts.rglob("*.json"))


def test_command_with_a_manifest_of_its_own_columns(parts, tmp_path):
    rows = [f"train/{'abc'[i % 3]}/{i}.png,{'train' if i < 4 else 'test'},{i}" for i in range(6)]
    manifest = parts / "list.csv"
    manifest.write_text("path,phase,age\n" + "\n".join(rows) + "\n")
    done = run(
        "--manifest",
        manifest,
        "--split-column",
        "phase",
        "--columns",
        "age",
        "--kind",
        "none",
        "--out",
        tmp_path / "out",
    )
    assert done.exit_code == 0, done.output
    assert "age: z-score, centre 1.5" in done.output


def test_command_refuses_val(parts, tmp_path):
    done = run(parts, "--part", "val", "--out", tmp_path / "out")
    assert isinstance(done.exception, OptionError)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "flags",
    [
        ["--all-rows", "--part", "train"],
        ["--all-rows", "--fold", "1"],
        ["--part", "a", "--fold", "1"],
    ],
)
def test_flags_that_contradict_each_other_are_refused(parts, tmp_path, flags):
    done = run(parts, *flags, "--out", tmp_path / "out")
    assert isinstance(done.exception, OptionError)
    assert f"{flags[0]} and {flags[-2]} contradict each other" in str(done.exception)


def test_command_goes_on_from_a_split(class_folders, tmp_path):
    from typer.testing import CliRunner

    out = tmp_path / "out"
    split = CliRunner().invoke(
        app,
        ["split", str(class_folders), "--no-embedding", "--folds", "3", "--out", str(out), "-q"],
    )
    assert split.exit_code == 0, split.output
    done = run("--fold", "2", "--out", out, "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "Fitted on 8 images of all folds but fold2; fold2 (4) not touched" in done.output
    made = Normaliser.load(out / "normalise" / "normaliser.json")
    assert made == dataprep.fit_normaliser(out / "split", fold=2, options=ONE_JOB)
    assert "divide-by-255: values are divided by 255" in done.output


def test_command_without_a_split_says_what_to_do(tmp_path):
    done = run("--out", tmp_path / "out")
    assert isinstance(done.exception, InputError)
    assert "dataprep split" in str(done.exception)
