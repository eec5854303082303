"""Stage files damaged at random, from a seed, and the commands that read them, run in this process.

`benchmarks/fuzz_stages.py` runs hundreds of these cases, `tests/cli/test_stage_faults.py` a few.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from dataprep.cli import main
from tests.conftest import save, textured

#: A stage file, and the command that reads it; OUT is the folder of results.
TARGETS: tuple[tuple[str, str], ...] = (
    ("out/audit/run.json", "clean -q"),
    ("out/audit/run.json", "split -q"),
    ("out/audit/samples.parquet", "clean -q"),
    ("out/audit/samples.parquet", "split -q"),
    ("out/audit/issues.csv", "clean -q --relabel"),
    ("out/audit/report.json", "audit images --no-embedding --jobs 1 -q --known earlier"),
    ("out/clean/plan.csv", "clean --apply -q"),
    ("out/clean/plan.json", "clean --apply -q"),
    ("out/clean/applied.json", "clean --undo -q"),
    ("out/clean/applied.json", "split -q"),
    ("out/split/run.json", "normalise --jobs 1 -q"),
    ("out/split/proof.json", "normalise --jobs 1 -q"),
    ("out/split/proof.json", "split --extend -q"),
    ("out/split/samples.parquet", "normalise --jobs 1 -q"),
    ("out/split/splits.csv", "split --repair --from out/split/splits.csv -q"),
    ("policy.yaml", "augment --policy policy.yaml -q"),
    ("dataprep.toml", "audit images --jobs 1 -q"),
    ("ignore.csv", "audit images --no-embedding --jobs 1 -q --ignore ignore.csv"),
    ("probs.csv", "audit images --no-embedding --jobs 1 -q --probs probs.csv"),
    ("model.onnx", "predict images --model model.onnx --jobs 1 -q"),
)

_DEEP = 3000
_LONG = 200_000


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code, what it wrote to stderr and to stdout, seconds."""

    code: Any
    errors: str
    said: str
    seconds: float

    @property
    def fault(self) -> str:
        """What is wrong with that, "" for nothing: a file that cannot be used ends with one line
        and 2 or 3.
        """
        if "Traceback" in self.errors or "defect" in self.errors:
            return "traceback"
        if self.code not in (0, 1, 2, 3):
            return f"exit code {self.code}"
        if self.code in (2, 3) and "dataprep: " not in self.errors:
            return "no line that says why"
        return ""


def prepare(folder: Path) -> None:
    """A small data set in ``folder/images`` and every stage file below ``folder``."""
    for index in range(12):
        save(
            textured(index, 64, 48),
            folder / "images" / ("cat" if index % 2 else "dog") / f"{index:02d}.png",
        )
    (folder / "dataprep.toml").write_text(
        '[audit]\nfail_at = "never"\nseed = 3\nskip = ["gps-metadata"]\n[pass]\nembedder = ""\n'
        "time_limit_s = 30.0\n"
        "max_megapixels = 50.0\ncache = true\n[checks.dark]\nthreshold = 0.1\n"
    )
    for command in (
        "audit images --jobs 1 -q",
        "clean -q --min-confidence 0",
        "clean --apply -q",
        "split -q",
        "augment -q",
    ):
        done = run(command, folder)
        assert done.code == 0, (command, done.errors)
    shutil.copytree(folder / "out" / "audit", folder / "earlier")
    shutil.copy(folder / "out" / "augment" / "policy.yaml", folder / "policy.yaml")
    names = [f"{'cat' if index % 2 else 'dog'}/{index:02d}.png" for index in range(12)]
    rows = [f"{name},{0.2 + index / 20:g},{0.8 - index / 20:g}" for index, name in enumerate(names)]
    (folder / "probs.csv").write_text("\n".join(["sample,p:cat,p:dog", *rows]) + "\n")
    (folder / "ignore.csv").write_text(
        "check,id,target,related,note\ndark,0f3a51c09b2e7d44,cat/1.png,,fog\n"
    )
    (folder / "model.onnx").write_bytes(toy_model())


def toy_model() -> bytes:
    """An ONNX model as `train-baseline` exports it, of a mean and a matrix."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from dataprep.baselines.inference.model_card import ModelCard

    weights = numpy_helper.from_array(
        np.array([[0.01, 0.02], [0.02, -0.01], [-0.02, 0.01]], np.float32), "weights"
    )
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 32, 32, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    level = {"wished": 0.05, "threshold": 0.5, "bound": 0.04, "coverage": 0.5, "holds": True}
    facts = ModelCard(
        "multi-class", ("cat", "dog"), 32, "lite0", abstention=(level,), fingerprint="0" * 32
    )
    helper.set_model_props(model, facts.metadata())
    return bytes(onnx.ModelProto.SerializeToString(model))


def run(command: str, folder: Path) -> Outcome:
    """A command line in this process, in `folder`, with ``--out out``."""
    words = command.split()
    place = [] if words[0] == "predict" else ["--out", "out"]
    streams = {
        name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")
    }
    before, since, code = os.getcwd(), time.perf_counter(), None
    os.chdir(folder)
    try:
        with patch.multiple(sys, argv=["dataprep", *words, *place], **streams):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        os.chdir(before)
    said, errors = (_text_of(streams[name]) for name in ("stdout", "stderr"))
    return Outcome(code, errors, said, time.perf_counter() - since)


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return bytes(stream.buffer.getvalue()).decode("utf-8", "replace")  # type: ignore[attr-defined]


def damaged(name: str, data: bytes, seed: int) -> tuple[bytes, str]:
    """The content of the stage file `name` with one fault in it, drawn by `seed`, and what it
    is.
    """
    draw = random.Random(f"{name} {seed}")
    suffix = name.rpartition(".")[2]
    kinds: dict[str, Callable[[bytes, random.Random], tuple[bytes, str]]] = {
        "json": _json,
        "csv": _csv,
        "toml": _lines,
        "yaml": _lines,
        "parquet": _parquet,
        "onnx": _onnx,
    }
    return (_bytes if draw.random() < 0.3 else kinds[suffix])(data, draw)


def case(template: Path, work: Path, number: int) -> tuple[str, Outcome]:
    """The case `number`, tried on a copy of what `prepare` made: what it is, and what came of
    it.
    """
    name, command = TARGETS[number % len(TARGETS)]
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(template, work)
    place = work / (name.replace("out/audit", "earlier") if "--known" in command else name)
    content, what = damaged(name, place.read_bytes(), number)
    place.write_bytes(content)
    return f"{number}: {command} with {name}: {what}", run(command, work)


def _values(draw: random.Random) -> Any:
    return draw.choice(
        [
            None,
            True,
            False,
            -1,
            0,
            3,
            10**40,
            -(10**400),
            1.5,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "x",
            "-1",
            "x" * _LONG,
            "\x1b[31m",
            "\0",
            "/dev/zero",
            "\ud800",
            [],
            [None],
            [[]],
            [1, "a", {}],
            {},
            {"a": 1},
            {"": None},
            {"a": {"b": [1, {}]}},
        ]
    )


def _bytes(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """Faults that any file may have."""
    how = draw.choice(
        [
            "truncated",
            "empty",
            "flipped",
            "bom",
            "utf-16",
            "zeros",
            "noise",
            "doubled",
            "inserted",
            "latin-1",
        ]
    )
    place = draw.randrange(max(1, len(data)))
    if how == "flipped":
        flipped = bytearray(data)
        for _ in range(draw.choice([1, 4, 64])):
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        return bytes(flipped), how
    made = {
        "truncated": data[:place],
        "empty": b"",
        "bom": b"\xef\xbb\xbf" + data,
        "zeros": bytes(len(data)),
        "utf-16": data.decode("utf-8", "replace").encode("utf-16"),
        "noise": draw.randbytes(2000),
        "doubled": data + data,
        "inserted": data[:place]
        + draw.choice([b"\0", b"\xff\xfe", b'"', b"\x1b[31m", b"[" * 100_000])
        + data[place:],
        "latin-1": data.replace(b"a", b"\xe4", 3),
    }
    return made[how], how


def _json(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """A value of another kind, a key that is gone or new, or nesting without an end."""
    content = json.loads(data)
    if draw.random() < 0.1:
        return b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deep"
    places = list(_places(content, ()))
    shallow = [place for place in places if len(place) <= 2]
    place = draw.choice(draw.choice([places, shallow]))
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    if draw.random() < 0.2 and isinstance(holder, dict):
        del holder[place[-1]]
        return json.dumps(content).encode(), f"without {place}"
    value = _values(draw)
    holder[place[-1]] = value
    return json.dumps(content).encode(), f"{place} = {str(value)[:40]!r}"


def _places(value: Any, above: tuple[Any, ...]) -> Any:
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inside:
        yield (*above, key)
        yield from _places(each, (*above, key))


def _csv(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """A cell, a column or a row that is not as it was written."""
    rows = [line.split(",") for line in data.decode("utf-8-sig").splitlines()]
    how = draw.choice(["cell", "column", "header", "more", "quote", "twice", "no rows"])
    row, column = rows[draw.randrange(len(rows))], draw.randrange(len(rows[0]))
    if how == "cell":
        value = str(_values(draw)).encode("utf-8", "replace").decode()
        row[min(column, len(row) - 1)] = value
        how = f"cell {value[:30]!r}"
    elif how == "column":
        rows = [row[:column] + row[column + 1 :] for row in rows]
    elif how == "header":
        rows[0][column] = draw.choice(["", "x", rows[0][0], "x" * _LONG])
    elif how == "more":
        row.extend(["x"] * draw.choice([1, 1000]))
    elif how == "quote":
        row[0] = '"' + row[0]
    elif how == "twice":
        rows.extend(rows[1:])
    else:
        rows = rows[:1]
    return "\n".join(",".join(row) for row in rows).encode(), how


def _lines(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """Of TOML and YAML: a value of another kind, a key of another name, a line twice, nesting
    without an end.
    """
    lines = data.decode().splitlines()
    valued = [number for number, line in enumerate(lines) if "=" in line or ": " in line]
    number = draw.choice(valued)
    sign = "=" if "=" in lines[number] else ":"
    key, _, _ = lines[number].partition(sign)
    how = draw.choice(["value", "value", "value", "key", "twice", "deep", "tag"])
    if how == "value":
        value = draw.choice(
            [
                "[]",
                "{}",
                '["x"]',
                "true",
                "-1",
                "1e999",
                "nan",
                "inf",
                '""',
                "[[1]]",
                "1979-05-27",
                "0x7fffffffffffffffffff",
                f'"{"x" * _LONG}"',
                "[1, 2, 3]",
                "{a = 1}",
                "1" * 5000,
                "1e308",
                '"\\u001b[31m"',
            ]
        )
        lines[number] = f"{key}{sign} {value}"
        how = f"{key.strip()} {sign} {value[:30]}"
    elif how == "key":
        lines[number] = lines[number].replace(key.strip(), "x" + key.strip(), 1)
    elif how == "twice":
        lines.insert(number, lines[number])
    elif how == "deep":
        lines[number] = f"{key}{sign} " + "[" * _DEEP + "]" * _DEEP
    else:
        lines[number] = f"{key}{sign} !!python/object/apply:os.system ['true']"
    return "\n".join(lines).encode(), how


def _parquet(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """A table of samples with a column that is gone, of another type, or empty."""
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(data))
    column = draw.choice([*table.column_names, "sample", "label"])
    place, rows = table.column_names.index(column), table.num_rows
    how = draw.choice(
        [
            "gone",
            "numbers",
            "null",
            "lists",
            "binary",
            "floats",
            "texts",
            "twice",
            "no rows",
            "renamed",
        ]
    )
    values = {
        "numbers": pa.array(range(rows)),
        "null": pa.nulls(rows),
        "lists": pa.array([[1, 2]] * rows),
        "binary": pa.array([b"\xff"] * rows),
        "floats": pa.array([float("nan")] * rows),
        "texts": pa.array(["x" * 30_000] * rows),
    }
    if how == "gone":
        table = table.drop_columns([column])
    elif how in values:
        table = table.set_column(place, column, values[how])
    elif how == "twice":
        table = pa.concat_tables([table, table])
    elif how == "no rows":
        table = table.slice(0, 0)
    else:
        table = table.rename_columns(
            [f"x{name}" if name == column else name for name in table.column_names]
        )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue(), f"{column} {how}"


def _onnx(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """A model that says something else of itself, or takes or gives something else."""
    import onnx

    model = onnx.load_model_from_string(data)
    entry = draw.choice(list(model.metadata_props))
    how = draw.choice(["value", "value", "value", "deep", "no json", "gone", "shape"])
    if how == "value":
        value = _values(draw)
        entry.value = json.dumps(value)
        how = f"{entry.key} = {str(value)[:40]!r}"
    elif how == "deep":
        entry.value = "[" * 100_000
    elif how == "no json":
        entry.value = "{'a'"
    elif how == "gone":
        model.metadata_props.remove(entry)
    else:
        model.graph.input[0].type.tensor_type.shape.dim[draw.randrange(4)].dim_value = draw.choice(
            [0, 7, 10**9]
        )
    return bytes(onnx.ModelProto.SerializeToString(model)), how
