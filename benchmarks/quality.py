"""Quality checks on photos with known faults: recall per fault and strength, false alarms per
check, beside cleanvision's.

    python benchmarks/quality.py [--data DIR] [--cleanvision-python PYTHON]

The data set (``DIR/quality``) holds untouched photos, copies with one fault each, and broken files,
listed in ``truth.csv``. Two halves, every second file of each kind, are each audited as a data set
of its own and printed apart: one for calibration, one for scoring. The thresholds lie in gaps that
were looked at on the whole set, so that the halves show how stable the figures are, not how
pictures of another kind fare; benchmarks/planted.py plants other faults. Intervals are Wilson's, 95
%. False alarms are counted on the untouched photos of each half, and on those of ``DIR/photos``
where it exists: nobody looked at these one by one, so that some of the alarms are right. PYTHON is
an interpreter that has cleanvision 0.3.7.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import dataprep
from dataprep import registry
from dataprep.checks.contract import Check
from dataprep.checks.second_look import SecondLook
from dataprep.measures.decode_pass import measure
from dataprep.schemas.dataset import Dataset

#: Fault to the checks of ours, then the issue types of cleanvision, that name it.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dark": (("dark",), ("dark",)),
    "bright": (("bright",), ("light",)),
    "low_contrast": (("low-contrast",), ("low_information",)),
    "blur": (("blurry",), ("blurry",)),
    "motion_blur": (("motion-blur", "blurry"), ("blurry",)),
    "noise": (("noisy",), ()),
    "blank": (("low-information",), ("low_information", "light")),
    "grayscale": (("grayscale",), ("grayscale",)),
    "small": (("odd-size",), ("odd_size",)),
    "aspect": (("odd-aspect-ratio",), ("odd_aspect_ratio",)),
    "blocky_jpeg": (("heavy-compression",), ()),
    "upscaled": (("upscaled",), ("blurry",)),
    "broken": (("unreadable",), ()),
}
#: At most 10 % of these may be missed; the others are printed for information.
DEMANDED = frozenset(
    (
        "dark 0.10",
        "bright strong",
        "low_contrast 0.10",
        "blur 5",
        "motion_blur 25",
        "noise 40",
        "blank white",
        "blank near",
        "grayscale",
        "small 32",
        "aspect 6:1",
        "blocky_jpeg 5",
        "upscaled 8x",
        "broken truncated_half",
        "broken truncated_tail",
        "broken zero_bytes",
        "broken html_page",
    )
)
CLEANVISION = """
import json, sys
from cleanvision import Imagelab
lab = Imagelab(filepaths=json.load(sys.stdin))
lab.find_issues({name: {} for name in
    ("dark", "light", "low_information", "odd_aspect_ratio", "odd_size", "grayscale", "blurry")}, verbose=False)
found = {name[3:-6]: list(lab.issues.index[lab.issues[name]]) for name in lab.issues if name.endswith("_issue")}
print("RESULT" + json.dumps(found))
"""


@dataclass(frozen=True)
class Truth:
    """One file of the data set: its name, and its fault with its strength ("none" for the
    untouched).
    """

    path: str
    fault: str
    strength: str

    @property
    def kind(self) -> str:
        return f"{self.fault} {self.strength}".strip()


def read_truth(folder: Path) -> list[Truth]:
    """Every file that ``truth.csv`` lists, by kind and name."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [Truth(row["path"], row["fault"], row["strength"]) for row in csv.DictReader(file)]
    return sorted(rows, key=lambda row: (row.kind, row.path))


def halves(truth: list[Truth]) -> tuple[list[Truth], list[Truth]]:
    """For calibration and for scoring: every second file of each kind."""
    places: dict[str, int] = {}
    parts: tuple[list[Truth], list[Truth]] = ([], [])
    for row in truth:
        place = places.get(row.kind, 0)
        places[row.kind] = place + 1
        parts[place % 2].append(row)
    return parts


def quality_checks() -> list[Check]:
    """The checks of the families files and quality, with their defaults."""
    known = [registry.load("dataprep.checks", code) for code in registry.names("dataprep.checks")]
    return [check() for check in known if check.family in ("files", "quality")]


def claims_of(dataset: Dataset) -> dict[str, set[str]]:
    """Check code to the samples that it claims something about; claims about the data set are
    printed.
    """
    found: dict[str, set[str]] = {}
    look = SecondLook(dataset, dataprep.PassOptions())
    for check in quality_checks():
        found[check.code] = set()
        for batch in check.find(dataset, look):
            found[check.code] |= set(batch.loc[batch["scope"] == "sample", "target"])
            for evidence in batch.loc[batch["scope"] == "dataset", "evidence"]:
                print(f"    {check.code}, about the data set: {evidence}")
    return found


def run_cleanvision(python: str, folder: Path, paths: Iterable[str]) -> dict[str, set[str]]:
    """Issue type to the files that cleanvision flags; broken files, which end its run, must not
    be among `paths`.
    """
    given = json.dumps([str(folder / path) for path in paths])
    with tempfile.TemporaryDirectory() as cwd:
        run = subprocess.run(
            [python, "-c", CLEANVISION],
            input=given,
            capture_output=True,
            text=True,
            cwd=cwd,
            check=False,
        )
    lines = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise SystemExit(f"cleanvision failed: {run.stderr[-500:]}")
    found = json.loads(lines[-1].removeprefix("RESULT"))
    return {
        name: {str(Path(path).relative_to(folder)) for path in paths}
        for name, paths in found.items()
    }


def wilson(hits: int, trials: int) -> str:
    """``share (low to high)`` with the 95 % interval of Wilson (1927)."""
    if not trials:
        return "-"
    z, share = 1.959964, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = (
        z
        * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
        / (1 + z * z / trials)
    )
    return f"{share:5.3f} ({max(middle - spread, 0):.3f} to {min(middle + spread, 1):.3f})"


def print_recall(
    truth: list[Truth], ours: dict[str, set[str]], theirs: dict[str, set[str]] | None
) -> list[str]:
    """The table of recall; gives the demanded kinds of which more than 10 % were missed."""
    failed = []
    print(
        f"\n{'fault':24} {'n':>3} {'checks':24} {'recall':24}"
        + (f" {'cleanvision':24}" if theirs is not None else "")
    )
    for kind in sorted({row.kind for row in truth if row.fault != "none"}):
        rows = [row for row in truth if row.kind == kind]
        codes, types = NAMES[rows[0].fault]
        hits = sum(any(row.path in ours[code] for code in codes) for row in rows)
        line = f"{kind:24} {len(rows):3} {'|'.join(codes):24} {wilson(hits, len(rows)):24}"
        if theirs is not None:
            seen = sum(any(row.path in theirs.get(name, ()) for name in types) for row in rows)
            line += f" {wilson(seen, len(rows)) if types else 'no such check':24}"
        demanded = kind in DEMANDED
        print(line + ("" if demanded else " (for information)"))
        if demanded and hits < 0.9 * len(rows):
            failed.append(f"{kind}: {hits} of {len(rows)} found")
    return failed


def print_alarms(title: str, paths: set[str], found: dict[str, set[str]]) -> list[str]:
    """The table of false alarms; gives the checks with more than 2 %."""
    print(f"\n{title}: {len(paths)} untouched photos\n{'check':24} {'alarms':>6}  rate")
    failed = []
    for code, targets in found.items():
        alarms = len(targets & paths)
        print(f"{code:24} {alarms:6}  {wilson(alarms, len(paths))}")
        if alarms > 0.02 * len(paths):
            failed.append(f"{code}: {alarms} alarms on {len(paths)} untouched photos")
    return failed


def measured(root: Path) -> Dataset:
    """The files under `root`, measured without the cache."""
    return measure(dataprep.scan(root), options=dataprep.PassOptions(cache=False))


def score_quality(folder: Path, cleanvision: str) -> list[str]:
    """Both tables of the planted faults; gives what misses the demands."""
    truth = read_truth(folder)
    dataset = measured(folder / "images")
    failed: list[str] = []
    for title, part in zip(("CALIBRATION HALF", "SCORING HALF"), halves(truth), strict=True):
        print(f"\n=== {title}: {len(part)} files ===")
        names = {row.path for row in part}
        ours = claims_of(
            dataset.where(np.isin(dataset.samples.index.to_numpy(dtype=object), list(names)))
        )
        whole = [row.path for row in part if row.fault != "broken"]
        theirs = run_cleanvision(cleanvision, folder / "images", whole) if cleanvision else None
        untouched = {row.path for row in part if row.fault == "none"}
        missed = print_recall(part, ours, theirs)
        missed += print_alarms("False alarms", untouched, ours)
        if theirs is not None:
            print_alarms("False alarms of cleanvision", untouched, theirs)
        failed += [f"{title.lower()}: {line}" for line in missed]
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument(
        "--cleanvision-python",
        default="",
        help="interpreter with cleanvision 0.3.7, to run it beside",
    )
    given = parser.parse_args()
    failed = score_quality(given.data / "quality", given.cleanvision_python)
    if (given.data / "photos").is_dir():
        dataset = measured(given.data / "photos" / "images")
        print("\n=== PHOTOS, nobody's faults planted ===")
        failed += print_alarms("Alarms", set(dataset.samples.index), claims_of(dataset))
    print("\n" + ("\n".join(["Demands missed:", *failed]) if failed else "All demands met."))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
