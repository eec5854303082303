"""Quality of wrong-label, ambiguous-classes, label-noise and learning-curve on real label errors;
speed and memory on vectors.

    python benchmarks/wronglabels.py [--data DIR] [--embeddings DIR] [--cleanlab-python PYTHON]
    [--curve] [--scale]

Labels: ``DIR/photos/noise`` (errors planted in 5, 10 and 20 % of the photos' labels; the photos
hold errors of their own, which count against) and ``DIR/cifar10`` (CIFAR-10N: the errors of
people). Embeddings are made by dataprep, or read from a folder with ``photos.npy`` and
``cifar10.npy``, paths beside them in ``.txt``.

Rows: ours; ours with the photos' senders as groups, kept together; a prototype (the same space;
ridge regression with closed-form leave-one-out, nearest neighbours and logistic regression in 5
folds, mean log-probability; listed where confident learning's count says); cleanlab's Datalab with
the same embeddings, and its find_label_issues on logistic regression in 5 folds on the same
embeddings, if PYTHON is an interpreter with cleanlab 2.9.0. AUROC and AP are of the ranking;
precision and recall of the list.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from dataprep.checks.labels.ambiguous_classes import AmbiguousClasses
from dataprep.checks.labels.label_noise import noise_figures
from dataprep.neighbours.cosine import nearest
from dataprep.probes.classifiers.curve import measured_curve
from dataprep.probes.classifiers.knn import knn_probs
from dataprep.probes.classifiers.ridge import ridge_scores
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.features import features_of
from dataprep.probes.labels.confident import confident_joint
from dataprep.probes.labels.label_evidence import LabelEvidence, evidence_of_labels
from dataprep.schemas.dataset import Dataset

KINDS = [f"{kind}_{rate}" for rate in ("10", "20", "05") for kind in ("uniform", "confusable")]
#: Set to the least precision and recall of our list.
BARS = {
    "uniform_10": (0.85, 0.70),
    "uniform_20": (0.85, 0.70),
    "confusable_10": (0.70, 0.65),
    "confusable_20": (0.70, 0.65),
}
CLEANLAB = """
import json, sys
import numpy as np
given = np.load(sys.argv[1])
x, y = given["x"], given["y"].astype(int)
from cleanlab import Datalab
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
lab = Datalab({"x": x, "label": [str(v) for v in y]}, label_name="label", task="classification", verbosity=0)
lab.find_issues(features=x, issue_types={"label": {}})
found = lab.get_issues("label")
probs = cross_val_predict(LogisticRegression(max_iter=1000), x, y, cv=5, method="predict_proba")
print("RESULT" + json.dumps({
    "cleanlab Datalab": [(-found["label_score"]).tolist(), found["is_label_issue"].tolist()],
    "cleanlab 5-fold LR": [(-get_label_quality_scores(y, probs)).tolist(), find_label_issues(y, probs).tolist()],
}))
"""


@dataclass(frozen=True)
class Labels:
    """One set: embeddings (n, d), the labels given and true, and who belongs together."""

    name: str
    embedding: np.ndarray
    given: np.ndarray
    true: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.given != self.true


@dataclass(frozen=True)
class Row:
    """What one method says of one set: a score for each label, larger is worse, the list, and
    its estimated precision.
    """

    name: str
    score: np.ndarray
    listed: np.ndarray
    estimated: float = float("nan")
    seconds: float = float("nan")


def embeddings(folder: Path, cache: Path | None) -> tuple[pd.Series, np.ndarray]:
    """Row of each image of `folder`/images, by path below it, and the embeddings."""
    if cache is not None:
        paths = (cache / f"{folder.name}.txt").read_text(encoding="utf-8").split("\n")
        known = [path.split("images/", 1)[1] for path in paths if path]
        return pd.Series(range(len(known)), index=known), np.load(cache / f"{folder.name}.npy")
    from dataprep.ingest import scan
    from dataprep.measures.decode_pass import measure

    measured = measure(scan(str(folder / "images")), ["embedding"])
    return pd.Series(range(len(measured)), index=measured.samples.index), measured.arrays[
        "embedding"
    ]


def all_sets(data: Path, cache: Path | None) -> Iterator[Labels]:
    rows, vectors = embeddings(data / "photos", cache)
    senders = pd.read_csv(data / "photos" / "truth.csv").set_index("path")["sender_id"]
    for kind in KINDS:
        table = pd.read_csv(data / "photos" / "noise" / f"{kind}.csv")
        yield labels_of(
            kind,
            vectors[rows[table["path"]]],
            table["label"],
            table["true_label"],
            senders[table["path"]],
        )
    rows, vectors = embeddings(data / "cifar10", cache)
    table = pd.read_csv(data / "cifar10" / "truth.csv")
    table = table[table["split"] == "train"]
    for column in ("aggre_label", "random1", "worse_label"):
        name = f"cifar10n {column.removesuffix('_label')}"
        yield labels_of(
            name,
            vectors[rows[table["path"]]],
            table[column],
            table["clean_label"],
            pd.Series(range(len(table))),
        )


def labels_of(
    name: str, vectors: np.ndarray, given: pd.Series, true: pd.Series, groups: pd.Series
) -> Labels:
    classes = tuple(sorted(set(true)))
    code = {label: number for number, label in enumerate(classes)}
    return Labels(
        name,
        vectors,
        given.map(code).to_numpy(np.int32),
        true.map(code).to_numpy(np.int32),
        classes,
        pd.factorize(groups)[0].astype(np.int64),
    )


def dataset_of(labels: Labels) -> Dataset:
    names = np.array(labels.classes, dtype=object)[labels.given]
    return Dataset(
        "benchmark",
        pd.DataFrame({"label": pd.Categorical(names)}),
        "classification",
        labels.classes,
    )


def ours(labels: Labels, name: str, units: np.ndarray) -> tuple[Row, LabelEvidence]:
    since = time.perf_counter()
    features = features_of(labels.embedding)
    evidence = evidence_of_labels(
        dataset_of(labels), features, nearest(features.values, features.known, 32), units
    )
    seconds = time.perf_counter() - since
    stated = float("nan") if evidence.precision is None else evidence.precision.mean
    return Row(
        name, np.nan_to_num(evidence.list.scores, nan=-99), evidence.listed, stated, seconds
    ), evidence


def prototype(labels: Labels) -> Row:
    """Mean log-probability of ridge regression, nearest neighbours and logistic regression."""
    since = time.perf_counter()
    features = features_of(labels.embedding)
    near = nearest(features.values, features.known, 32)
    targets, units = (
        Targets.of_labels(labels.given, len(labels.classes)),
        np.arange(len(labels.given)),
    )
    scores = ridge_scores(features.values, targets, units)
    likely = {
        t: np.log(softmax(scores * t)[units, labels.given]).mean()
        for t in (2.0, 4.0, 6.0, 8.0, 12.0, 16.0)
    }
    logs = [
        np.log(softmax(scores * max(likely, key=likely.__getitem__))),
        np.log(knn_probs(near, targets, units)),
    ]
    logs.append(
        np.log(
            np.maximum(folded_logistic(features.values, labels.given, len(labels.classes)), 1e-6)
        )
    )
    probs = softmax(np.mean(logs, axis=0))
    score = -np.log(probs[units, labels.given])
    joint = confident_joint(probs, labels.given)
    number = round(len(units) - float(np.trace(joint)))
    return Row(
        "prototype",
        score,
        np.argsort(np.argsort(-score)) < number,
        seconds=time.perf_counter() - since,
    )


def folded_logistic(values: np.ndarray, given: np.ndarray, classes: int) -> np.ndarray:
    probs = np.zeros((len(values), classes))
    for learn, held in StratifiedKFold(5, shuffle=True, random_state=0).split(values, given):
        model = LogisticRegression(C=3, max_iter=300).fit(values[learn], given[learn])
        probs[np.ix_(held, model.classes_)] = model.predict_proba(values[held])
    return probs


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cleanlab(python: str, labels: Labels) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.npz"
        np.savez(given, x=labels.embedding.astype(np.float32), y=labels.given)
        run = subprocess.run(
            [python, "-c", CLEANLAB, str(given)],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
    answers = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    if not answers:
        print(f"    cleanlab failed: {run.stderr.strip()[-300:]}")
        return []
    found = json.loads(answers[0].removeprefix("RESULT"))
    return [
        Row(name, np.array(score), np.array(listed, bool))
        for name, (score, listed) in found.items()
    ]


def show(labels: Labels, row: Row) -> tuple[float, float]:
    """Print a line; precision and recall of the list."""
    wrong, score = labels.wrong, row.score
    hits = int(wrong[row.listed].sum())
    precision, recall = hits / max(1, int(row.listed.sum())), hits / int(wrong.sum())
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(wrong[order])
    at = int(np.searchsorted(found, 0.75 * wrong.sum()))
    estimate = (
        f"{row.estimated:>10.2f}{abs(row.estimated - precision):>8.2f}"
        if row.estimated == row.estimated
        else " " * 18
    )
    seconds = f"{row.seconds:>8.1f}" if row.seconds == row.seconds else ""
    print(
        f"{row.name:<20}{roc_auc_score(wrong, score):>7.3f}{average_precision_score(wrong, score):>7.3f}"
        f"{found[at] / (at + 1):>8.2f}{int(row.listed.sum()):>7}{precision:>11.2f}{recall:>8.2f}{estimate}{seconds}"
    )
    return precision, recall


def quality(sets: list[Labels], python: str) -> None:
    met: list[str] = []
    for labels in sets:
        print(f"\n{labels.name}: {len(labels.given):,} samples, {labels.wrong.mean():.1%} wrong")
        print(
            f"{'':<20}{'AUROC':>7}{'AP':>7}{'P@R.75':>8}{'list':>7}{'precision':>11}{'recall':>8}{'estimated':>10}{'|diff|':>8}{'s':>8}"
        )
        row, evidence = ours(labels, "dataprep", np.arange(len(labels.given)))
        precision, recall = show(labels, row)
        if len(np.unique(labels.groups)) < len(labels.groups):
            show(labels, ours(labels, "dataprep, by sender", labels.groups)[0])
        others = [prototype(labels), *(cleanlab(python, labels) if python else [])]
        peers = {other.name: show(labels, other) for other in others}
        describe(labels, evidence)
        if labels.name in BARS:
            least = BARS[labels.name]
            met.append(
                f"{labels.name}: "
                f"{'met' if precision >= least[0] and recall >= least[1] else 'NOT met'}"
            )
        for name, (theirs, recalled) in peers.items():
            if name.startswith("cleanlab") and theirs >= precision and recalled >= recall:
                met.append(f"{labels.name}: {name} recalls more at no less precision")
    print("\nbars:", "; ".join(met))


def describe(labels: Labels, evidence: LabelEvidence) -> None:
    """The estimated rate beside the true one, the suggested labels, and the pairs of classes
    that are named.
    """
    if evidence.rate is None:
        print(f"    no list ({evidence.withheld}), true rate {labels.wrong.mean():.1%}")
        return
    noise, listed = (
        noise_figures(evidence, evidence.rate),
        np.flatnonzero(evidence.listed & labels.wrong),
    )
    right = float((evidence.suggested[listed] == labels.true[listed]).mean())
    print(
        f"    rate {noise['rate']:.1%} ({noise['low']:.1%} to {noise['high']:.1%}), true "
        f"{labels.wrong.mean():.1%}; "
        f"suggested label right for {right:.0%} of the wrong labels listed"
    )
    size = np.bincount(labels.true, minlength=len(labels.classes))
    for pair in AmbiguousClasses()._pairs(evidence)[:12]:
        a, b = pair["codes"]
        mixed = ((labels.true == a) & (labels.given == b)) | (
            (labels.true == b) & (labels.given == a)
        )
        print(
            f"    {pair['target']} / {pair['other']}: {pair['figure']:.1%} ({pair['low']:.1%} to "
            f"{pair['high']:.1%}), "
            f"true {mixed.sum() / (size[a] + size[b]):.1%}"
        )


def curves(sets: list[Labels]) -> None:
    """The curve of random halves, carried on to the whole."""
    print(
        "\nlearning-curve: random halves carried on to twice their size, beside the curve of the "
        "whole\n"
    )
    misses, inside, widths = [], [], []
    for labels in sets:
        features = features_of(labels.embedding)
        units = np.arange(len(labels.given))
        whole = measured_curve(features.values, labels.given, units, len(labels.classes), 20)
        for draw in range(5):
            half = np.random.default_rng(draw).permutation(len(units))[: len(units) // 2]
            curve = measured_curve(
                features.values[half],
                labels.given[half],
                units[half],
                len(labels.classes),
                6,
                seed=draw,
            )
            misses.append(curve.twice - whole.now)
            inside.append(curve.low <= whole.now <= curve.high)
            widths.append(curve.high - curve.low)
        ahead = f"twice {curve.twice:.3f} ({curve.low:.3f} to {curve.high:.3f})"
        print(f"{labels.name:<20}now {curve.now:.3f}, {ahead}, measured {whole.now:.3f}")
    print(
        f"mean |error| {np.abs(misses).mean():.4f}, bias {np.mean(misses):+.4f}, within the "
        f"interval {np.mean(inside):.0%} "
        f"of {len(inside)}, its mean width {np.mean(widths):.3f}"
    )


def clustered(
    rows: int, classes: int, size: int = 256
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors (rows, size) around one centre for each class, the true labels, and labels of
    which 10 % were drawn again.
    """
    rng = np.random.default_rng(0)
    centres, true = (
        rng.normal(size=(classes, size)).astype(np.float32),
        rng.integers(0, classes, rows).astype(np.int32),
    )
    vectors = np.empty((rows, size), np.float16)
    for start in range(0, rows, 20_000):
        part = true[start : start + 20_000]
        vectors[start : start + 20_000] = 0.4 * centres[part] + 1.5 * rng.normal(
            size=(len(part), size)
        ).astype(np.float32)
    redrawn = rng.random(rows) < 0.1
    given = true.copy()
    given[redrawn] = rng.integers(0, classes, int(redrawn.sum()))
    return vectors, true, given


def scale(sizes: list[tuple[int, int]]) -> None:
    print(
        f"\n{'samples':>10}{'classes':>9}{'features s':>12}{'neighbours s':>14}{'labels s':>10}{'precision':>11}{'recall':>8}"
        f"{'estimated':>11}{'peak GB':>9}"
    )
    for rows, classes in sizes:
        vectors, true, given = clustered(rows, classes)
        wrong, names = given != true, tuple(f"class {code:04d}" for code in range(classes))
        dataset = dataset_of(Labels("", vectors, given, true, names, np.arange(rows)))
        clock = [time.perf_counter()]
        features = features_of(vectors)
        clock.append(time.perf_counter())
        near = nearest(features.values, features.known, 32)
        clock.append(time.perf_counter())
        evidence = evidence_of_labels(dataset, features, near, np.arange(rows))
        clock.append(time.perf_counter())
        steps = np.diff(clock)
        listed = evidence.listed
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        hits = wrong[listed].sum()
        estimated = float("nan") if evidence.precision is None else evidence.precision.mean
        print(
            f"{rows:>10,}{classes:>9,}{steps[0]:>12.1f}{steps[1]:>14.1f}{steps[2]:>10.1f}{hits / max(1, listed.sum()):>11.2f}"
            f"{hits / wrong.sum():>8.2f}{estimated:>11.2f}{peak:>9.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument(
        "--embeddings",
        type=Path,
        help="folder with photos.npy, photos.txt, cifar10.npy and cifar10.txt",
    )
    parser.add_argument("--cleanlab-python", default="", help="interpreter with cleanlab 2.9.0")
    parser.add_argument("--curve", action="store_true", help="learning-curve instead")
    parser.add_argument("--scale", action="store_true", help="speed and memory instead")
    parser.add_argument(
        "--most", type=int, default=1_000_000, help="samples of the largest run of --scale"
    )
    options = parser.parse_args()
    if options.scale:
        sizes = [(50_000, 100), (50_000, 1000), (1_000_000, 10), (1_000_000, 100)]
        scale([size for size in sizes if size[0] <= options.most])
        return
    sets = list(all_sets(options.data, options.embeddings))
    if options.curve:
        curves(sets)
    else:
        quality(sets, options.cleanlab_python)


if __name__ == "__main__":
    main()
