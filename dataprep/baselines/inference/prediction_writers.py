"""Writers of predictions: as tables, and as pre-labels in the forms that labelling tools
import.

Every writer takes tables as they come, so that memory does not grow with the number of images (but
for COCO's annotations, of which a few figures each are held). Images that the model refused or that
could not be read go out without a label: people see them unprejudiced.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from dataprep.errors import OptionError
from dataprep.schemas.text.names import unescape_name

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.baselines.inference.model_card import ModelCard

    Writer = Callable[[BinaryIO, Iterator[pd.DataFrame], ModelCard, str], None]

#: Names that the control and the image have in a Label Studio project; `label_studio_config` uses
#: the same.
_CONTROL, _IMAGE = "label", "image"


def writer_for(path: str, pre_labels: str = "") -> Writer:
    """The function (file, tables, card, prefix) that writes what is asked for.

    Args:
        path: ``.csv``, ``.parquet`` or ``.jsonl``; "" for CSV.
        pre_labels: one of `TOOLS`, or "" for a table.

    Raises:
        OptionError: no such form.
    """
    if pre_labels:
        if pre_labels not in TOOLS:
            raise OptionError(f"--pre-labels: expected {', '.join(TOOLS)}, got {pre_labels!r}")
        return TOOLS[pre_labels]
    suffix = os.path.splitext(path)[1].lower() or ".csv"
    if suffix not in _TABLES:
        raise OptionError(f"--out {path}: expected a file that ends in {', '.join(_TABLES)}")
    return _TABLES[suffix]


def write_csv(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """One line per image, as `dataprep.baselines.inference.predicting.predict` gives them."""
    for number, table in enumerate(tables):
        file.write(table.to_csv(index=False, header=number == 0, lineterminator="\n").encode())


def write_jsonl(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """One JSON object per image."""
    for table in tables:
        file.write(table.to_json(orient="records", lines=True, force_ascii=False).encode())


def write_parquet(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """A Parquet file, one row group per table."""
    import pyarrow as pa
    from pyarrow import parquet

    writer = None
    for table in tables:
        rows = pa.Table.from_pandas(table, preserve_index=False)
        if writer is None:
            writer = parquet.ParquetWriter(file, rows.schema, compression="zstd")
        writer.write_table(rows.cast(writer.schema))
    if writer is not None:
        writer.close()


def write_label_studio(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """Tasks for Label Studio's import, each with a prediction and its score
    (``labelstud.io/guide/predictions``).

    ``data.dp_item_id`` is the sample, which Label Studio gives back in its exports;
    ``data.dp_priority`` is one less the confidence, to order tasks by.

    Args:
        file: where to.
        tables: of `predict`.
        card: of the model.
        prefix: before each image's path, as in ``/data/local-files/?d=set1/``.
    """
    version = f"dataprep-{card.arch}-{card.fingerprint[:8]}"
    between = b"[\n"
    for row in _rows(tables):
        said = predicted_labels(row, card)
        data = {
            _IMAGE: prefix + quote(os.fsencode(unescape_name(row["sample"]))),
            "dp_item_id": row["sample"],
        }
        if card.kind != "regression":
            data["dp_priority"] = round(1 - row["confidence"], 6) if said is not None else 1.0
        predictions = (
            []
            if said is None
            else [{"model_version": version, **_score(row), "result": [_result(said, card)]}]
        )
        file.write(between + _coded({"data": data, "predictions": predictions}))
        between = b",\n"
    file.write(b"[]\n" if between == b"[\n" else b"\n]\n")


def _result(said: Any, card: ModelCard) -> dict[str, Any]:
    if card.kind == "regression":
        return {
            "from_name": _CONTROL,
            "to_name": _IMAGE,
            "type": "number",
            "value": {"number": said},
        }
    return {"from_name": _CONTROL, "to_name": _IMAGE, "type": "choices", "value": {"choices": said}}


def label_studio_config(card: ModelCard) -> str:
    """The labelling configuration that these pre-labels fit; Label Studio accepts others without
    a word and shows nothing.
    """
    if card.kind == "regression":
        control = f'  <Number name="{_CONTROL}" toName="{_IMAGE}"/>\n'
    else:
        choice = "multiple" if card.kind == "multi-label" else "single"
        choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in card.labels)
        control = (
            f'  <Choices name="{_CONTROL}" toName="{_IMAGE}" choice="{choice}">\n{choices}  '
            "</Choices>\n"
        )
    return f'<View>\n  <Image name="{_IMAGE}" value="${_IMAGE}"/>\n{control}</View>\n'


def write_coco(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """COCO with one annotation per label, without boxes, and its score; datumaro and CVAT read it
    as labels of whole images.

    Raises:
        OptionError: a regression, which COCO has no place for.
    """
    if card.kind == "regression":
        raise OptionError(
            "--pre-labels coco: COCO holds classes, and the model predicts numbers: take "
            "label-studio or csv"
        )
    number = {name: place for place, name in enumerate(card.labels, start=1)}
    file.write(b'{"info": {"description": "pre-labels by dataprep"},\n"images": [')
    annotations, count = io.BytesIO(), 0
    for image, row in enumerate(_rows(tables), start=1):
        entry = {"id": image, "file_name": prefix + unescape_name(row["sample"])}
        file.write((b",\n" if image > 1 else b"\n") + _coded(entry))
        for name in predicted_labels(row, card) or []:
            count += 1
            made = {
                "id": count,
                "image_id": image,
                "category_id": number[name],
                "score": round(row[f"p:{name}"], 6),
            }
            annotations.write((b",\n" if count > 1 else b"\n") + _coded({**made, "iscrowd": 0}))
    file.write(b'],\n"annotations": [' + annotations.getvalue())
    file.write(
        b'],\n"categories": '
        + _coded([{"id": place, "name": name} for name, place in number.items()])
        + b"}\n"
    )


def write_tags(
    file: BinaryIO, tables: Iterator[pd.DataFrame], card: ModelCard, prefix: str = ""
) -> None:
    """``path,label,score``; several labels are joined by ``|``, and there is none where the
    model refused.
    """
    import csv

    text = io.TextIOWrapper(
        file, encoding="utf-8", errors="surrogateescape", newline="", write_through=True
    )
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", "label", "score"])
    for row in _rows(tables):
        said = predicted_labels(row, card)
        label = "" if said is None else f"{said:g}" if card.kind == "regression" else "|".join(said)
        rows.writerow(
            [
                prefix + unescape_name(row["sample"]),
                label,
                _score(row).get("score", "") if said is not None else "",
            ]
        )
    text.detach()


def _rows(tables: Iterator[pd.DataFrame]) -> Iterator[Mapping[str, Any]]:
    for table in tables:
        for row in table.to_dict("records"):
            yield {str(name): value for name, value in row.items()}


def predicted_labels(row: Mapping[str, Any], card: ModelCard) -> Any:
    """Labels, or the number; None where nothing is said."""
    if row["lost"]:
        return None
    if card.kind == "regression":
        return float(row["predicted"])
    if row["abstained"]:
        return None
    if card.kind == "multi-label":
        return [name for name in str(row["predicted"]).split("|") if name]
    return [row["predicted"]]


def _score(row: Mapping[str, Any]) -> dict[str, float]:
    return {"score": round(float(row["confidence"]), 6)} if "confidence" in row else {}


def _coded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode(
        "utf-8", "backslashreplace"
    )  # of a lone surrogate, JSON's own escape


_TABLES: dict[str, Writer] = {".csv": write_csv, ".parquet": write_parquet, ".jsonl": write_jsonl}
#: Labelling tool, or form, to how pre-labels are written for it.
TOOLS: dict[str, Writer] = {
    "label-studio": write_label_studio,
    "coco": write_coco,
    "csv": write_tags,
}
