"""What labels ask for, and which words say so when they ask for what cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.goal import codes_of, parse_requirement, read_goal
from dataprep.errors import InputError, OptionError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.goal import Requirement


def dataset(
    labels: list[object], task: str = "classification", split: list[str] | None = None
) -> Dataset:
    names = [f"{i}.png" for i in range(len(labels))]
    samples = pd.DataFrame({"label": labels}, index=pd.Index(names, name="sample"))
    classes: tuple[str, ...] = ()
    if task == "classification":
        samples["label"] = pd.Categorical(labels)
        classes = tuple(samples["label"].cat.categories)
    elif task == "multi-label":
        classes = tuple(
            sorted(
                {part for label in labels if isinstance(label, str) for part in label.split("|")}
            )
        )
    if split is not None:
        samples["split"] = pd.Categorical(split)
    return Dataset("/nowhere", samples, task, classes)  # type: ignore[arg-type]


def test_balanced_classes_are_judged_by_accuracy() -> None:
    goal = read_goal(dataset(["a", "b", "c"] * 10))
    assert (goal.kind, goal.classes, goal.metric, goal.positive) == (
        "multi-class",
        ("a", "b", "c"),
        "accuracy",
        "",
    )
    assert "balanced" in goal.reason


def test_imbalanced_classes_are_judged_by_macro_f1_and_the_rarer_is_positive() -> None:
    goal = read_goal(dataset(["sick"] * 10 + ["well"] * 16))
    assert (goal.kind, goal.metric, goal.positive) == ("binary", "macro-f1", "sick")
    assert "1.6 times" in goal.reason
    assert read_goal(dataset(["sick"] * 10 + ["well"] * 15)).metric == "accuracy"


def test_imbalance_is_that_of_what_is_learned_from() -> None:
    labels, split = ["a"] * 10 + ["b"] * 30, ["train"] * 20 + ["test"] * 20
    assert read_goal(dataset(labels, split=split)).metric == "accuracy"
    assert read_goal(dataset(labels, split=["1", "2"] * 20)).metric == "macro-f1", "folds: all rows"


def test_several_labels_and_numbers() -> None:
    several = dataset(["x|y", "y", None, "x"], "multi-label")
    goal = read_goal(several)
    assert (goal.kind, goal.classes, goal.metric) == ("multi-label", ("x", "y"), "macro-f1")
    assert codes_of(several, goal).tolist() == [[1, 1], [0, 1], [-1, -1], [1, 0]]
    numbers = dataset([1.5, np.nan, 3.0], "regression")
    goal = read_goal(numbers)
    assert (goal.kind, goal.classes, goal.metric, goal.outputs) == ("regression", (), "mae", 1)
    assert np.array_equal(codes_of(numbers, goal), [1.5, np.nan, 3.0], equal_nan=True)


def test_codes_follow_the_classes_of_the_goal() -> None:
    goal = read_goal(dataset(["b", "a", "c"]))
    assert codes_of(dataset(["c", None, "a", "new"]), goal).tolist() == [2, -1, 0, -1]


def test_a_class_of_the_data_set_without_a_sample_is_no_class() -> None:
    kept = dataset(["a", "b", "c", "a", "b"]).where([True, True, False, True, True])
    assert read_goal(kept).classes == ("a", "b")


def test_the_positive_class_can_be_named() -> None:
    given = dataset(["sick"] * 3 + ["well"] * 9)
    assert read_goal(given, positive="well").positive == "well"
    with pytest.raises(OptionError, match="Did you mean 'sick'"):
        read_goal(given, positive="sik")
    with pytest.raises(OptionError, match="one of two"):
        read_goal(dataset(["a", "b", "c"]), positive="a")


def test_metrics_by_name() -> None:
    given = dataset(["a", "b"] * 3)
    assert read_goal(given, metric="Balanced_Accuracy").metric == "balanced-accuracy"
    with pytest.raises(OptionError, match="Did you mean 'accuracy'"):
        read_goal(given, metric="acuracy")
    with pytest.raises(OptionError, match="'mae' does not suit a binary goal"):
        read_goal(given, metric="mae")
    with pytest.raises(OptionError, match="take --metric f-beta"):
        read_goal(given, metric="accuracy", beta=2)
    with pytest.raises(OptionError, match="above 0"):
        read_goal(given, metric="f-beta", beta=0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("latency_ms<=5", Requirement("latency_ms", "", False, 5)),
        ("latency-ms <= 5", Requirement("latency_ms", "", False, 5)),
        (" recall[sick] >= 0.95", Requirement("recall", "sick", True, 0.95)),
        ("f1[a [2]>=1]>=.5", Requirement("f1", "a [2]>=1", True, 0.5)),
        ("macro_f1>=0.8", Requirement("macro-f1", "", True, 0.8)),
        ("log-loss<=3e-1", Requirement("log-loss", "", False, 0.3)),
    ],
)
def test_requirements_are_read(text: str, wanted: Requirement) -> None:
    assert parse_requirement(text, "multi-class", ("sick", "well", "a [2]>=1")) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recall[sick]>0.9", "expected FIGURE>=NUMBER"),
        ("recall[sick]>=high", "expected FIGURE>=NUMBER"),
        ("recall[sick]>=nan", "expected FIGURE>=NUMBER"),
        ("recal[sick]>=0.9", "Did you mean 'recall'"),
        ("recall[sik]>=0.9", "Did you mean 'sick'"),
        ("mae<=2", "no figure of a binary goal"),
        ("recall[sick]>=95", "did you mean 0.95"),
        ("recall[sick]<=0.9", "better the higher"),
        ("latency_ms>=5", "better the lower"),
        ("latency_ms[sick]<=5", "one class has"),
        ("f1>=0.5", "of which class"),
    ],
)
def test_requirements_that_cannot_be_are_refused_with_what_to_do(text: str, words: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_requirement(text, "binary", ("sick", "well"))
    assert words in str(error.value)


def test_targets_are_within_range() -> None:
    assert read_goal(dataset(["a", "b"]), target=0.93).target == 0.93
    with pytest.raises(OptionError, match="did you mean 0.93"):
        read_goal(dataset(["a", "b"]), target=93)


def test_labels_that_cannot_be_learned_are_refused() -> None:
    with pytest.raises(InputError, match="no labels"):
        read_goal(dataset([None, None], "none"))
    with pytest.raises(InputError, match="every label is 'a'"):
        read_goal(dataset(["a", "a", None]))
    with pytest.raises(InputError, match="for detection"):
        read_goal(dataset(["a"], "detection"))
    with pytest.raises(InputError, match="no sample of 'train' has a label"):
        read_goal(dataset(["a", "b", None], split=["val", "val", "train"]))


def test_a_class_absent_from_train_is_named_with_what_to_do() -> None:
    with pytest.raises(
        InputError, match=r"no sample in 'train': 'c' \(2 in 'test' and 'val'\).*dataprep split"
    ):
        read_goal(dataset(["a", "b", "c", "c"], split=["train", "train", "val", "test"]))
    with pytest.raises(InputError, match="'y' "):
        read_goal(dataset(["x", "x|y"], "multi-label", split=["train", "val"]))
    many = dataset([f"c{i}" for i in range(20)], split=["train"] * 10 + ["val"] * 10)
    with pytest.raises(InputError, match="10 classes have .* and 5 more"):
        read_goal(many)
