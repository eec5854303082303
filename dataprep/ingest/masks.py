"""Masks beside pictures: files that say which pixel of a picture is what, and are no pictures of
their own.

Names propose them: ``a.png`` beside ``a.jpg``, ``a_mask.png`` beside ``a.jpg``, or a folder called
masks, labels or trainannot whose files have the stems of a folder of pictures. Since two
photographs may be called so too, the pixels of a few pairs decide: a mask has few colours in flat
areas, the shape of its picture, and is not the same picture in another format.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataprep.ingest.paths.junk import extension_of
from dataprep.ingest.paths.walk import Tree
from dataprep.schemas.text.names import escape_name

if TYPE_CHECKING:
    import pandas as pd

_WORDS = (
    r"(?:masks?|labels?|labell?ed|label ?maps?|label ?ids|annots?|annotations?|gts?|gt ?fine|gt "
    r"?coarse|"
    r"ground ?truths?|segs?|segmentations?|segmentation ?(?:class|object|mask|map)(?:es|s)?|seg "
    r"?maps?|"
    r"semantic|instances?|tri ?maps?|matt?es?|manual|l)"
)
#: What stands directly before such a word in names of folders (``trainannot``).
_JOINED = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|images?|imgs?)"
_FOLDER = re.compile(rf"(?:.* |{_JOINED})?{_WORDS}(?: .*)?")
_SUFFIX = re.compile(rf"(.+?)[ _.-]+{_WORDS}(?:[ _.-]*\d+)?", re.IGNORECASE)
_PREFIX = re.compile(rf"{_WORDS}[ _.-]+(.+)", re.IGNORECASE)
_LOSSLESS = frozenset(("png", "bmp", "gif", "tif", "tiff"))
#: Of a folder called so, this share of the files has the stem of a picture in one other folder.
_COVERED = 0.8
#: Pairs of one kind in one folder that are opened; all of them where they disagree, within a limit.
_SAMPLED, _MOST_OPENED = 6, 300
#: Of so many folders with pairs, those of one kind are judged together.
_FEW_FOLDERS = 40
#: A mask: so many colours cover 95 % of it, and so many of its pixels equal the one to their right.
_COLOURS, _COVER, _FLAT = 64, 0.95, 0.8
#: Levels of 256 in which two pictures of 32 x 32 pixels differ on average, at most, if they are the
#: same one.
_SAME = 12.0
#: And how far they correlate at least; below such a deviation, in levels, a picture is one plain
#: colour.
_ALIKE, _CONSTANT = 0.8, 2.0
#: So many pairs of one stem make a habit; fewer are chance.
_LEAST_PAIRS = 3
_ASPECT = 0.03
_MOST_PIXELS = 60_000_000


@dataclass(frozen=True)
class Mask:
    """A mask and its picture, as paths relative to the root; `why` says how it was known."""

    path: str
    picture: str
    why: str


def leave_out_masks(tree: Tree) -> list[Mask]:
    """Take the masks out of `tree`, and give them back; where they are counted as passed over."""
    masks = find_masks(tree)
    gone = {mask.path for mask in masks}
    for folder, names in list(tree.folders.items()) if gone else ():
        tree.folders[folder] = [name for name in names if posixpath.join(folder, name) not in gone]
        if not tree.folders[folder]:
            del tree.folders[folder]
    if masks:
        tree.ignored["masks of the pictures beside them"] += len(masks)
    return masks


def find_masks(tree: Tree) -> list[Mask]:
    """The masks in `tree`: proposed by their names, confirmed by the pixels of a few."""
    proposed = {mask.path: (kind, mask) for kind, mask in (*_in_folders(tree), *_beside(tree))}
    pictures = {mask.picture for _, mask in proposed.values()}
    groups: dict[tuple[str, ...], list[Mask]] = defaultdict(list)
    for kind, mask in proposed.values():
        if mask.path not in pictures or kind != "stem":
            groups[kind, posixpath.dirname(mask.path)].append(mask)
    if len(groups) > _FEW_FOLDERS:
        merged: dict[tuple[str, ...], list[Mask]] = defaultdict(list)
        for (kind, *_), masks in groups.items():
            merged[(kind,)] += masks
        groups = merged
    opened = _Opened(tree.root)
    usual = [
        group
        for (kind, *_), group in groups.items()
        if kind != "stem" or len(group) >= _LEAST_PAIRS
    ]
    return sorted(
        (mask for group in usual for mask in _confirmed(group, opened)), key=lambda mask: mask.path
    )


def mask_faults(masks: Sequence[Mask], below: str = "") -> pd.DataFrame:
    """`Dataset.faults` of the masks that were left out, one for each; `below` leads from the
    root to their paths' start.
    """
    from dataprep.schemas.manifest import faults_of

    pictures = [below + escape_name(mask.picture) for mask in masks]
    whys = [escape_name(mask.why) for mask in masks]
    evidence = [
        {"what": f"a mask of {picture}: {why}", "why": why}
        for picture, why in zip(pictures, whys, strict=True)
    ]
    return faults_of(
        "mask-beside-image",
        [below + escape_name(mask.path) for mask in masks],
        related=pictures,
        evidence=evidence,
    )


def _beside(tree: Tree) -> Iterator[tuple[str, Mask]]:
    """Pairs in one folder: of one stem, or where one stem is the other with such a word."""
    for folder, names in tree.folders.items():
        stems: dict[str, list[str]] = defaultdict(list)
        for name in names:
            stems[_stem(name)].append(name)
        for name in names:
            stem, path = _stem(name), posixpath.join(folder, name)
            others = [
                other
                for other in stems[stem]
                if other != name and extension_of(other) != extension_of(name)
            ]
            if others and extension_of(name) in _LOSSLESS:
                yield (
                    "stem",
                    Mask(
                        path,
                        posixpath.join(folder, others[0]),
                        f"it has the name of {others[0]}, beside it",
                    ),
                )
                continue
            bare = _bare(stem)
            if bare and bare in stems:
                yield (
                    "word",
                    Mask(
                        path,
                        posixpath.join(folder, stems[bare][0]),
                        f"it is called after {stems[bare][0]}, beside it",
                    ),
                )


def _in_folders(tree: Tree) -> Iterator[tuple[str, Mask]]:
    """Files of folders called masks, labels, annotations, with the stem of a file in a folder of
    pictures.
    """
    called = {folder for folder in tree.folders if any(map(_is_called_so, folder.split("/")))}
    if not called:
        return
    by_stem: dict[str, list[str]] = defaultdict(list)
    for folder, names in tree.folders.items():
        for name in names if folder not in called else ():
            by_stem[_stem(name)].append(posixpath.join(folder, name))
    for folder in sorted(called):
        found = {name: _pictures(name, by_stem) for name in tree.folders[folder]}
        counts = Counter(
            home for paths in found.values() for home in {posixpath.dirname(path) for path in paths}
        )
        if not counts:
            continue
        home = max(sorted(counts), key=lambda each: (counts[each], _common_parts(each, folder)))
        if counts[home] < _COVERED * len(found):
            continue
        for name, paths in found.items():
            inside = [path for path in paths if posixpath.dirname(path) == home]
            if inside:
                why = (
                    f"the folder {folder} holds files with the names of those in "
                    f"{home or 'the folder above'}"
                )
                yield "folder", Mask(posixpath.join(folder, name), inside[0], why)


def _is_called_so(name: str) -> bool:
    spaced = re.sub(r"[\W_\d]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().lower()
    return spaced != "l" and _FOLDER.fullmatch(spaced) is not None


def _pictures(name: str, by_stem: Mapping[str, Sequence[str]]) -> Sequence[str]:
    stem = _stem(name)
    return by_stem.get(stem) or by_stem.get(_bare(stem)) or ()


def _bare(stem: str) -> str:
    """The stem without such a word at its end or beginning; empty where it has none."""
    match = _SUFFIX.fullmatch(stem) or _PREFIX.fullmatch(stem)
    return match[1] if match else ""


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _common_parts(one: str, other: str) -> int:
    return sum(a == b for a, b in zip(one.split("/"), other.split("/")))


def _confirmed(masks: Sequence[Mask], opened: _Opened) -> list[Mask]:
    """Those that their pixels confirm: all or none where a few agree, else one by one."""
    step = max(len(masks) // _SAMPLED, 1)
    answers = [opened.is_mask(mask) for mask in masks[::step][:_SAMPLED]]
    if len(set(answers)) == 1 and len(masks) > _SAMPLED:
        return list(masks) if answers[0] else []
    if len(masks) > _MOST_OPENED:
        return list(masks) if sum(answers) >= len(answers) - 1 else []
    return [mask for mask in masks if opened.is_mask(mask)]


class _Opened:
    """Opens files of one root, and says of pairs whether one is the mask of the other."""

    def __init__(self, root: str) -> None:
        self._root, self._known = root, dict[str, bool]()

    def is_mask(self, mask: Mask) -> bool:
        """Whether `mask.path` has few colours in flat areas, the shape of the picture, and is
        not the same picture.
        """
        if mask.path not in self._known:
            try:
                self._known[mask.path] = self._look(mask)
            except (
                Exception
            ):  # whatever a decoder or a file system raises: then nothing says that it is a mask
                self._known[mask.path] = False
        return self._known[mask.path]

    def _look(self, mask: Mask) -> bool:
        import numpy as np

        candidate, picture = self._open(mask.path), self._open(mask.picture)
        if max(candidate.width * candidate.height, picture.width * picture.height) > _MOST_PIXELS:
            return False
        ours, theirs = candidate.width / candidate.height, picture.width / picture.height
        if abs(ours / theirs - 1) > _ASPECT or not _is_flat(np.asarray(_plain(candidate))):
            return False
        small = [
            np.asarray(each.convert("RGB").resize((32, 32)), np.float64)
            for each in (candidate, picture)
        ]
        return not _is_same(*small)

    def _open(self, path: str) -> Any:
        from PIL import Image

        if "://" not in self._root:
            return Image.open(os.path.join(self._root, *path.split("/")))
        import fsspec

        with fsspec.open(f"{self._root}/{path}", "rb") as file:
            return Image.open(io.BytesIO(file.read()))


def _is_same(some: Any, other: Any) -> bool:
    """Whether two arrays are the same picture, saved in two formats: near in level, and alike in
    what varies.
    """
    import numpy as np

    if np.abs(some - other).mean() > _SAME:
        return False
    varied = [each.std() > _CONSTANT for each in (some, other)]
    return not any(varied) or (
        all(varied) and float(np.corrcoef(some.ravel(), other.ravel())[0, 1]) >= _ALIKE
    )


def _plain(image: Any) -> Any:
    """The image with palette indices and grey values as they are, and everything else as RGB."""
    return (
        image if image.mode in ("1", "P", "L", "I", "I;16", "RGB", "RGBA") else image.convert("RGB")
    )


def _is_flat(pixels: Any) -> bool:
    """Whether an array (h, w) or (h, w, c) has few colours in flat areas."""
    import numpy as np

    planes = pixels.reshape(*pixels.shape[:2], -1).astype(np.int64)
    codes = sum(planes[..., channel] << 16 * channel for channel in range(min(planes.shape[-1], 3)))
    counts = np.sort(np.unique(codes, return_counts=True)[1])[::-1]
    covered = int(np.searchsorted(np.cumsum(counts), _COVER * codes.size)) + 1
    flat = float((codes[:, 1:] == codes[:, :-1]).mean()) if codes.shape[1] > 1 else 1.0
    return covered <= _COLOURS and flat >= _FLAT
