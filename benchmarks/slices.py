"""Quality of underperforming-group and low-coverage: false alarms where nothing goes with anything,
and planted faults.

    python benchmarks/slices.py [--data DIR] [--draws 100] [--cache-dir DIR]

The photos and CIFAR images are measured and embedded as any. False alarms: the measured columns of
all images are dealt out anew within classes (of underperforming-group: groups of images that look
alike are left out, because the probe sees looks), or the labels are (of low-coverage); any claim is
one. Planted: a camera that took some of the images, on which the probe is made to fail in a share
of cases; a class whose darker images are taken out. Last, what is said of the sets as they are.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from dataprep.checks.content.low_coverage import LowCoverage
from dataprep.checks.content.underperforming_group import UnderperformingGroup
from dataprep.checks.contract import Check
from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.second_look import SecondLook
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.probes.features import Features
from dataprep.probes.labels.label_evidence import LabelEvidence
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of


class Look(SecondLook):
    """A second look that takes no image for a copy, whose label evidence may be given."""

    given: LabelEvidence | None = None
    blind = False

    def duplicates(self) -> Duplicates:
        pairs = pd.DataFrame({"a": [], "b": [], "kind": [], "relation": [], "confidence": []})
        return Duplicates(
            pairs=pairs,
            groups=np.full(len(self.dataset), -1, np.int64),
            keep=np.ones(len(self.dataset), bool),
        )

    def features(self) -> Features:
        return self._random if self.blind else super().features()

    def labels(self) -> LabelEvidence:
        return self.given if self.given is not None else super().labels()

    @cached_property
    def _random(self) -> Features:
        values = (
            np.random.default_rng(0).standard_normal((len(self.dataset), 16)).astype(np.float32)
        )
        return Features(
            values / np.linalg.norm(values, axis=1, keepdims=True), np.ones(len(values), bool)
        )


def look_at(
    dataset: Dataset, evidence: LabelEvidence | None = None, *, blind: bool = False
) -> Look:
    look = Look(dataset, PassOptions(), verify=None)
    look.given, look.blind = evidence, blind
    return look


def claims(check: Check, dataset: Dataset, look: Look) -> list[dict]:
    return [
        row | evidence_of(row["evidence"])
        for batch in check.find(dataset, look)
        for row in batch.to_dict("records")
    ]


def dealt(dataset: Dataset, rng: np.random.Generator, *, within: bool) -> Dataset:
    """The measured columns of other images (of the same class)."""
    labels = pd.factorize(dataset.samples["label"])[0]
    order = np.arange(len(dataset))
    parts = (
        [np.flatnonzero(labels == code) for code in range(labels.max() + 1)] if within else [order]
    )
    for part in parts:
        order[part] = rng.permutation(part)
    moved = (
        dataset.samples.drop(columns=["label", "split"])
        .iloc[order]
        .reset_index(drop=True)
        .set_index(dataset.samples.index)
    )
    return dataclasses.replace(
        dataset, samples=pd.concat([dataset.samples[["label", "split"]], moved], axis=1)
    )


def renamed(dataset: Dataset) -> Dataset:
    """Neutral names, so that those that the images came with do not count."""
    names = pd.Index(
        [f"{number:06d}.jpg" for number in range(len(dataset))], name="sample", dtype="str"
    )
    return dataclasses.replace(dataset, samples=dataset.samples.set_axis(names))


def failing(
    dataset: Dataset, evidence: LabelEvidence, size: int, share: float, rng: np.random.Generator
) -> tuple[Dataset, Look]:
    """A camera that took `size` images, `share` of which the probe takes for another class on
    top of its usual errors.
    """
    chosen = rng.choice(len(dataset), size, replace=False)
    cameras = np.full(len(dataset), "Acme One", dtype=object)
    cameras[chosen] = "Acme Two"
    probs = np.array(evidence.probs, np.float32)
    for row in chosen[rng.random(size) < share]:
        probs[row] = np.roll(
            np.eye(len(evidence.classes), dtype=np.float32)[evidence.given[row]], 1
        )
    made = dataset.assign(camera=pd.Categorical(cameras))
    return made, look_at(made, dataclasses.replace(evidence, probs=probs), blind=True)


def without_dark(dataset: Dataset, label: str, below: float) -> Dataset:
    dark = dataset.samples["luma_mean"] < dataset.samples["luma_mean"].quantile(below)
    return dataset.where(~(dark & (dataset.samples["label"].astype("str") == label)))


def lacks_dark(check: LowCoverage, dataset: Dataset, label: str) -> bool:
    found = claims(check, dataset, look_at(dataset))
    return any(claim["class_name"] == label and claim["property"] == "luma_mean" for claim in found)


def judge(name: str, dataset: Dataset, draws: int) -> None:
    print(f"\n{name}: {len(dataset):,} images")
    rng, group, coverage = np.random.default_rng(0), UnderperformingGroup(), LowCoverage()
    evidence = look_at(dataset).labels()
    alarms = [
        bool(
            claims(
                group, made := dealt(dataset, rng, within=True), look_at(made, evidence, blind=True)
            )
        )
        for _ in range(draws)
    ]
    print(
        "underperforming-group, properties dealt anew within classes: a claim on "
        f"{np.mean(alarms):.1%} of {draws}"
    )
    for size in (50, 100, 200):
        found = []
        for share in (0.15, 0.3):
            hits = []
            for _ in range(max(draws // 5, 5)):
                made, look = failing(dataset, evidence, size, share, rng)
                hits.append(
                    any("Acme Two" in claim["target"] for claim in claims(group, made, look))
                )
            found.append(f"{np.mean(hits):.0%} at {share:.0%} more errors")
        print(f"  planted camera of {size} images: found in " + ", ".join(found))
    alarms = [
        bool(claims(coverage, made := dealt(dataset, rng, within=False), look_at(made)))
        for _ in range(draws)
    ]
    print(f"low-coverage, labels dealt anew: a claim on {np.mean(alarms):.1%} of {draws}")
    for below in (0.05, 0.1, 0.2):
        labels = sorted(dataset.samples["label"].astype("str").unique())
        hits = [
            lacks_dark(
                coverage, without_dark(dealt(dataset, rng, within=False), label, below), label
            )
            for label in labels
        ]
        print(
            f"  a class without its darkest {below:.0%}: found in {sum(hits)} of {len(hits)} "
            "classes"
        )
    as_they_are(dataset, group, coverage)


def as_they_are(dataset: Dataset, *checks: Check) -> None:
    look = look_at(dataset)
    look.labels()
    for check in checks:
        began = time.perf_counter()
        found = claims(check, dataset, look)
        print(f"as it is, {check.code} ({time.perf_counter() - began:.1f} s):")
        for claim in found:
            print(f"  {claim['target']}: {check.message.format(**claim)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).parent.parent.parent / "shared" / "data"
    )
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument(
        "--cache-dir", default="", help="cache of measured files; default: the user's"
    )
    arguments = parser.parse_args()
    for name in ("photos", "cifar10"):
        dataset = scan(str(arguments.data / name / "images"))
        judge(
            name,
            renamed(measure(dataset, options=PassOptions(cache_dir=arguments.cache_dir))),
            arguments.draws,
        )


if __name__ == "__main__":
    main()
