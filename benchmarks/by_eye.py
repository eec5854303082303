"""True by eye: what an audit lists on data as people have it, looked at picture by picture and
sentence by sentence.

    python benchmarks/by_eye.py sheets AUDIT --sheets DIR [--images ROOT] [--set NAME]
                                       [--check CODE] [--most 20] [--verdicts CSV]
    python benchmarks/by_eye.py table CSV [CSV ...]
    python benchmarks/by_eye.py again AUDIT CSV [CSV ...] [--set NAME]

AUDIT is the folder that ``dataprep audit --out`` was given.

sheets: of each check of the families quality, content and shortcuts (or of each ``--check``), the
first claims of the report (worst severity first, then surest): contact sheets as PNG, to judge by,
and ``SET.csv`` with the verdicts to fill in. Warnings and errors, what is worth knowing, and facts
(what is told under "Your data") are taken apart. Claims without pictures (about a class, a slice,
the data set) are lines of the CSV alone, unless their evidence names images. ``--verdicts``: claims
that were judged before are filled in and not drawn again; so are those of a ``SET.csv`` that is
there already. table: per check and set what was listed, looked at, right, arguable and wrong; and
which checks fall below 0.7 right. again: a new audit held against the verdicts: which claims that
were right it still lists, which wrong ones are gone.

The verdict file, ``benchmarks/judged/by_eye.csv``, has one row for each claim that was looked at:

- ``set``; ``kept_out`` (yes: no threshold or rule was chosen on this set); ``check``; ``severity``
  of the claim
- ``listed``: claims of this check and kind in this set; ``rank`` of this one among them, from 1
- ``sample``: the image, class or slice; "A & B" for a pair; empty for the data set. ``figure``;
  ``message``: the sentence judged
- ``verdict``: "right" (true, and one would want to know), "arguable" (true in a sense, or of little
  use), "wrong" (false, or absurd); empty: not looked at. ``reason`` in a few words; ``judged_on``:
  the day
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps

FAMILIES = ("quality", "content", "shortcuts")
#: Sets that no threshold or rule was chosen on.
KEPT_OUT = (
    "tiles",
    "signs",
    "fashion",
    "cifar10h",
    "emoji",
    "sprites",
    "strokes",
    "digits20",
    "lessons",
    "nebulae",
    "manual",
    "robot",
)
VERDICTS = ("right", "arguable", "wrong")
COLUMNS = (
    "set",
    "kept_out",
    "check",
    "severity",
    "listed",
    "rank",
    "sample",
    "figure",
    "message",
    "verdict",
    "reason",
    "judged_on",
)
#: The demand: of a check that lists `MANY` or more in a set, this share of those looked at is
#: right, or it is no more than info.
DEMAND, MANY = 0.7, 10
#: Pixels of a picture on a sheet, of the images below it that the evidence names, and of the words.
TILE, SMALL, WORDS = 280, 66, 92


@dataclass(frozen=True)
class Audit:
    """A written audit: the claims as strings, the family of each check, and the folder of the
    images.
    """

    claims: pd.DataFrame
    families: dict[str, str]
    root: Path

    @classmethod
    def read(cls, folder: Path) -> Audit:
        home = folder if (folder / "issues.csv").exists() else folder / "audit"
        report = json.loads((home / "report.json").read_text(encoding="utf-8"))
        claims = pd.read_csv(home / "issues.csv", dtype="str", keep_default_na=False)
        families = {check["code"]: check["family"] for check in report["checks"]}
        return cls(claims, families, Path(report["dataset"]["root"]))

    @property
    def name(self) -> str:
        return self.root.parent.name if self.root.name == "images" else self.root.name


def sample_of(claim: Any) -> str:
    """What the claim is about, as in the column ``sample``."""
    return (
        f"{claim.target} & {claim.related}"
        if claim.scope == "pair" and claim.related
        else str(claim.target)
    )


def key_of(check: str, sample: str, message: str) -> tuple[str, ...]:
    """What tells a claim from others of its set, whatever its figures: the images of a pair in any
    order.

    Sentences about a class or slice, of which there may be several, are told apart by their first
    clause, numbers blanked.
    """
    if " & " in sample:
        return (check, *sorted(sample.split(" & ")))
    if re.search(r"\.\w{2,5}$", sample) and not sample.startswith("images like"):
        return check, sample
    clause = re.split(r"[;:(]", message)[0]
    return check, sample, re.sub(r"\d[\d.,]*", "#", clause).strip()


def kinds(severity: pd.Series[str]) -> pd.Series[str]:
    """What is judged apart: claims to act on (warnings and errors), what is worth knowing, and
    facts.
    """
    return severity.where(severity.isin(["info", "fact"]), "issue")


def taken(audit: Audit, name: str, checks: Sequence[str], most: int) -> pd.DataFrame:
    """The claims to look at, with `COLUMNS` and the row in `audit.claims` as index."""
    wanted = [
        check
        for check, family in audit.families.items()
        if (check in checks if checks else family in FAMILIES)
    ]
    rows = []
    for check in wanted:
        claims = audit.claims[audit.claims["check"] == check]
        for _, part in claims.groupby(kinds(claims["severity"])):
            for rank, claim in enumerate(part.head(most).itertuples(), 1):
                rows.append(
                    {
                        "row": claim.Index,
                        "set": name,
                        "kept_out": "yes" if name in KEPT_OUT else "no",
                        "check": check,
                        "severity": claim.severity,
                        "listed": len(part),
                        "rank": rank,
                        "sample": sample_of(claim),
                        "figure": claim.figure,
                        "message": claim.message,
                    }
                )
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.DataFrame(rows).set_index("row")
    return table.assign(**dict.fromkeys(("verdict", "reason", "judged_on"), ""))[list(COLUMNS)]


def verdicts(paths: Iterable[Path]) -> pd.DataFrame:
    """Judged claims of several files; columns that a file lacks are filled. Of claims judged
    twice, the last verdict holds.
    """
    tables = [pd.read_csv(path, dtype="str", keep_default_na=False) for path in paths]
    table = pd.concat(
        [each.reindex(columns=list(COLUMNS), fill_value="") for each in tables], ignore_index=True
    )
    table["verdict"] = table["verdict"].str.strip().str.lower()
    unknown = set(table["verdict"]) - {*VERDICTS, ""}
    if unknown:
        raise SystemExit(
            f"a verdict is one of {', '.join(VERDICTS)} or empty; got {sorted(unknown)}"
        )
    lacking = table["kept_out"] == ""
    table.loc[lacking, "kept_out"] = np.where(table["set"][lacking].isin(KEPT_OUT), "yes", "no")
    table["key"] = keys(table)
    table = table[table["verdict"] != ""]
    return table[~table.duplicated(["set", "key"], keep="last")].reset_index(drop=True)


def keys(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return [
        key_of(*each)
        for each in zip(table["check"], table["sample"], table["message"], strict=True)
    ]


def filled(table: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """The table with the verdicts of claims that were judged before."""
    known = {(row.set, row.key): row for row in judged.itertuples()}
    table = table.copy()
    for row, key in zip(table.index, keys(table), strict=True):
        before = known.get((table.at[row, "set"], key))
        if before is not None:
            table.loc[row, ["verdict", "reason", "judged_on"]] = [
                before.verdict,
                before.reason,
                before.judged_on,
            ]
    return table


# ---- sheets


def opened(path: Path, draft: int = 0) -> Image.Image | str:
    """The image upright, on white where it is transparent; or why it cannot be shown."""
    try:
        with Image.open(path) as image:
            if draft:
                image.draft("RGB", (draft, draft))
            shown = ImageOps.exif_transpose(image)
            shown = (
                shown.convert("RGBA")
                if shown.mode in ("LA", "PA", "P", "RGBA")
                else shown.convert("RGB")
            )
    except Exception as error:  # whatever the reason, the sheet says it
        return str(error)
    if shown.mode == "RGBA":
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    return shown


def picture(path: Path, size: int) -> Image.Image:
    """The image in a square of `size` pixels, pink around it so that its own margins are told from
    it.

    Small ones are enlarged by a whole number, so that every pixel is seen.
    """
    page, shown = Image.new("RGB", (size, size), "#f0bfe2"), opened(path, 2 * size)
    if isinstance(shown, str):
        ImageDraw.Draw(page).text((6, 6), f"cannot be shown: {shown}"[:44], fill="red")
        return page
    if max(shown.size) * 2 <= size:
        factor = size // max(shown.size)
        shown = shown.resize(
            (shown.width * factor, shown.height * factor), Image.Resampling.NEAREST
        )
    else:
        shown.thumbnail((size, size), Image.Resampling.LANCZOS)
    page.paste(shown, ((size - shown.width) // 2, (size - shown.height) // 2))
    return page


def detail(path: Path, width: int, height: int) -> Image.Image | None:
    """A part of the image as large as its pixels, where it has most contrast; None of images not
    much larger than a tile.
    """
    shown = opened(path)
    if isinstance(shown, str) or min(shown.size) < 1.5 * width:
        return None
    luma = np.asarray(shown.convert("L"), dtype=np.float32)
    places = [
        (top, left)
        for top in np.linspace(0, shown.height - height, 12).astype(int).tolist()
        for left in np.linspace(0, shown.width - width, 8).astype(int).tolist()
    ]
    top, left = max(
        places, key=lambda at: float(luma[at[0] : at[0] + height, at[1] : at[1] + width].std())
    )
    return shown.crop((left, top, left + width, top + height))


def beside(evidence: str, root: Path, most: int = 4) -> list[Path]:
    """Images that the evidence of a claim names, such as the neighbours it was judged by."""
    values = json.loads(evidence).values() if evidence else ()
    names = [
        name
        for value in values
        if isinstance(value, list)
        for name in value
        if isinstance(name, str)
    ]
    return [root / name for name in names if name and (root / name).is_file()][:most]


def short(figure: str) -> str:
    return f"{float(figure):.3g}" if figure else ""


def tile(claim: Any, rank: int, root: Path) -> Image.Image | None:
    """One claim on a sheet, None where there is no picture: its images and what is said.

    Between the two: small, the images that its evidence names, else a part of each large image as
    large as its pixels.
    """
    names = [claim.target, claim.related] if claim.scope == "pair" else [claim.target]
    files = [root / name for name in names if name and (root / name).is_file()]
    others = beside(claim.evidence, root)
    if not files and not others:
        return None
    if not files:
        files, others = others[:2], others[2:]
    closer = [] if others else [detail(file, TILE, SMALL) for file in files]
    font = ImageFont.load_default(size=12)
    page = Image.new("RGB", (len(files) * (TILE + 6) + 6, TILE + SMALL + WORDS), "white")
    for place, file in enumerate(files):
        page.paste(picture(file, TILE), (place * (TILE + 6), 0))
    for place, file in enumerate(others):
        page.paste(picture(file, SMALL), (place * (SMALL + 4), TILE + 3))
    for place, part in enumerate(closer):
        if part is not None:
            page.paste(part, (place * (TILE + 6), TILE + 3))
    strip = bool(others) or any(part is not None for part in closer)
    said = f"{rank}. {short(claim.figure)}  {claim.target[-32:]}\n"
    said += "\n".join(textwrap.wrap(claim.message, 44 * len(files), max_lines=4))
    ImageDraw.Draw(page).text((2, TILE + SMALL * strip + 6), said, fill="black", font=font)
    return page if strip else page.crop((0, 0, page.width, TILE + WORDS))


def write_sheets(
    audit: Audit, table: pd.DataFrame, root: Path, folder: Path, width: int = 1180, down: int = 3
) -> None:
    """Contact sheets of the claims without a verdict: up to three rows each, so that they are
    looked at in full size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = table[table["verdict"] == ""]
    for (check, kind), part in table.groupby(["check", kinds(table["severity"])], sort=False):
        tiles = [tile(audit.claims.loc[row], rank, root) for row, rank in part["rank"].items()]
        drawn = [each for each in tiles if each is not None]
        if not drawn:
            continue
        broad, high = max(each.width for each in drawn), max(each.height for each in drawn)
        across = max(1, width // broad)
        for number in range(0, len(drawn), down * across):
            here = drawn[number : number + down * across]
            page = Image.new(
                "RGB", (min(across, len(here)) * broad, -(-len(here) // across) * high), "white"
            )
            for place, each in enumerate(here):
                page.paste(each, (place % across * broad, place // across * high))
            last = number // (down * across) + 1
            page.save(
                folder
                / f"{part['set'].iloc[0]}-{check}{'' if kind == 'issue' else f'-{kind}'}-{last}.png"
            )


# ---- table


def counted(judged: pd.DataFrame) -> pd.DataFrame:
    """One row per check and set, facts apart: listed, looked at, and how many of these were
    right, arguable, wrong.
    """
    judged = judged.assign(
        kind=kinds(judged["severity"]), listed=pd.to_numeric(judged["listed"], errors="coerce")
    )
    groups = judged.groupby(["check", "kind", "set"], sort=True)
    table = groups.agg(
        severity=("severity", lambda each: "/".join(sorted(set(each) - {""}))),
        kept_out=("kept_out", "first"),
        listed=("listed", "max"),
        looked=("verdict", "size"),
    )
    for verdict in VERDICTS:
        table[verdict] = groups["verdict"].agg(
            lambda each, verdict=verdict: int((each == verdict).sum())
        )
    table["share"] = table["right"] / table["looked"]
    many = table["listed"].fillna(table["looked"]) >= MANY
    table["below"] = (
        many & (table.index.get_level_values("kind") == "issue") & (table["share"] < DEMAND)
    )
    return table.reset_index()


def show(table: pd.DataFrame) -> None:
    """The table, the sum of each half of the sets, and what misses the demand."""
    print(
        f"{'check':<24}{'set':<14}{'severity':<14}{'listed':>7}{'looked':>7}{'right':>7}{'arguable':>9}{'wrong':>7}{'share':>7}"
    )
    for row in table.itertuples():
        name = f"{row.check}{'' if row.kind == 'issue' else f' ({row.kind})'}"
        listed = "?" if pd.isna(row.listed) else f"{int(row.listed):,}"
        print(
            f"{name:<24}{row.set + (' *' if row.kept_out == 'yes' else ''):<14}{row.severity:<14}{listed:>7}{row.looked:>7}"
            f"{row.right:>7}{row.arguable:>9}{row.wrong:>7}{row.share:>7.2f}{'  below' if row.below else ''}"
        )
    print("\n* kept out of every choice")
    for half, part in table.groupby("kept_out"):
        name, looked = "kept out" if half == "yes" else "chosen on", part["looked"].sum()
        print(
            f"{name}: {part['set'].nunique()} sets, {looked} claims looked at, right "
            f"{part['right'].sum() / looked:.2f}, "
            f"arguable {part['arguable'].sum() / looked:.2f}, wrong "
            f"{part['wrong'].sum() / looked:.2f}"
        )
    below = [
        f"{row.check} on {row.set} ({row.share:.2f})" for row in table[table["below"]].itertuples()
    ]
    print(
        f"{MANY} and more listed, warning or error, and right below {DEMAND}: "
        f"{', '.join(below) or 'none'}"
    )


# ---- again


def compared(claims: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """One row per check: what became of the judged claims in the new audit, and how many of its
    claims were never judged.
    """
    claims = claims.assign(sample=[sample_of(claim) for claim in claims.itertuples()])
    severity = dict(zip(keys(claims), claims["severity"], strict=True))
    judged = judged.assign(now=[severity.get(key, "") for key in judged["key"]])
    known, rows = set(judged["key"]), []
    for check, part in judged.groupby("check"):
        issue = ~part["now"].isin(["", "fact"])
        row: dict[str, object] = {"check": check}
        for verdict in VERDICTS:
            of = part["verdict"] == verdict
            row[f"{verdict}_kept"], row[f"{verdict}_gone"] = (
                int((of & issue).sum()),
                int((of & (part["now"] == "")).sum()),
            )
        mine = claims[(claims["check"] == check) & (claims["severity"] != "fact")]
        row["now_facts"], row["listed"] = int((part["now"] == "fact").sum()), len(mine)
        row["never_judged"] = sum(key not in known for key in keys(mine))
        row["lost"] = part.loc[(part["verdict"] == "right") & ~issue, "sample"].tolist()
        row["still"] = part.loc[(part["verdict"] == "wrong") & issue, "sample"].tolist()
        rows.append(row)
    return pd.DataFrame(rows)


def show_again(table: pd.DataFrame, most: int) -> None:
    print(
        f"{'check':<24}{'right':>13}{'arguable':>13}{'wrong':>13}{'now facts':>11}{'listed':>8}{'never judged':>14}\n{'':<24}"
        + f"{'kept / gone':>13}" * 3
    )
    for row in table.to_dict("records"):
        moves = "".join(
            f"{row[f'{verdict}_kept']:>7} /{row[f'{verdict}_gone']:>4}" for verdict in VERDICTS
        )
        print(
            f"{row['check']:<24}{moves}{row['now_facts']:>11}{row['listed']:>8}{row['never_judged']:>14}"
        )
    for row in table.to_dict("records"):
        for said, key in (
            ("right, and no longer an issue", "lost"),
            ("wrong, and still listed", "still"),
        ):
            for sample in row[key][:most]:
                print(f"    {row['check']}: {said}: {sample}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    sheets = parts.add_parser("sheets", help="contact sheets, and a CSV to fill in")
    sheets.add_argument("audit", type=Path)
    sheets.add_argument(
        "--images", type=Path, help="folder of the images (default: as the audit says)"
    )
    sheets.add_argument("--sheets", type=Path, required=True, help="folder to write to")
    sheets.add_argument("--set", help="name of the set (default: of its folder)")
    sheets.add_argument(
        "--check", action="append", default=[], help="this check alone; may be repeated"
    )
    sheets.add_argument("--most", type=int, default=20, help="claims of each check (default: 20)")
    sheets.add_argument(
        "--verdicts", type=Path, nargs="*", default=[], help="files of verdicts given before"
    )
    table = parts.add_parser("table", help="listed, right, arguable and wrong per check and set")
    table.add_argument("verdicts", type=Path, nargs="+")
    again = parts.add_parser("again", help="a new audit held against the verdicts")
    again.add_argument("audit", type=Path)
    again.add_argument("verdicts", type=Path, nargs="+")
    again.add_argument("--set", help="name of the set (default: of its folder)")
    again.add_argument(
        "--names", type=int, default=20, help="samples named for each check (default: 20)"
    )
    options = parser.parse_args()
    if options.part == "table":
        show(counted(verdicts(options.verdicts)))
        return
    audit = Audit.read(options.audit)
    name = options.set or audit.name
    if options.part == "again":
        judged = verdicts(options.verdicts)
        judged = judged[judged["set"] == name]
        if judged.empty:
            raise SystemExit(
                f"no verdicts on {name!r}; there are some on "
                f"{sorted(set(verdicts(options.verdicts)['set']))}"
            )
        show_again(compared(audit.claims, judged), options.names)
        return
    chosen, target = taken(audit, name, options.check, options.most), options.sheets / f"{name}.csv"
    before = [*options.verdicts, *([target] if target.exists() else [])]
    if before:
        chosen = filled(chosen, verdicts(before))
    write_sheets(audit, chosen, options.images or audit.root, options.sheets)
    if target.exists() and options.check:
        others = pd.read_csv(target, dtype="str", keep_default_na=False)
        chosen = pd.concat(
            [others[~others["check"].isin(options.check)], chosen], ignore_index=True
        )
    chosen.to_csv(target, index=False)
    print(
        f"{name}: {len(chosen)} claims of {chosen['check'].nunique()} checks, "
        f"{(chosen['verdict'] == '').sum()} to judge"
    )


if __name__ == "__main__":
    main()
