"""Predictions of an exported model: right, in order, without torch, whatever the files are."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from dataprep.baselines.inference import predicting  # noqa: E402
from dataprep.baselines.inference.exporting import exported, onnx_bytes  # noqa: E402
from dataprep.baselines.inference.model_card import ModelCard  # noqa: E402
from dataprep.baselines.inference.predicting import Model, predict, predicted_frames, table_of  # noqa: E402
from dataprep.baselines.inference.prediction_writers import TOOLS, label_studio_config, writer_for  # noqa: E402
from dataprep.baselines.training.materials import Materials  # noqa: E402
from dataprep.cli import app  # noqa: E402
from dataprep.errors import InputError, OptionError  # noqa: E402
from dataprep.measures.options import PassOptions  # noqa: E402
from tests.baselines.deployed import small_network, toy_card, toy_files  # noqa: E402

ONE = PassOptions(jobs=1)
LEVEL = {"wished": 0.05, "threshold": 0.36, "bound": 0.04, "coverage": 0.5, "holds": True}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Materials, Any, Path]:
    """Images in a folder, one of them broken; a network; its ONNX model."""
    root = tmp_path_factory.mktemp("predicting")
    materials = toy_files(root / "images", count=12, val=12)
    network = small_network(3)
    card = toy_card(materials, network, abstention=(LEVEL,))
    (root / "baseline").mkdir()
    (root / "baseline" / "model.onnx").write_bytes(onnx_bytes(exported(network, card), card))
    (root / "images" / "broken.png").write_bytes(b"not an image")
    return materials, network, root


def expected(materials: Materials, network: Any, temperature: float) -> dict[str, np.ndarray]:
    images = torch.from_numpy(np.array(materials.store.images)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        probs = torch.softmax(network(images) / temperature, 1).numpy()
    return dict(zip(materials.names, probs, strict=True))


def test_every_file_is_a_row_and_says_what_the_network_says(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    materials, network, root = made
    monkeypatch.setattr(predicting, "_BATCH", 5)
    monkeypatch.setattr(predicting, "_ROWS", 7)
    model = Model(root / "baseline")
    table = predict(str(root / "images"), model, abstain_below=0.36, options=ONE)
    assert list(table) == [
        "sample",
        "predicted",
        "confidence",
        "p:class0",
        "p:class1",
        "p:class2",
        "abstained",
        "lost",
    ]
    assert table["sample"].tolist() == sorted([*materials.names, "broken.png"])
    lost = table.set_index("sample").loc["broken.png"]
    assert lost["lost"].startswith("not-an-image")
    assert pd.isna(lost["predicted"])
    assert lost["abstained"]
    said = expected(materials, network, model.card.temperature)
    whole = table[table["lost"] == ""]
    for _, row in whole.iterrows():
        probs = said[row["sample"]]
        np.testing.assert_allclose([row[f"p:class{code}"] for code in range(3)], probs, atol=1e-4)
        assert row["predicted"] == f"class{probs.argmax()}"
        assert row["confidence"] == pytest.approx(probs.max(), abs=1e-4)
        assert row["abstained"] == (row["confidence"] < 0.36)


def test_a_wished_risk_abstains_where_training_found_it_must(made: Any) -> None:
    *_, root = made
    by_risk, by_level = (
        predict(str(root / "images"), root / "baseline" / "model.onnx", options=ONE, **each)
        for each in ({"risk": 0.05}, {"abstain_below": LEVEL["threshold"]})
    )
    pd.testing.assert_frame_equal(by_risk, by_level)
    with pytest.raises(InputError, match=r"thresholds for 0.05"):
        predict(str(root / "images"), root / "baseline", risk=0.01)
    with pytest.raises(OptionError, match="give one of them"):
        predict(str(root / "images"), root / "baseline", risk=0.1, abstain_below=0.5)
    with pytest.raises(OptionError, match=r"--abstain-below: expected a share"):
        predict(str(root / "images"), root / "baseline", abstain_below=90)


def test_tables_come_before_all_images_are_read(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, root = made
    monkeypatch.setattr(predicting, "_ROWS", 4)
    monkeypatch.setattr(predicting, "_BATCH", 2)
    seen: list[int] = []
    frames = predicted_frames(
        str(root / "images"),
        Model(root / "baseline"),
        options=ONE,
        progress=lambda stage, done, total, note: seen.append(done),
    )
    first = next(frames)
    assert (len(first), len(seen) < 25) == (4, True)
    assert [len(frame) for frame in frames] == [4, 4, 4, 4, 4, 1]


def test_models_that_are_none_of_ours_are_said(made: Any, tmp_path: Path) -> None:
    from dataprep.measures.embedding import lite0

    *_, root = made
    with pytest.raises(InputError, match="there is no model"):
        Model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no ONNX model"):
        Model(tmp_path)
    with pytest.raises(InputError, match="is no model of dataprep"):
        Model(Path(lite0.__file__).with_name("lite0.onnx"))
    import onnx

    other = onnx.load(root / "baseline" / "model.onnx")
    for entry in other.metadata_props:
        entry.value = "64" if entry.key == "size" else entry.value
    onnx.save(other, tmp_path / "model.onnx")
    with pytest.raises(InputError, match="does not take what it says"):
        Model(tmp_path)


def test_several_labels_and_values(tmp_path: Path) -> None:
    several = ModelCard("multi-label", ("a", "b"), 32, "lite0", thresholds=(0.3, 0.6))
    probs = np.array([[0.4, 0.7], [0.1, 0.5], [np.nan, np.nan]], np.float32)
    table = table_of(several, ["1", "2", "3"], probs, {2: "empty"}, 0.55)
    assert table["predicted"].tolist()[:2] == ["a|b", ""]
    assert table["confidence"].tolist()[:2] == pytest.approx([0.4, 0.5])
    assert table["abstained"].tolist() == [True, True, True]
    values = table_of(
        ModelCard("regression", (), 32, "lite0"),
        ["1", "2"],
        np.array([1.5, np.nan], np.float32),
        {1: "empty"},
        0,
    )
    assert list(values) == ["sample", "predicted", "lost"]
    assert values["predicted"].tolist()[0] == 1.5
    binary = ModelCard("binary", ("no", "yes"), 32, "lite0", positive="yes", thresholds=(0.5, 0.2))
    asked = table_of(binary, ["1"], np.array([[0.7, 0.3]], np.float32), {}, 0.5)
    assert (asked["predicted"][0], asked["confidence"][0], bool(asked["abstained"][0])) == (
        "yes",
        pytest.approx(0.3),
        True,
    )


def test_a_confidence_that_single_precision_rounds_down_still_reaches_its_own_threshold() -> None:
    least = 0.9
    card = ModelCard("multi-class", ("a", "b"), 32, "lite0")
    assert not table_of(card, ["1"], np.array([[least - 3e-7, 1 - least]], np.float32), {}, least)[
        "abstained"
    ][0]
    assert table_of(card, ["1"], np.array([[least - 3e-5, 1 - least]], np.float32), {}, least)[
        "abstained"
    ][0]


def test_predicting_imports_no_torch(made: Any) -> None:
    *_, root = made
    code = (
        "import sys\nfrom dataprep.cli import main\n"
        "if __name__ == '__main__':\n"
        f"    images, model = {str(root / 'images')!r}, {str(root / 'baseline')!r}\n"
        "    sys.argv = ['dataprep', 'predict', images, '--model', model, '--jobs', '1', '--out', "
        "'-']\n"
        "    try:\n        main()\n    finally:\n"
        "        print(sorted({'torch', 'onnxscript', 'sklearn', 'albumentations'} & "
        "set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
    assert len(done.stdout.splitlines()) == 26


FACTS = ModelCard("multi-class", ("a & b", "c"), 32, "lite0", fingerprint="0123456789")


def frames() -> Any:
    probs = np.array([[0.9, 0.1], [0.45, 0.55], [np.nan, np.nan]], np.float32)
    yield table_of(FACTS, ["x 1.png", r"caf\xe9.png"], probs[:2], {}, 0.6)
    yield table_of(FACTS, ["gone.png"], probs[2:], {0: "missing"}, 0.6)


def written(tool: str, card: ModelCard = FACTS, tables: Any = None, prefix: str = "") -> bytes:
    file = io.BytesIO()
    TOOLS[tool](file, frames() if tables is None else tables, card, prefix)
    return file.getvalue()


def test_label_studio_gets_predictions_only_where_the_model_decides() -> None:
    tasks = json.loads(written("label-studio", prefix="/data/local-files/?d="))
    assert tasks[0]["data"] == {
        "image": "/data/local-files/?d=x%201.png",
        "dp_item_id": "x 1.png",
        "dp_priority": 0.1,
    }
    result = {
        "from_name": "label",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["a & b"]},
    }
    assert tasks[0]["predictions"] == [
        {"model_version": "dataprep-lite0-01234567", "score": 0.9, "result": [result]}
    ]
    assert [task["predictions"] for task in tasks[1:]] == [[], []]
    assert tasks[1]["data"]["image"].endswith("caf%E9.png")
    config = ElementTree.fromstring(label_studio_config(FACTS))
    assert [each.get("value") for each in config.iter("Choice")] == ["a & b", "c"]
    assert (config.find("Choices").get("name"), config.find("Image").get("name")) == (
        "label",
        "image",
    )  # type: ignore[union-attr]
    assert json.loads(written("label-studio", tables=iter(()))) == []


def test_label_studio_gets_several_labels_and_numbers() -> None:
    several = replace(FACTS, kind="multi-label", labels=("a", "b"), thresholds=(0.5, 0.5))
    task = json.loads(
        written(
            "label-studio", several, iter([table_of(several, ["1"], np.array([[0.9, 0.8]]), {}, 0)])
        )
    )[0]
    assert task["predictions"][0]["result"][0]["value"] == {"choices": ["a", "b"]}
    number = replace(FACTS, kind="regression", labels=())
    task = json.loads(
        written("label-studio", number, iter([table_of(number, ["1"], np.array([2.5]), {}, 0)]))
    )[0]
    assert task["predictions"][0]["result"][0]["value"] == {"number": 2.5}
    assert "score" not in task["predictions"][0]
    with pytest.raises(OptionError, match="COCO holds classes"):
        written("coco", number, iter(()))


def test_coco_and_csv_hold_the_same_answers() -> None:
    coco = json.loads(written("coco"))
    assert [image["file_name"] for image in coco["images"]][0::2] == ["x 1.png", "gone.png"]
    assert coco["images"][1]["file_name"] == "caf\udce9.png"
    assert coco["categories"] == [{"id": 1, "name": "a & b"}, {"id": 2, "name": "c"}]
    assert coco["annotations"] == [
        {"id": 1, "image_id": 1, "category_id": 1, "score": 0.9, "iscrowd": 0}
    ]
    rows = list(csv.reader(written("csv").decode("utf-8", "surrogateescape").splitlines()))
    assert rows == [
        ["path", "label", "score"],
        ["x 1.png", "a & b", "0.9"],
        ["caf\udce9.png", "", ""],
        ["gone.png", "", ""],
    ]


def test_an_unknown_form_is_said() -> None:
    with pytest.raises(
        OptionError, match=r"--out a.xlsx: expected a file that ends in .csv, .parquet, .jsonl"
    ):
        writer_for("a.xlsx")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_the_command_writes_tables(made: Any, tmp_path: Path, suffix: str) -> None:
    *_, root = made
    out = tmp_path / f"said{suffix}"
    arguments = [
        "predict",
        str(root / "images"),
        "--model",
        str(root / "baseline"),
        "--out",
        str(out),
        "--jobs",
        "1",
    ]
    done = CliRunner().invoke(app, [*arguments, "--abstain-below", "0.36"])
    assert done.exit_code == 0, done.output
    read = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".jsonl": lambda path: pd.read_json(path, lines=True),
    }[suffix]
    table = read(out)
    assert len(table) == 25
    assert "25 images" in done.stdout
    assert "1 not readable" in done.stdout


def test_without_a_wish_it_refuses_as_training_chose(made: Any) -> None:
    *_, root = made
    model = Model(root / "baseline")
    everything = predict(str(root / "images"), model, abstain_below=0.0, options=ONE)
    assert everything["abstained"].sum() == 1  # the one that is broken
    half = float(everything["confidence"].median())
    model.card = replace(model.card, abstention=({**LEVEL, "threshold": half},))
    usual, asked = (
        predict(str(root / "images"), model, abstain_below=each, options=ONE)
        for each in (None, half)
    )
    pd.testing.assert_frame_equal(usual, asked)
    assert 1 < usual["abstained"].sum() < 25


@pytest.mark.parametrize(
    ("held", "threshold"),
    [({0.01: 0.9, 0.05: 0.7, 0.1: 0.5}, 0.7), ({0.1: 0.5}, 0.5), ({0.01: 0.9}, 0.9), ({}, 0.0)],
)
def test_the_usual_refusal_is_that_of_an_error_of_five_percent_or_the_nearest_that_holds(
    held: dict[float, float], threshold: float
) -> None:
    levels = [{**LEVEL, "wished": wished, "threshold": at} for wished, at in held.items()]
    failed = [
        {**LEVEL, "wished": wished, "threshold": 0.99, "holds": False}
        for wished in (0.01, 0.05, 0.1)
        if wished not in held
    ]
    card = ModelCard("multi-class", ("a", "b"), 32, "lite0", abstention=(*failed, *levels))
    assert predicting.confidence_for(card, None, None) == threshold


def test_every_row_of_a_list_has_its_row_with_the_reason(
    made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    materials, _, root = made
    monkeypatch.setattr(predicting, "_ROWS", 3)
    first, second, third = materials.names[:3]
    asked = [third, "nope.png", first, "broken.png", second, first, "gone/too.png", third]
    (root / "images" / "list.csv").write_text("path\n" + "\n".join(asked) + "\n")
    table = predict(
        str(root / "images" / "list.csv"), root / "baseline", abstain_below=0, options=ONE
    )
    assert table["sample"].tolist() == asked
    assert table["lost"].str.partition(":")[0].tolist() == [
        "",
        "missing",
        "",
        "not-an-image",
        "",
        "",
        "missing",
        "",
    ]
    again = predict(
        str(root / "images"), root / "baseline", abstain_below=0, options=ONE
    ).set_index("sample")
    said = table[table["lost"] == ""].set_index("sample")
    pd.testing.assert_frame_equal(said, again.loc[said.index])
    (root / "images" / "list.csv").unlink()


def test_the_table_goes_to_a_file_and_the_terminal_gets_a_summary(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, root = made
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text(
        f"{root}/images/broken.png\n{root}/nope.png\n{root}/images/broken.png\n"
    )
    arguments = ["predict", "--model", str(root / "baseline"), "--jobs", "1"]
    done = CliRunner().invoke(app, [*arguments, str(root / "images"), "--abstain-below", "0"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "25 images: 24 predicted, 1 not readable"
    table = pd.read_csv("dataprep-out/predict/predictions.csv")
    counts = table["predicted"].value_counts()
    assert {line.strip() for line in lines[1:-3]} == {
        f"{name}: {count}" for name, count in counts.items()
    }
    assert lines[-2] == "Written: dataprep-out/predict/predictions.csv"
    assert lines[-1] == f"         paths are relative to {root}/images"
    done = CliRunner().invoke(app, [*arguments, "--files", "list.txt", "-q"])
    assert done.stdout == "3 images: 0 predicted, 2 not readable, 1 not there\n"
    done = CliRunner().invoke(app, [*arguments, "--files", "list.txt", "--out", "-"])
    assert done.stdout.count("\n") == 4
    assert "3 images" in done.stderr


def test_what_a_damaged_model_says_of_itself_is_one_line(made: Any, tmp_path: Path) -> None:
    import onnx

    *_, root = made
    deep = "[" * 100_000
    for key, value in [
        ("labels", "3"),
        ("labels", '["a", 1, "c"]'),
        ("labels", '["a", "a", "c"]'),
        ("labels", deep),
        ("size", "1e999"),
        ("size", "true"),
        ("abstention", '[{"wished": []}]'),
        ("abstention", "[3]"),
        ("thresholds", '["x"]'),
        ("thresholds", "[0.5]"),
        ("dataprep_model", deep),
        ("kind", "[]"),
        ("temperature", "null"),
    ]:
        other = onnx.load(root / "baseline" / "model.onnx")
        for entry in other.metadata_props:
            entry.value = value if entry.key == key else entry.value
        onnx.save(other, tmp_path / "model.onnx")
        with pytest.raises(InputError):
            Model(tmp_path)


def test_a_model_that_is_a_device_is_refused() -> None:
    with pytest.raises(InputError, match="there is no model"):
        Model("/dev/zero")


def test_the_command_writes_pre_labels_with_the_configuration_they_fit(
    made: Any, tmp_path: Path
) -> None:
    *_, root = made
    out = tmp_path / "tasks.json"
    arguments = ["predict", str(root / "images"), "--model", str(root / "baseline"), "--jobs", "1"]
    done = CliRunner().invoke(app, [*arguments, "--pre-labels", "label-studio", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert len(json.loads(out.read_bytes())) == 25
    assert "Choice" in (tmp_path / "tasks.config.xml").read_text()
    nothing = CliRunner().invoke(app, ["predict", "--model", str(root / "baseline")])
    assert isinstance(nothing.exception, InputError)


def test_the_command_overwrites_nothing_of_the_users(made: Any, tmp_path: Path) -> None:
    *_, root = made
    out = tmp_path / "labels.csv"
    names = sorted(path.name for path in (root / "images").iterdir())[:2]
    out.write_text("\n".join(["path", *names]) + "\n")
    before = out.read_text()
    arguments = [
        "predict",
        str(root / "images"),
        "--model",
        str(root / "baseline"),
        "--jobs",
        "1",
        "--out",
    ]
    for place, words in (
        (out, "is what was read"),
        (tmp_path / "mine.csv", "not .or no longer. what dataprep wrote"),
    ):
        (tmp_path / "mine.csv").write_text("mine")
        done = CliRunner().invoke(app, [*arguments, str(place), "--manifest", str(out)])
        assert isinstance(done.exception, InputError)
        assert re.search(words, str(done.exception))
    assert (out.read_text(), (tmp_path / "mine.csv").read_text()) == (before, "mine")
    for _ in range(2):
        done = CliRunner().invoke(
            app, [*arguments, str(tmp_path / "ours.csv"), "--manifest", str(out)]
        )
        assert done.exit_code == 0, done.output
    (tmp_path / "ours.config.xml").write_text("mine")
    form = ["--pre-labels", "label-studio"]
    done = CliRunner().invoke(
        app, [*arguments, str(tmp_path / "ours.json"), "--manifest", str(out), *form]
    )
    assert isinstance(done.exception, InputError)
    assert not (tmp_path / "ours.json").exists()
    done = CliRunner().invoke(
        app, [*arguments, str(tmp_path / "ours.json"), "--manifest", str(out), *form, "--force"]
    )
    assert done.exit_code == 0, done.output
