"""What `dataprep clean` would do to data as people have them, and to copies and broken files
planted there.

    python benchmarks/cleaning.py [--data ../shared/data] [--audits DIR] [--sets digits,fashion]
    [--relabel] [--drop CHECK]

natural: each set of DATA/natural is audited (or read from DIR/NAME/audit) and its default plan
counted by action and check; with --relabel and --drop also the plan with these, for comparison.
Every drop of the default plan is held against the files: the sample gives no pixels, or another one
that stays has its label and the same bytes or pixels. Exit code 1 where one is neither.

planted: into each set 20 byte copies, 20 copies saved as PNG and 10 files cut off in the middle;
every fifth image is called test. Counted are planted copies of which one of the two is dropped, and
cut files that are; those in test are left.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import dataprep
from dataprep.cleaning import read_audit
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.plan import Plan

PLANTED = {"copy": 20, "png": 20, "cut": 10}
SUFFIXES = (".jpg", ".jpeg", ".png")


def folders(natural: Path) -> dict[str, Path]:
    """Name of each set to its images."""
    places = sorted(place for place in natural.iterdir() if place.is_dir())
    return {
        place.name: place / "images" if (place / "images").is_dir() else place for place in places
    }


def audit_of(name: str, images: Path, audits: Path | None) -> Audit:
    folder = audits / name / "audit" if audits else None
    if folder and folder.exists():
        return read_audit(folder)
    found = dataprep.audit(str(images))
    if folder:
        dataprep.report(found, folder, thumbnails=False)
    return found


def counted(plan: Plan, action: str) -> str:
    """The samples with this action, and the checks that decided; a sample may have several."""
    rows = plan.table[plan.table["action"] == action]
    checks = Counter(code for source in rows["source"] for code in source.split(",") if code)
    return f"{len(rows):,}" + (
        f" ({', '.join(f'{code} {count:,}' for code, count in checks.most_common(4))})"
        if len(rows)
        else ""
    )


def content(path: str) -> tuple[bytes, bytes]:
    """The bytes of a file, and its pixels with their shape and mode; the latter empty where it
    gives none.
    """
    data = Path(path).read_bytes()
    try:
        with Image.open(path) as image:
            return data, f"{image.mode}{image.size}".encode() + image.tobytes()
    except (OSError, SyntaxError, ValueError):
        return data, b""


def harmful(plan: Plan, dataset: Dataset) -> list[str]:
    """Drops and relabels that are no exact copy of a sample that stays under the same label, and
    no unreadable file.
    """
    samples = dataset.samples
    dropped = set(plan.table.loc[plan.table["action"] == "drop", "sample"])
    wrong = list(plan.table.loc[plan.table["action"] == "relabel", "sample"])
    for sample in sorted(dropped):
        if "lost" in samples and str(samples["lost"].get(sample, "")) not in ("", "nan", "None"):
            continue
        same = samples["label"].astype("str") == str(samples["label"][sample])
        for column in ("file_hash", "pixel_hash"):
            same_content = samples[column].astype("str") == str(samples[column][sample])
            others = [other for other in samples.index[same & same_content] if other not in dropped]
            if any(
                set(content(dataset.path(other))) & set(content(dataset.path(sample))) - {b""}
                for other in others
            ):
                break
        else:
            wrong.append(sample)
    return wrong


def natural(sets: dict[str, Path], given: argparse.Namespace) -> bool:
    """A row for each set and plan; whether every default plan was harmless."""
    print(
        "| set | images | plan | dropped | relabelled | left to review |\n|---|---|---|---|---|---|"
    )
    harmless = True
    for name, images in sets.items():
        audit = audit_of(name, images, given.audits)
        plans = {"default": dataprep.clean(audit)}
        if given.relabel:
            plans["--relabel"] = dataprep.clean(audit, relabel=True)
        if given.drop:
            plans["--drop " + " --drop ".join(given.drop)] = dataprep.clean(audit, drop=given.drop)
        for title, plan in plans.items():
            cells = " | ".join(counted(plan, action) for action in ("drop", "relabel", "review"))
            print(f"| {name} | {len(audit.dataset):,} | {title} | {cells} |", flush=True)
        wrong = harmful(plans["default"], audit.dataset)
        harmless &= not wrong
        for sample in wrong:
            print(f"{name}: {sample} is neither an exact copy nor unreadable", file=sys.stderr)
    return harmless


def plant(images: Path, folder: Path, seed: int = 0) -> pd.DataFrame:
    """A copy of the set in `folder` with faults planted; ``kind`` and ``original`` of each
    planted file, by its name.
    """
    shutil.copytree(images, folder)
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
    )
    chosen = np.random.default_rng(seed).choice(names, sum(PLANTED.values()), replace=False)
    rows = []
    for kind, original in zip(
        np.repeat(list(PLANTED), list(PLANTED.values())), chosen, strict=True
    ):
        source = folder / original
        target = source.with_name(
            f"planted-{source.stem}{'.png' if kind == 'png' else source.suffix}"
        )
        if kind == "copy":
            shutil.copy(source, target)
        elif kind == "png":
            with Image.open(source) as image:
                image.save(target, optimize=True, compress_level=9)
        else:
            data = source.read_bytes()
            target.write_bytes(data[: len(data) // 2])
        rows.append((target.relative_to(folder).as_posix(), str(kind), str(original)))
    return pd.DataFrame(rows, columns=["name", "kind", "original"]).set_index("name")


def planted(name: str, images: Path) -> None:
    """A row of what the default plan does with planted faults, a fifth of the images being test."""
    with tempfile.TemporaryDirectory() as scratch:
        truth = plant(images, Path(scratch) / "images")
        dataset = dataprep.scan(f"{scratch}/images")
        parts = np.where(np.arange(len(dataset)) % 5 == 0, "test", "train")
        audit = dataprep.audit(dataset.assign(split=parts), only=("unreadable", "exact-duplicate"))
        plan = dataprep.clean(audit)
        asked = dataprep.clean(audit, test=True)
    part = audit.dataset.samples["split"].astype("str")
    cells = []
    for kind in PLANTED:
        rows = truth[truth["kind"] == kind]
        gone = [_gone(plan, row) for row in rows.itertuples()]
        with_test = [_gone(asked, row) for row in rows.itertuples()]
        cells.append(f"{sum(gone)} ({sum(with_test)} with --test) of {len(rows)}")
    dropped = plan.table.loc[plan.table["action"] == "drop", "sample"]
    in_test = int((part.reindex(dropped) == "test").sum())
    others = set(dropped) - set(truth.index) - set(truth["original"])
    print(
        f"| {name} | {' | '.join(cells)} | {in_test} | {len(others)} | {plan.left_in_test} |",
        flush=True,
    )


def _gone(plan: Plan, row: object) -> bool:
    dropped = set(plan.table.loc[plan.table["action"] == "drop", "sample"])
    names = {row.Index} if row.kind == "cut" else {row.Index, row.original}  # type: ignore[attr-defined]
    return bool(names & dropped)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).parent.parent.parent / "shared" / "data"
    )
    parser.add_argument(
        "--audits",
        type=Path,
        help="folder of audits, NAME/audit; made there where they are missing",
    )
    parser.add_argument(
        "--sets", default="", help="names of sets, separated by commas; default: all"
    )
    parser.add_argument("--relabel", action="store_true")
    parser.add_argument("--drop", action="append", default=[], help="a check; may be repeated")
    given = parser.parse_args()
    sets = folders(given.data / "natural")
    sets = {name: sets[name] for name in given.sets.split(",")} if given.sets else sets
    harmless = natural(sets, given)
    print(
        "\n| planted into | byte copies | copies as PNG | cut off | dropped in test | others "
        "dropped | left in test |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, images in sets.items():
        planted(name, images)
    sys.exit(0 if harmless else 1)


if __name__ == "__main__":
    main()
