"""The proof of a split: what was asked for, what came of it, what leaks, and what other splitters
give on the same samples. ``proof.json`` holds the same under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dataprep.schemas.results.records import KEY, OPTIONAL

#: Version of the format of ``proof.json``.
VERSION = 1


@dataclass(frozen=True)
class Asked:
    """The options of a split.

    Attributes:
        parts: names of the parts, in order; the folds' names where there are folds; empty for
            leave-one-group-out.
        sizes: share (0 to 1) or number of samples of each part; NaN (in a proof "rest") for the
            part that takes the rest.
        mode: what `sizes` are: "ratios" or "counts".
        folds: number of folds, 0 for parts of their own sizes.
        repeats: number of divisions, all different.
        leave_one_group_out: every group is a fold of its own.
        groups: columns of what belongs together.
        external: (column, value) of the rows that go to the part "external".
        time_column: column by whose order the parts follow each other; "" for none.
        day_first: whether 01/02/2023 is the first of February there; None takes the reading that
            fits all rows.
        balance: columns whose values have the same proportions in every part.
        seed: of everything that is random.
        keep_similar: images that look alike without being copies stay together.
        keep_unlabelled: samples without a label take part though others have one.
    """

    parts: tuple[str, ...] = ()
    sizes: tuple[float | str, ...] = ()
    mode: str = "ratios"
    folds: int = 0
    repeats: int = 1
    leave_one_group_out: bool = False
    groups: tuple[str, ...] = ()
    external: tuple[tuple[str, str], ...] = ()
    time_column: str = ""
    day_first: bool | None = None
    balance: tuple[str, ...] = ()
    seed: int = 0
    keep_similar: bool = True
    keep_unlabelled: bool = False


@dataclass(frozen=True)
class LargestUnit:
    """The largest unit: the least name of its samples, and how many they are."""

    name: str = ""
    samples: int = 0


@dataclass(frozen=True)
class PartSize:
    """The size of a part.

    Attributes:
        part: its name.
        samples: samples in it.
        target: samples wanted; None where nothing was.
        share: of all samples, 0 to 1.
        units: units in it.
        holds: what is in it, in words; only of groups left out one by one.
    """

    part: str
    samples: int
    target: float | None = None
    share: float = 0.0
    units: int = 0
    holds: str | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class LeftOut:
    """Samples that are in no part, and why."""

    why: str
    samples: int


@dataclass(frozen=True)
class GroupCounts:
    """Groups of a column, and those of several samples."""

    groups: int = 0
    of_several: int = 0


@dataclass(frozen=True)
class KeptTogether:
    """What stayed together.

    Attributes:
        pairs: check of duplicates to number of pairs.
        groups: group column to its groups.
    """

    pairs: dict[str, int] = field(default_factory=dict)
    groups: dict[str, GroupCounts] = field(default_factory=dict)


@dataclass(frozen=True)
class PossibleGroup:
    """What looks like groups, though no column of groups was given.

    Attributes:
        kind: "folder", "name", "column" or "numbers".
        by, value: how a group is told from a sample's name or columns.
        option: command-line option that keeps these groups together.
        groups: groups of several samples.
        torn: groups that are in several parts; of repeats, the most.
        samples: samples in these.
    """

    kind: str
    by: str
    value: str
    option: str
    groups: int
    torn: int
    samples: int


@dataclass(frozen=True)
class Leaks:
    """What a division separates though it belongs together.

    Attributes:
        units: units in several parts.
        groups: group column to groups in several parts.
        pairs: check of duplicates to pairs in different parts.
        total: of `groups` and `pairs`.
    """

    units: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    total: int = 0


@dataclass(frozen=True)
class FeatureShares:
    """A label, or a value of a column to balance, in the parts.

    Attributes:
        feature: its name.
        samples: samples that have it.
        share: of all samples, 0 to 1.
        shares, counts: the same of each part.
    """

    feature: str
    samples: int
    share: float
    shares: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Labels:
    """How alike the parts are in their labels.

    Attributes:
        deviation: largest absolute difference between the share of a label in a part and in all
            samples; None without labels.
        table: the labels.
    """

    deviation: float | None = None
    table: tuple[FeatureShares, ...] = ()


@dataclass(frozen=True)
class ThisSplit:
    """This split's figures for the comparison: `deviation` as of `Labels`, `exposed` as of
    `RandomSplits`.
    """

    deviation: float | None
    exposed: float


@dataclass(frozen=True)
class StratifiedGroupFolds:
    """What scikit-learn's StratifiedGroupKFold makes of the same samples.

    Attributes:
        deviation: as of `Labels`, of its best seed.
        sizes: samples of each part.
        seeds: number of seeds tried.
        folds: number of folds, which were merged into the parts.
    """

    deviation: float | None
    sizes: tuple[int, ...]
    seeds: int
    folds: int


@dataclass(frozen=True)
class RandomSplits:
    """Means over random splits of single samples, stratified by label.

    Attributes:
        draws: number of splits.
        deviation: as of `Labels`.
        units, groups, pairs: as of `Leaks`.
        exposed: share of the test samples that have a sample of their unit in training, 0 to 1.
    """

    draws: int
    deviation: float | None
    units: float
    groups: dict[str, float]
    pairs: dict[str, float]
    exposed: float


@dataclass(frozen=True)
class Comparisons:
    """This split beside other splitters; None where there is nothing to compare."""

    ours: ThisSplit | None = field(default=None, metadata=OPTIONAL)
    stratified_group_kfold: StratifiedGroupFolds | None = None
    random: RandomSplits | None = None


@dataclass(frozen=True)
class Difference:
    """A difference between parts: the part, in words, the test's figure and its unit."""

    part: str
    text: str
    figure: float
    unit: str


@dataclass(frozen=True)
class MismatchTest:
    """Whether parts differ beyond chance.

    Attributes:
        status: "match", "differ" or "not tested".
        why: why not tested.
        found: the differences.
    """

    status: str
    why: str = ""
    found: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class MismatchTests:
    """Tests of labels, measured properties and embedding between the parts; None where no test was
    wanted.

    Attributes:
        compared: part to number of its samples that were compared.
    """

    labels: MismatchTest | None = field(default=None, metadata=OPTIONAL)
    properties: MismatchTest | None = field(default=None, metadata=OPTIONAL)
    embedding: MismatchTest | None = field(default=None, metadata=OPTIONAL)
    compared: dict[str, int] | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class FrontierRow:
    """A way to repair a split, as text for a table."""

    moves: str
    leaks: str
    size: str
    deviation: str
    chosen: str


@dataclass(frozen=True)
class FrontierPoint:
    """A way to repair a split: samples moved, and the largest misses of a size and a label."""

    moves: int
    size_deviation: float
    label_deviation: float


@dataclass(frozen=True)
class BeforeRepair:
    """Leaks (as of `Leaks`) and label deviation of a split before its repair."""

    groups: dict[str, int]
    pairs: dict[str, int]
    total: int
    deviation: float | None


@dataclass(frozen=True)
class Changed:
    """What a repair or an extension did to an earlier split.

    Attributes:
        title: "Repaired" or "Extended".
        moved: samples that changed parts.
        lines: what was done, in sentences.
        frontier, points: the ways to repair it, for people and for machines.
        column: column that says in which part each sample was.
        before: the split before.
    """

    title: str
    moved: int = 0
    lines: tuple[str, ...] = ()
    frontier: tuple[FrontierRow, ...] = ()
    points: tuple[FrontierPoint, ...] | None = field(default=None, metadata=OPTIONAL)
    column: str | None = field(default=None, metadata=OPTIONAL)
    before: BeforeRepair | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Repeat:
    """A further division: its column, number of leaks, label deviation and sizes."""

    column: str
    leaks: int = 0
    deviation: float | None = None
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Proof:
    """The proof of a split.

    Attributes:
        fingerprint: of the divided data set.
        version: of the format.
        parts: names, in order.
        apart: parts that are filled by their rows' values, not by the search.
        by_rule: whether nothing was searched for: time or groups decide.
        asked: the options.
        samples, units: how many there are.
        largest_unit: see `LargestUnit`.
        sizes: of the parts, in order.
        left_out: samples that are in no part.
        notes: what else a reader should know.
        kept_together: what stayed together.
        possible_groups: what looks like groups that nobody named.
        not_looked: check of duplicates to why it did not run.
        leaks: of all repeats.
        labels: how alike the parts are in their labels.
        others: the same of the columns to balance.
        compared: other splitters on the same samples.
        tests: whether the parts differ beyond chance.
        compromises: why targets could not be met, in sentences (``given_up`` in JSON).
        repeats: the further divisions.
        changed: what a repair or an extension did.
    """

    fingerprint: str = ""
    version: int = VERSION
    parts: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    by_rule: bool = False
    asked: Asked = Asked()
    samples: int = 0
    units: int = 0
    largest_unit: LargestUnit = LargestUnit()
    sizes: tuple[PartSize, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    kept_together: KeptTogether = field(default_factory=KeptTogether)
    possible_groups: tuple[PossibleGroup, ...] = ()
    not_looked: dict[str, str] = field(default_factory=dict)
    leaks: Leaks = field(default_factory=Leaks)
    labels: Labels = Labels()
    others: tuple[FeatureShares, ...] = ()
    compared: Comparisons = Comparisons()
    tests: MismatchTests = MismatchTests()
    compromises: tuple[str, ...] = field(default=(), metadata={KEY: "given_up"})
    repeats: tuple[Repeat, ...] = ()
    changed: Changed | None = field(default=None, metadata=OPTIONAL)
