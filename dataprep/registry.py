"""Names to the things they stand for, loaded at first use; built-ins and plug-ins come through the
same door.

A plug-in is an entry point in one of the groups ``dataprep.checks``, ``dataprep.measures``,
``dataprep.embedders`` and ``dataprep.readers``. A name that two packages claim is an error that
names both.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dataprep.errors import RegistryError
from dataprep.schemas.options import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

_CHECKS = {
    "files": {
        "unreadable": "unreadable:Unreadable",
        "extension-mismatch": "extension_mismatch:ExtensionMismatch",
        "decompression-bomb": "decompression_bomb:DecompressionBomb",
        "multi-frame": "multi_frame:MultiFrame",
        "odd-mode": "odd_mode:OddMode",
        "exif-rotated": "exif_rotated:ExifRotated",
        "gps-metadata": "gps_metadata:GpsMetadata",
    },
    "records": {
        "missing-file": "missing_file:MissingFile",
        "unlisted-file": "unlisted_file:UnlistedFile",
        "duplicate-row": "duplicate_row:DuplicateRow",
        "conflicting-rows": "conflicting_rows:ConflictingRows",
        "empty-label": "empty_label:EmptyLabel",
        "label-spelling": "label_spelling:LabelSpelling",
        "unknown-split": "unknown_split:UnknownSplit",
        "unreadable-folder": "unreadable_folder:UnreadableFolder",
        "malformed-row": "malformed_row:MalformedRow",
        "mask-beside-image": "mask_beside_image:MaskBesideImage",
    },
    "duplicates": {
        "exact-duplicate": "exact_duplicate:ExactDuplicate",
        "near-duplicate": "near_duplicate:NearDuplicate",
        "another-shot": "another_shot:AnotherShot",
        "label-conflict": "label_conflict:LabelConflict",
        "similar-images": "similar_images:SimilarImages",
    },
    "labels": {
        "wrong-label": "wrong_label:WrongLabel",
        "label-candidates": "label_candidates:LabelCandidates",
        "ambiguous-classes": "ambiguous_classes:AmbiguousClasses",
        "label-noise": "label_noise:LabelNoise",
        "class-imbalance": "class_imbalance:ClassImbalance",
        "small-class": "small_class:SmallClass",
    },
    "content": {
        "outlier": "outlier:Outlier",
        "underperforming-group": "underperforming_group:UnderperformingGroup",
        "low-coverage": "low_coverage:LowCoverage",
        "learning-curve": "learning_curve:LearningCurve",
    },
    "shortcuts": {"shortcut": "shortcut:Shortcut", "trigger": "trigger:Trigger"},
    "splits": {
        "split-leakage": "split_leakage:SplitLeakage",
        "group-leakage": "group_leakage:GroupLeakage",
        "possible-groups": "possible_groups:PossibleGroupsCheck",
        "label-shift": "label_shift:LabelShift",
        "absent-class": "absent_class:AbsentClass",
        "distribution-mismatch": "distribution_mismatch:DistributionMismatch",
        "normalisation-mismatch": "normalisation_mismatch:NormalisationMismatch",
    },
    "quality": {
        "dark": "dark:Dark",
        "bright": "bright:Bright",
        "low-contrast": "low_contrast:LowContrast",
        "blurry": "blurry:Blurry",
        "motion-blur": "motion_blur:MotionBlur",
        "noisy": "noisy:Noisy",
        "heavy-compression": "heavy_compression:HeavyCompression",
        "upscaled": "upscaled:Upscaled",
        "low-information": "low_information:LowInformation",
        "odd-size": "odd_size:OddSize",
        "odd-aspect-ratio": "odd_aspect_ratio:OddAspectRatio",
        "grayscale": "grayscale:Grayscale",
        "border": "border:Border",
        "already-normalised": "already_normalised:AlreadyNormalised",
    },
}

#: Group to {name: "module:attribute"}; the order is the order in which things run and are listed.
BUILT_IN: dict[str, dict[str, str]] = {
    "dataprep.checks": {
        code: f"dataprep.checks.{family}.{place}"
        for family, checks in _CHECKS.items()
        for code, place in checks.items()
    },
    "dataprep.measures": {},
    "dataprep.embedders": {"lite0": "dataprep.measures.embedding.lite0:lite0"},
    "dataprep.readers": {},
}


def names(group: str) -> list[str]:
    """Every name in `group`, built-ins first."""
    return list(_table(group))


def load(group: str, name: str) -> Any:
    """The thing that `name` stands for.

    Raises:
        RegistryError: an unknown name (with the nearest known one), a name taken twice, or one that
            fails to import.
    """
    table = _table(group)
    if name not in table:
        raise RegistryError(f"no {_noun(group)} is called {name!r}. {did_you_mean(name, table)}")
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        if name in BUILT_IN[group]:
            raise
        raise RegistryError(
            f"{_noun(group)} {name!r} at {table[name]} does not load: {error}"
        ) from error


def entry_points(group: str) -> EntryPoints:
    """The plug-ins of installed packages. Their metadata are slow to import and to read: no worker
    asks for them unless a column needs a plug-in.
    """
    from importlib import metadata

    return metadata.entry_points(group=group)


@cache
def _table(group: str) -> dict[str, str]:
    table = dict(BUILT_IN[group])
    owners = dict.fromkeys(table, "dataprep")
    for entry in entry_points(group=group):
        owner = _owner(entry)
        if entry.name in table:
            raise RegistryError(
                f"{_noun(group)} {entry.name!r} is claimed by both {owners[entry.name]} and "
                f"{owner}: "
                "uninstall one of them or rename its entry point"
            )
        table[entry.name], owners[entry.name] = entry.value, owner
    return table


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def _noun(group: str) -> str:
    return group.removeprefix("dataprep.").removesuffix("s")
