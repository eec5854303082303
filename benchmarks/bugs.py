"""Public bug reports of comparable tools, made again: whether each input comes out right.

    python benchmarks/bugs.py --data ../shared/data/bugs [--only 12 41] [--show]

Every folder NN under DATA holds a script that draws the input of a report; DATA/README.md says what
people hit, and what is right. Each is drawn into a temporary folder and given to the commands as a
user would; a case is right when everything that its function below asks for holds. The exit status
is the number of cases that are not right.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CASES: dict[str, Callable[[Case], None]] = {}
FLAGS = ("--no-embedding",)


class Case:
    """One drawn input: runs commands on it and reads their results."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work, self.said = data, work, ""

    def run(self, command: str, *arguments: object, fails: bool = False, **environment: str) -> str:
        """What `dataprep COMMAND` says on both streams; its results go to the folder `out`."""
        given = [sys.executable, "-m", "dataprep", command, *map(str, arguments)]
        if command != "predict":
            given += ["--out", str(self.work / "out")]
        done = subprocess.run(
            given,
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=300,
            errors="replace",
            env={**os.environ, **environment},
        )
        self.said = (
            f"$ dataprep {command} {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in self.said, "a traceback"
        assert (done.returncode != 0) == fails, f"exit status {done.returncode}"
        return " ".join(self.said.split())

    def audit(self, *arguments: object, **environment: str) -> dict[str, Any]:
        """The report of an audit."""
        self.run("audit", *arguments, *FLAGS, **environment)
        found: dict[str, Any] = json.loads(
            (self.work / "out" / "audit" / "report.json").read_text()
        )
        return found

    def classes(self, *arguments: object, **environment: str) -> tuple[str, dict[str, int], str]:
        """The task, the classes with their counts and the notes of an audit."""
        report = self.audit(*arguments, **environment)
        names = {each["name"]: each["count"] for each in report["distributions"]["classes"]}
        return report["dataset"]["task"], names, " ".join(report["dataset"]["notes"])

    def parts(self) -> pd.DataFrame:
        """The split that was made."""
        return pd.read_csv(
            self.work / "out" / "split" / "splits.csv", dtype=str, keep_default_na=False
        ).rename(columns={"path": "sample"})

    def torn(self, group: Callable[[str], str]) -> int:
        """Groups, by a function of the sample, that lie in several parts."""
        table = self.parts()
        return int((table.groupby(table["sample"].map(group))["split"].nunique() > 1).sum())


def case(function: Callable[[Case], None]) -> Callable[[Case], None]:
    """Register the case that the function's name ends with."""
    CASES[function.__name__[1:]] = function
    return function


@case
def _01(it: Case) -> None:
    it.run("audit", it.data, *FLAGS)
    assert "0" in it.said
    assert "test" in it.said
    report = json.loads((it.work / "out" / "audit" / "report.json").read_text())
    told = json.dumps([report["facts"], report["issues"]["claims"]])
    assert "absent" in told or "no image" in told or "none in" in told, (
        "the audit names no class that a part lacks"
    )


@case
def _02(it: Case) -> None:
    for kind in ("webdataset", "yolo"):
        it.run("split", it.data, *FLAGS, "--materialise", it.work / kind, "--as", kind)
    import tarfile

    numbers: dict[str, set[str]] = collections.defaultdict(set)
    for shard in (it.work / "webdataset").rglob("*.tar"):
        with tarfile.open(shard) as tar:
            texts = {name: tar.extractfile(name) for name in tar.getnames()}
            for name, stream in texts.items():
                if name.endswith(".json") and stream is not None:
                    record = json.loads(stream.read())
                    number = tar.extractfile(name[: -len("json")] + "cls")
                    assert number is not None
                    numbers[number.read().decode().strip()].add(str(record.get("label")))
    assert numbers and all(labels == {number} for number, labels in numbers.items()), dict(numbers)
    names = (it.work / "yolo" / "data.yaml").read_text()
    assert all(
        re.search(rf"^\s*{number}: ['\"]?{number}['\"]?$", names, re.MULTILINE)
        for number in range(12)
    ), names


@case
def _04(it: Case) -> None:
    _task, classes, _ = it.classes(it.data, "--manifest", it.data / "labels.csv")
    assert {"null", "N/A", "NA", "None", "inf"} <= set(classes), classes


@case
def _12(it: Case) -> None:
    it.run(
        "split",
        it.data,
        "--manifest",
        it.data / "five.csv",
        "--folds",
        5,
        "--group",
        "patient",
        *FLAGS,
    )
    sizes = it.parts()["split"].value_counts()
    assert len(sizes) == 5 and sizes.min() > 0, sizes.to_dict()
    from dataprep import LeakFreeSplit

    table = pd.read_csv(it.data / "five.csv")
    folds = list(
        LeakFreeSplit(5).split(np.zeros((len(table), 1)), table["label"], table["patient"])
    )
    assert len(folds) == 5
    assert all(len(test) for _, test in folds)


@case
def _14(it: Case) -> None:
    report = it.audit(it.data / "img", "--manifest", it.data / "labels.csv")
    found = {check["code"]: check["count"] for check in report["checks"]}
    assert not found["missing-file"], found
    assert found["unlisted-file"] == 1, "one file, whose name is not UTF-8, is in no row"


@case
def _15(it: Case) -> None:
    for name in ("mini.json", "export.csv", "full.json"):
        task, classes, _ = it.classes(it.data / "media", "--manifest", it.data / name)
        assert task == "classification" and {"Cat", "Dog"} <= set(classes), (name, task, classes)
    it.run(
        "audit",
        it.data / "media",
        "--manifest",
        it.data / "mini.json",
        "--path-column",
        "image",
        "--label-column",
        "choice",
        *FLAGS,
    )


@case
def _16(it: Case) -> None:
    for name in ("absolute.csv", "drive.csv", "back.csv"):
        report = it.audit(it.data, "--manifest", it.data / name)
        assert not next(
            check["count"] for check in report["checks"] if check["code"] == "missing-file"
        ), name


@case
def _17(it: Case) -> None:
    _, classes, notes = it.classes(it.data, "--manifest", it.data / "gbk.csv")
    assert {"猫", "狗"} <= set(classes), classes
    assert "--encoding" in notes, notes
    for name in ("utf16.csv", "bom.csv"):
        _, classes, _ = it.classes(it.data, "--manifest", it.data / name)
        assert set(classes) == {"chat", "chïen"}, (name, classes)


@case
def _20(it: Case) -> None:
    for name in ("comma.csv", "bar.csv", "semi.csv", "space.csv"):
        task, classes, notes = it.classes(it.data, "--manifest", it.data / name)
        assert (task == "multi-label" and "scab" in classes) or "--label-separator" in notes, (
            name,
            task,
            classes,
            notes,
        )


@case
def _21(it: Case) -> None:
    task, _, notes = it.classes(it.data, "--manifest", it.data / "age.csv")
    assert task == "regression" or "--task" in notes, (task, notes)
    assert (
        it.classes(it.data, "--manifest", it.data / "age.csv", "--task", "regression")[0]
        == "regression"
    )


@case
def _22(it: Case) -> None:
    for name, task in (("truth.csv", "classification"), ("_classes.csv", "multi-label")):
        found, classes, _ = it.classes(it.data, "--manifest", it.data / name)
        assert found == task and {"MEL", "NV", "BCC"} <= set(classes), (name, found, classes)


@case
def _23(it: Case) -> None:
    _task, classes, notes = it.classes(it.data, "--manifest", it.data / "metadata.csv")
    assert not {"part_1", "part_2"} & set(classes), classes
    assert "dx" in notes, notes


@case
def _31(it: Case) -> None:
    said = it.audit(it.data, "--manifest", it.data / "_annotations.csv")
    assert "delete the others" not in it.said, "advice that destroys data"
    assert "box" in json.dumps(said["dataset"]["notes"]) or "box" in it.said, said["dataset"][
        "notes"
    ]


@case
def _34(it: Case) -> None:
    for name in ("num.csv", "zero.csv"):
        report = it.audit(it.data, "--manifest", it.data / name)
        assert next(
            check["count"] for check in report["checks"] if check["code"] == "label-spelling"
        ), name


@case
def _41(it: Case) -> None:
    said = it.run("split", it.data / "folders")
    assert "no leakage" not in said, "a silent leak"
    assert "--group-by" in said, said
    it.run("split", it.data / "folders", "--group-by", "folder")
    assert it.torn(lambda sample: sample.rpartition("/")[0]) == 0


@case
def _42(it: Case) -> None:
    it.run("split", it.data, "--manifest", it.data / "exif.csv", "--time-column", "taken", *FLAGS)
    said = it.run(
        "split", it.data, "--manifest", it.data / "mixed.csv", "--time-column", "taken", *FLAGS
    )
    table = it.parts()
    left = table["split"].isin(("", "none", "left-out")).sum() + 40 - len(table)
    assert left == 0 or "cannot be read as a date" in said, (left, said)


@case
def _47(it: Case) -> None:
    images = it.work / "train"
    for number, label in enumerate("ab" * 12):
        target = images / label
        target.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (48, 48, 3)) // (
            1 + (label == "b") * 3
        )
        from PIL import Image

        Image.fromarray(pixels.astype(np.uint8)).save(target / f"{number}.png")
    it.run("train-baseline", images, "--no-sanity")
    table = it.work / "answers.csv"
    it.run(
        "predict",
        it.data,
        "--manifest",
        it.data / "m.csv",
        "--model",
        it.work / "out" / "baseline",
        "--out",
        table,
    )
    asked = pd.read_csv(it.data / "m.csv")
    answers = pd.read_csv(table)
    assert len(answers) == len(asked), (len(answers), len(asked))


@case
def _48(it: Case) -> None:
    _, classes, notes = it.classes(it.data / "two")
    assert "--label-from" in notes and "4" in notes, (classes, notes)


@case
def _51(it: Case) -> None:
    it.run("split", it.data, "--manifest", it.data / "m.csv", "--external", "center=3", *FLAGS)
    given = pd.read_csv(it.data / "m.csv", dtype=str, keep_default_na=False).set_index("path")
    table = it.parts().set_index("sample").loc[given.index]
    for name in ("center", "year", "weight"):
        if name in table:
            assert table[name].tolist() == given[name].tolist(), name
    assert (table["split"][given["center"] == "3"] == "external").all()


@case
def _52(it: Case) -> None:
    task, classes, _ = it.classes(it.data, "--manifest", it.data / "pylist.csv")
    assert task == "multi-label" and not any("[" in name for name in classes), (task, classes)


@case
def _54(it: Case) -> None:
    said = it.run("split", it.data, "--manifest", it.data / "metadata.csv", "--label-column", "dx")
    assert "no leakage" not in said and "lesion_id" in said, said
    it.run(
        "split",
        it.data,
        "--manifest",
        it.data / "metadata.csv",
        "--label-column",
        "dx",
        "--group-column",
        "lesion_id",
    )
    lesion = pd.read_csv(it.data / "metadata.csv").set_index("image_id")["lesion_id"]
    assert it.torn(lambda sample: str(lesion[Path(sample).stem])) == 0


@case
def _57(it: Case) -> None:
    assert set(it.classes(it.data, "--manifest", it.data / "sep.csv")[1]) == {"chat", "chien"}


@case
def _59(it: Case) -> None:
    task, classes, _ = it.classes(it.data / "onelist")
    assert task == "classification" and set(classes) == {"cat", "dog", "cow"}, (task, classes)


@case
def _61(it: Case) -> None:
    report = it.audit("--manifest", it.data / "m.csv", HOME=str(it.data))
    assert report["dataset"]["samples"] == 4, report["dataset"]["samples"]


@case
def _68(it: Case) -> None:
    it.run(
        "split",
        it.data,
        "--manifest",
        it.data / "m.csv",
        *FLAGS,
        "--materialise",
        it.work / "folders",
    )
    assert sum(1 for path in (it.work / "folders").rglob("*.jpg")) == len(it.parts())


def main() -> None:
    """Print a line a case."""
    options = _parse()
    wrong = 0
    for name in options.only or sorted(CASES):
        with _drawn(Path(options.data), name) as it:
            try:
                CASES[name](it)
                outcome = "right"
            except Exception as error:
                wrong += 1
                last = traceback.extract_tb(error.__traceback__)[-1].line or ""
                outcome = f"WRONG   {type(error).__name__}: {error or last}"[:300]
            print(f"{name}  {outcome}", flush=True)
            if options.show:
                print(it.said)
    print(f"{len(options.only or CASES) - wrong} of {len(options.only or CASES)} right")
    sys.exit(min(wrong, 99))


@contextmanager
def _drawn(data: Path, name: str) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(data / name, work / name)
        shutil.copy(data / "lib.py", work)
        os.chmod(work / name, 0o755)
        subprocess.run(
            [sys.executable, "make.py"], cwd=work / name, check=True, capture_output=True
        )
        yield Case(work / name / "data", work)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="../shared/data/bugs", help="folder of the cases")
    parser.add_argument("--only", nargs="*", help="numbers of cases")
    parser.add_argument(
        "--show", action="store_true", help="print what the last command of each case said"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
