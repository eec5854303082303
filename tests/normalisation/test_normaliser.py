"""Normaliser: there and back, on disk and back, other libraries alike, and complaints about what
is normalised twice.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dataprep
from dataprep.errors import InputError, OptionError
from dataprep.normalisation.exports import EXPORTS, albumentations_transform
from dataprep.normalisation.normaliser import NormalisedTwice, Normaliser, NormalisersDiffer
from dataprep.normalisation.statistics import ChannelStatistics
from dataprep.normalisation.storing import _seal
from dataprep.normalisation.tabular import COLUMN_KINDS, ColumnScale, fit_columns
from dataprep.normalisation.writing import write_normaliser

STATISTICS = ChannelStatistics(
    (0.5, 0.4, 0.3), (0.2, 0.25, 0.0), (0.0, 0.1, 0.3), (1.0, 0.9, 0.3), 7, 700
)
KINDS = ("divide-by-255", "z-score", "min-max")
LEVELS = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)


def normaliser(kind="z-score", **more):
    return Normaliser(
        kind, STATISTICS, **{"part": "train", "rows": 9, "lost": 2, "fingerprint": "ab", **more}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_level_comes_back(kind):
    scaled = normaliser(kind).apply(LEVELS)
    assert scaled.dtype == np.float32
    assert scaled.shape == LEVELS.shape
    np.testing.assert_array_equal(normaliser(kind).inverse(scaled), LEVELS)
    first = np.moveaxis(LEVELS, -1, -3)
    np.testing.assert_array_equal(
        normaliser(kind).apply(first, channels_first=True), np.moveaxis(scaled, -1, -3)
    )
    np.testing.assert_array_equal(
        normaliser(kind).inverse(np.moveaxis(scaled, -1, -3), channels_first=True), first
    )


@settings(max_examples=40, deadline=None)
@given(
    mean=st.tuples(*[st.floats(0, 1)] * 3),
    std=st.tuples(*[st.floats(0, 0.5)] * 3),
    kind=st.sampled_from(KINDS),
)
def test_every_level_comes_back_whatever_the_figures(mean, std, kind):
    low, high = (
        tuple(value / 2 for value in mean),
        tuple(value / 2 + spread for value, spread in zip(mean, std, strict=True)),
    )
    made = Normaliser(kind, ChannelStatistics(mean, std, low, high, 1, 1))
    scaled = made.apply(LEVELS)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(made.inverse(scaled), LEVELS)


def test_figures_by_hand():
    pixel = np.array([[[255, 0, 51]]], np.uint8)
    assert normaliser("divide-by-255").apply(pixel).ravel() == pytest.approx([1, 0, 0.2])
    assert normaliser("z-score").apply(pixel).ravel() == pytest.approx(
        [2.5, -1.6, -0.1]
    )  # blue is constant: shifted, not scaled
    assert normaliser("min-max").apply(pixel).ravel() == pytest.approx([1, -0.125, -0.1])
    assert Normaliser("none").apply(pixel).ravel() == pytest.approx([255, 0, 51])


def test_deep_and_floating_point_images_have_their_own_full_scale():
    bytes_, made = LEVELS, normaliser()
    np.testing.assert_allclose(
        made.apply(bytes_.astype(np.uint16) * 257), made.apply(bytes_), atol=1e-6
    )
    np.testing.assert_allclose(made.apply(bytes_ / 255), made.apply(bytes_), atol=1e-6)
    np.testing.assert_allclose(
        made.inverse(made.apply(bytes_), as_float=True), bytes_ / 255, atol=1e-6
    )


@pytest.mark.parametrize(
    "images",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.int64)],
)
def test_other_shapes_and_types_are_refused(images):
    with pytest.raises(OptionError, match="expected images"):
        normaliser().apply(images)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (normaliser().apply(LEVELS), "normalised before"),
        (LEVELS.astype(np.float32), "scale 0 to 255"),
    ],
)
def test_input_that_is_normalised_already_warns(images, words):
    with pytest.warns(NormalisedTwice, match=words):
        normaliser().apply(images)


def test_overshoot_of_interpolation_does_not_warn(recwarn):
    normaliser().apply(np.array([[[-0.1, 0.5, 1.15]]]))
    normaliser().apply(np.full((1, 1, 3), np.nan))
    normaliser().apply(np.zeros((0, 4, 3), np.float32))
    assert not recwarn.list


def test_fitted_kinds_need_statistics():
    with pytest.raises(OptionError, match="needs statistics"):
        Normaliser("z-score")
    with pytest.raises(OptionError, match="expected one of"):
        Normaliser("zscore")
    assert normaliser("divide-by-255").with_kind("z-score") == normaliser()


def test_difference_of_two_parts_warns():
    other = replace(normaliser(), statistics=replace(STATISTICS, mean=(0.5, 0.41, 0.3)), part="val")
    with pytest.warns(NormalisersDiffer, match=r"shift .*train.* and .*val"):
        assert len(normaliser().differs_from(other)) == 1


def test_alike_normalisers_do_not_warn(recwarn):
    assert normaliser().differs_from(normaliser(part="other")) == ()
    # Two names of one thing: other statistics do not matter where they are not used.
    assert Normaliser().differs_from(normaliser("divide-by-255")) == ()
    assert not recwarn.list


def test_columns_of_two_normalisers_are_compared():
    one, two = ColumnScale("a", "z-score", 1.0, 2.0), ColumnScale("a", "z-score", 1.5, 2.0)
    with pytest.warns(NormalisersDiffer, match="column 'a'"):
        Normaliser(columns=(one,)).differs_from(Normaliser(columns=(two,)))
    with pytest.warns(NormalisersDiffer, match="only one of them"):
        Normaliser(columns=(one,)).differs_from(Normaliser())


# --- columns
# ---------------------------------------------------------------------------------------------------------------  # noqa: E501

TABLE = pd.DataFrame(
    {
        "age": [1.0, 2.0, 3.0, 4.0, np.nan],
        "count": [0, 0, 0, 0, 9],
        "flag": [True, False, True, True, False],
        "same": [0.1] * 5,
        "wild": [1.0, 2.0, 3.0, 4.0, np.inf],
        "huge": [1e308, -1e307, 0.0, 1.0, 2.0],
        "text": list("abcde"),
        "nullable": pd.array([1, 2, None, 4, 5], dtype="Int64"),
    }
)
NUMBERS = [name for name in TABLE if name != "text"]


@pytest.mark.parametrize("kind", COLUMN_KINDS)
def test_tables_come_back(kind):
    made = Normaliser(columns=fit_columns(TABLE, NUMBERS, kind))
    scaled = made.apply_table(TABLE)
    assert list(scaled["text"]) == list(TABLE["text"])
    back = made.inverse_table(scaled)
    for scale in made.columns:
        found, given = (
            table[scale.name].to_numpy(dtype=float, na_value=np.nan) for table in (back, TABLE)
        )
        np.testing.assert_allclose(
            found, given, rtol=1e-12, atol=1e-12 * scale.spread, equal_nan=True
        )
    assert back["count"].dtype == np.int64
    assert back["flag"].dtype == bool
    assert np.isnan(scaled["age"].iloc[4])
    assert np.isinf(scaled["wild"].iloc[4])
    assert (scaled["same"] == 0).all()
    finite = scaled[NUMBERS].to_numpy(dtype=float, na_value=np.nan)
    assert np.isfinite(finite[:4][~np.isnan(finite[:4])]).all()


def test_column_figures():
    scales = {kind: {s.name: s for s in fit_columns(TABLE, NUMBERS, kind)} for kind in COLUMN_KINDS}
    ages = [1.0, 2.0, 3.0, 4.0]
    assert (scales["z-score"]["age"].centre, scales["z-score"]["age"].spread) == pytest.approx(
        (np.mean(ages), np.std(ages))
    )
    assert (scales["min-max"]["age"].centre, scales["min-max"]["age"].spread) == (1.0, 3.0)
    assert (scales["robust"]["age"].centre, scales["robust"]["age"].spread) == (2.5, 1.5)
    assert (scales["z-score"]["wild"].count, scales["z-score"]["wild"].missing) == (4, 1)
    assert scales["z-score"]["same"].constant
    assert scales["z-score"]["same"].spread == 1.0
    # Quartiles of a column that is mostly 0 are 0: the standard deviation serves.
    assert scales["robust"]["count"].spread == pytest.approx(np.std(TABLE["count"]))
    assert scales["z-score"]["huge"].spread == pytest.approx(np.std(TABLE["huge"] / 1e308) * 1e308)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e307])
def test_column_figures_do_not_depend_on_the_unit(unit):
    values = np.array([1.0, 2.0, 3.0, 8.0])
    for kind, figures in {
        "z-score": (3.5, 7.25**0.5),
        "min-max": (1, 7),
        "robust": (2.5, 2.5),
    }.items():
        (scale,) = fit_columns(pd.DataFrame({"a": values * unit}), ["a"], kind)
        assert (scale.centre / unit, scale.spread / unit) == pytest.approx(figures, rel=1e-12)


def test_a_kind_for_each_column():
    scales = fit_columns(TABLE, {"age": "robust", "count": "min-max"}, "z-score")
    assert [(scale.name, scale.kind) for scale in scales] == [
        ("age", "robust"),
        ("count", "min-max"),
    ]


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        (["agee"], "z-score", "Did you mean 'age'"),
        (["text"], "z-score", "expected numbers"),
        (["age"], "zz", "expected one of"),
    ],
)
def test_columns_that_cannot_be_fitted(columns, kind, words):
    with pytest.raises(OptionError, match=words):
        fit_columns(TABLE, columns, kind)


def test_columns_without_a_finite_value_or_with_too_wide_a_range_are_refused():
    with pytest.raises(OptionError, match="no finite value"):
        fit_columns(pd.DataFrame({"a": [np.nan, np.inf]}), ["a"], "z-score")
    with pytest.raises(OptionError, match="logarithm"):
        fit_columns(pd.DataFrame({"a": [-1.7e308, 1.7e308]}), ["a"], "min-max")


def test_a_table_without_the_column_is_refused():
    made = Normaliser(columns=fit_columns(TABLE, ["age"], "z-score"))
    with pytest.raises(InputError, match="lacks the column 'age'"):
        made.apply_table(TABLE[["count"]])
    with pytest.raises(InputError, match="expected numbers"):
        made.apply_table(pd.DataFrame({"age": ["x"]}))


# --- on disk
# ---------------------------------------------------------------------------------------------------------------  # noqa: E501


def test_json_there_and_back(tmp_path):
    made = normaliser(columns=fit_columns(TABLE, NUMBERS, "robust"))
    made.save(tmp_path / "n.json")
    assert Normaliser.load(tmp_path / "n.json") == made
    assert Normaliser.from_json(made.to_json()) == made
    Normaliser().save(tmp_path / "n.json")
    assert Normaliser.load(tmp_path / "n.json") == Normaliser()


def resealed(**changes):
    content = {**normaliser().to_json(), **changes}
    return json.dumps({**content, "seal": _seal(content)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot read"),
        ("[]", "not a normaliser"),
        ('{"mean": [0.5]}', "not a normaliser"),
        (json.dumps(normaliser().to_json()).replace("0.4", "0.6", 1), "damaged or edited"),
        (resealed(version=2), "version 2"),
        (resealed(kind="other"), "damaged.*kind|damaged.*expected one of"),
        (resealed(statistics=None), "damaged|needs statistics"),
        (resealed(statistics={"mean": [0.5]}), "damaged"),
        (resealed(columns=[{"name": "a"}]), "damaged"),
    ],
)
def test_damaged_and_foreign_files_are_refused(tmp_path, text, words):
    (tmp_path / "n.json").write_text(text)
    with pytest.raises(InputError, match=words):
        Normaliser.load(tmp_path / "n.json")


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path):
    with pytest.raises(InputError, match="dataprep normalise"):
        Normaliser.load(tmp_path / "n.json")
    (tmp_path / "n.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot read"):
        Normaliser.load(tmp_path / "n.json")


# --- exports
# ---------------------------------------------------------------------------------------------------------------  # noqa: E501

BATCH = np.random.default_rng(0).integers(0, 256, (2, 13, 17, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_gives_the_same(tmp_path, kind):
    import onnx
    import onnxruntime

    normaliser(kind).to_onnx(tmp_path / "n.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "n.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": BATCH})
    np.testing.assert_allclose(
        found, np.moveaxis(normaliser(kind).apply(BATCH), -1, 1), rtol=0, atol=1e-6
    )


def test_without_onnx_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(OptionError, match=r"needs onnx .*pip install .*train"):
        normaliser().to_onnx(tmp_path / "n.onnx")
    assert not (tmp_path / "n.onnx").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_albumentations_gives_the_same(kind):
    found = albumentations_transform(normaliser(kind))(image=BATCH[0])["image"]
    np.testing.assert_allclose(found, normaliser(kind).apply(BATCH[0]), atol=1e-5)


def test_torchvision_source_holds_the_figures():
    source = normaliser().to_torchvision()
    compile(source, "normalise.py", "exec")
    assert "mean=[0.5, 0.4, 0.3], std=[0.2, 0.25, 1.0]" in source
    assert "scale=True" in source


def test_timm_takes_the_size_of_the_figures():
    assert normaliser(size=96).to_timm()["input_size"] == [3, 96, 96]
    assert normaliser(size=96).to_timm(128)["input_size"] == [3, 128, 128]
    assert normaliser().to_timm()["std"] == [0.2, 0.25, 1.0]


def test_columns_alone_have_nothing_to_export():
    with pytest.raises(OptionError, match="nothing to export"):
        Normaliser("none").to_albumentations()


def test_files_are_written_together_or_not_at_all(tmp_path):
    written = write_normaliser(
        normaliser(), tmp_path / "n", exports=list(EXPORTS), run={"stage": "normalise"}
    )
    assert set(written) == {"normaliser", "run", *EXPORTS}
    assert all(
        (tmp_path / "n" / name).stat().st_size
        for name in [*EXPORTS.values(), "normaliser.json", "run.json"]
    )
    with pytest.raises(OptionError, match="Did you mean 'onnx'"):
        write_normaliser(normaliser(), tmp_path / "other", exports=["onx"])
    assert not (tmp_path / "other").exists()


def test_public_names():
    assert dataprep.Normaliser is Normaliser
