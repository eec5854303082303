"""Mutated manifests: Parquet, CSV, TSV, JSON lines and JSON, damaged at random; each is read or
refused in one line.

    python benchmarks/fuzz_manifests.py [--count 500] [--seed 0]

Twelve files and a manifest of each kind are written, the manifest is damaged by one to four
changes, and `dataprep.scan` reads it with the folder. It must give a data set in which every file
is a sample or is named by a fault, or raise an error that is meant for people, in at most 10
seconds and 1 GB. Exits with 1 where one does not.
"""

from __future__ import annotations

import argparse
import datetime
import io
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dataprep
from dataprep.errors import UserError

_FILES = 12
_MOST_SECONDS, _MOST_BYTES = 10.0, 1 << 30
_TOKENS = (
    b'"',
    b"'",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\t",
    b";",
    b"|",
    b"[" * 5000,
    b"{" * 5000,
    b"}",
    b"]",
    b"\\ud800",
    b"\\u0000",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x80",
    "ä猫".encode(),
    "猫".encode("gbk"),
    b"nan",
    b"null",
    b"1e999",
    b"9" * 5000,
    b"-",
    b"true",
    b"a" * 30_000,
    b"../",
    b"/etc/passwd",
    b"C:\\x",
    b"http://x/",
    b"~",
    b"#",
    b"sep=;\n",
    b'""""',
    b"PAR1",
    b"{}",
    b"[]",
    b" ",
    b"=cmd()",
    b"\x1b[31m",
)


def originals() -> dict[str, bytes]:
    """Name of a manifest to its bytes: the same rows in every format, with columns of many
    types.
    """
    rows = [
        {
            "path": f"images/{number}.jpg",
            "label": ("cat", "dog", "bird")[number % 3],
            "split": ("train", "test")[number % 2],
            "patient": f"{number // 2:03d}",
            "age": number,
            "weight": number / 3,
            "ok": number % 2 == 0,
            "tags": ["a", str(number)],
        }
        for number in range(_FILES)
    ]
    flat = [{name: value for name, value in row.items() if name != "tags"} for row in rows]
    header = list(flat[0])
    moment = datetime.datetime(2024, 5, 1, 12, 30)
    extra = {
        "when": pa.array(
            [moment + datetime.timedelta(days=n) for n in range(_FILES)], pa.timestamp("ns")
        ),
        "far": pa.array([2**62 // (n + 1) for n in range(_FILES)], pa.timestamp("us")),
        "day": pa.array([n * 1000 for n in range(_FILES)], pa.date32()),
        "price": pa.array([None, *map(str, range(1, _FILES))], pa.string()).cast(
            pa.decimal128(10, 2)
        ),
        "word": pa.array(["x", "y"] * (_FILES // 2)).dictionary_encode(),
        "box": pa.array([{"x": n, "y": [n]} for n in range(_FILES)]),
        "raw": pa.array([b"\xff\xfe"] * _FILES, pa.binary()),
        "half": pa.array(np.arange(_FILES, dtype=np.float16)),
        "nothing": pa.nulls(_FILES),
        "span": pa.array(list(range(_FILES)), pa.duration("us")),
    }
    table = pa.Table.from_pylist(rows)
    for name, values in extra.items():
        table = table.append_column(name, values)
    made = {}
    for name, options in (
        ("plain", {"compression": "none", "use_dictionary": False}),
        ("packed", {"compression": "zstd"}),
        ("snappy", {}),
    ):
        stream = io.BytesIO()
        pq.write_table(table, stream, **options)
        made[f"{name}.parquet"] = stream.getvalue()
    twice = pa.Table.from_arrays(
        [table["path"], table["label"], table["age"]], ["path", "label", "label"]
    )
    stream = io.BytesIO()
    pq.write_table(twice, stream)
    made["twice.parquet"] = stream.getvalue()
    for name, separator, encoding in (
        ("a.csv", ",", "utf-8"),
        ("b.csv", ";", "utf-16"),
        ("c.csv", ",", "gbk"),
        ("d.tsv", "\t", "utf-8"),
    ):
        lines = [
            separator.join(header),
            *(separator.join(str(value) for value in row.values()) for row in flat),
        ]
        text = "\n".join(lines) + "\n"
        made[name] = (text.replace("cat", "猫") if encoding == "gbk" else text).encode(encoding)
    made["e.txt"] = "".join(
        f"{row['path']} {number % 3}\n" for number, row in enumerate(rows)
    ).encode()
    made["f.jsonl"] = "".join(json.dumps(row) + "\n" for row in rows).encode()
    made["g.json"] = json.dumps(rows).encode()
    made["h.json"] = json.dumps({name: [row[name] for row in rows] for name in header}).encode()
    made["i.json"] = json.dumps({row["path"]: row["label"] for row in rows}).encode()
    return made


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """A damaged copy, by one to four changes, many of them near the ends, where formats keep
    what they need.
    """
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        if not changed:
            break
        where = random.random()
        place = int(random.integers(len(changed)))
        if where < 0.25:
            place = min(place, 100)
        elif where < 0.6:
            place = max(len(changed) - 1 - place % 2000, 0)
        match int(random.integers(8)):
            case 0:
                changed[place] ^= 1 << int(random.integers(8))
            case 1:
                changed[place] = int(random.integers(256))
            case 2:
                del changed[place:]
            case 3:
                del changed[place : place + int(random.integers(1, 64))]
            case 4:
                changed[place:place] = random.integers(
                    0, 256, int(random.integers(1, 64)), dtype=np.uint8
                ).tobytes()
            case 5:
                changed[place:place] = changed[place : place + int(random.integers(1, 400))] * int(
                    random.integers(1, 40)
                )
            case 6:
                changed[place : place + 4] = b"\xff\xff\xff\x7f"
            case _:
                changed[place:place] = _TOKENS[int(random.integers(len(_TOKENS)))]
    return bytes(changed)


def fate_of(folder: Path, name: str) -> tuple[str, str]:
    """(fate, detail) of the manifest `name` in `folder`: "read", "refused", or what is wrong."""
    since = time.perf_counter()
    try:
        dataset = dataprep.scan(folder, manifest=folder / name)
    except UserError as error:
        if time.perf_counter() - since > _MOST_SECONDS:
            return "slow", f"{time.perf_counter() - since:.1f} s"
        return (
            ("refused", str(error))
            if len(str(error).splitlines()) == 1 and len(str(error)) < 4000
            else ("long message", str(error))
        )
    except Exception as error:  # that is what is looked for
        return "traceback", f"{type(error).__name__}: {error}"[:300]
    if time.perf_counter() - since > _MOST_SECONDS:
        return "slow", f"{time.perf_counter() - since:.1f} s"
    named = set(dataset.samples.index) | set(dataset.faults["target"])
    malformed = (dataset.faults["check"] == "malformed-row").any()
    lost = [
        f"images/{number}.jpg" for number in range(_FILES) if f"images/{number}.jpg" not in named
    ]
    return ("lost", ", ".join(lost)) if lost and not malformed else ("read", "")


def fuzz(count: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """How many manifests had each fate, and the wrong ones in words."""
    random, found = np.random.default_rng(seed), originals()
    (folder / "images").mkdir()
    for number in range(_FILES):
        (folder / "images" / f"{number}.jpg").write_bytes(b"not opened by scan")
    counts: Counter[str] = Counter()
    wrong = []
    names = list(found)
    for number in range(count):
        name = names[number % len(names)]
        place = f"m{number}-{name}"
        data = found[name] if number < len(names) else mutated(found[name], random)
        (folder / place).write_bytes(data)
        fate, detail = fate_of(folder, place)
        counts[fate] += 1
        if fate not in ("read", "refused") or (number < len(names) and fate != "read"):
            wrong.append(f"{place}: {fate}: {detail}")
        else:
            (folder / place).unlink()
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    since = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        counts, wrong = fuzz(given.count, given.seed, Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(", ".join(f"{fate} {number:,}" for fate, number in counts.most_common()))
    print(f"{time.perf_counter() - since:.0f} s, peak {peak >> 20} MB")
    if peak > _MOST_BYTES:
        wrong.append(f"memory: {peak >> 20} MB")
    print("\n".join(wrong[:40]) or "No traceback, no lost file")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
