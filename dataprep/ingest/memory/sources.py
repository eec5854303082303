"""What holds images in memory, to one item after another: mappings, lists, arrays, and data sets of
other libraries.

Other libraries are known by what their objects have, so that none of them is needed or imported
here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.memory.encoding import NoImage, is_image

_LABELS = ("label", "labels", "target", "class", "category", "fine_label", "y")


@dataclass(frozen=True)
class Item:
    """One image with what is known of it.

    Attributes:
        image: what `dataprep.ingest.memory.encoding.encode` takes, or the `NoImage` that came
            instead.
        name: as the source calls it; empty where it has no name.
        columns: ``label`` (text, a list of texts, or None), ``split``, and columns of the source's
            own.
    """

    image: Any
    name: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


def is_hugging_face(source: Any) -> bool:
    """Whether `source` is a data set of Hugging Face's ``datasets``."""
    return hasattr(source, "features") and hasattr(source, "cast_column")


def is_pairs(source: Any) -> bool:
    """Whether `source` is a data set of (image, target), as torch has them."""
    plain = (
        isinstance(source, str | bytes | os.PathLike | list | tuple | Mapping)
        or hasattr(source, "iloc")
        or hasattr(source, "dtype")
    )
    return not plain and hasattr(source, "__getitem__") and hasattr(source, "__len__")


def holds_images(value: Any) -> bool:
    """Whether an element of a list or mapping is an image, with or without its label."""
    if isinstance(value, tuple | list):
        return len(value) >= 2 and is_image(value[0]) and not is_image(value[1])
    return is_image(value) or (isinstance(value, Mapping) and any(map(is_image, value.values())))


def items_of(source: Any, label_column: str | None = None) -> Iterator[Item]:
    """Every image of `source`, one after another.

    Raises:
        InputError: `source` has no images, or it is open which column is meant.
    """
    if is_hugging_face(source):
        return _hugging_face(source, label_column)
    if isinstance(source, Mapping):
        return _mapping(source, label_column)
    if hasattr(source, "dtype") and hasattr(source, "shape"):
        return (Item(image) for image in _batch(source))
    if is_pairs(source):
        return _pairs(source)
    return chain.from_iterable(_element(each, "", label_column) for each in source)


def _mapping(source: Mapping[Any, Any], label_column: str | None) -> Iterator[Item]:
    for name, value in source.items():
        if is_hugging_face(value) or is_pairs(value):
            for item in items_of(value, label_column):
                ours = f"{name}/{item.name}" if item.name else ""
                yield Item(item.image, ours, {**item.columns, "split": str(name)})
        else:
            yield from _element(value, str(name), label_column)


def _element(value: Any, name: str, label_column: str | None) -> Iterator[Item]:
    if isinstance(value, tuple | list) and len(value) >= 2 and not _is_matrix(value):
        yield Item(value[0], name, {"label": _label(value[1], ())})
    elif isinstance(value, Mapping) and not is_image(value):
        yield _record(value, name, label_column)
    else:
        yield Item(value, name)


def _is_matrix(value: Sequence[Any]) -> bool:
    return isinstance(value[0], int | float | list)


def _record(
    record: Mapping[str, Any], name: str, label_column: str | None, classes: Sequence[str] = ()
) -> Item:
    images = [key for key, value in record.items() if is_image(value)]
    if not images:
        return Item(NoImage("a record without an image"), name)
    label = label_column or next((key for key in _LABELS if key in record), "")
    own = {
        _own_name(key): value
        for key, value in record.items()
        if key not in (images[0], label) and _is_plain(value)
    }
    named = name or next(
        (str(record[key]) for key in ("name", "path", "file_name", "filename") if key in record), ""
    )
    return Item(
        record[images[0]],
        named,
        {**own, **({"label": _label(record.get(label), classes)} if label else {})},
    )


def _own_name(name: str) -> str:
    """The name of a source's own column; ``label`` is that of the labels."""
    return "manifest_label" if name == "label" else name


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _batch(array: Any) -> Iterable[Any]:
    shape = tuple(array.shape)
    if len(shape) == 4 or (len(shape) == 3 and shape[2] > 4):
        return (array[row] for row in range(shape[0]))
    raise InputError(
        f"an array of shape {shape} is no batch of images: expected (images, height, width, "
        "channels). Give one image as [image]"
    )


def _pairs(source: Any) -> Iterator[Item]:
    """The (image, target) of a data set with a length; an element that cannot be read is an item
    without an image.
    """
    classes = classes_of(source)
    for row in range(len(source)):
        try:
            element = source[row]
        except (
            Exception
        ) as error:  # whatever the data set's own code raises: one image costs no other
            yield Item(NoImage(f"element {row}: {type(error).__name__}: {error}"))
            continue
        if isinstance(element, tuple | list) and len(element) >= 2:
            yield Item(element[0], "", {"label": _label(element[1], classes)})
        elif isinstance(element, Mapping) and not is_image(element):
            yield _record(element, "", None, classes)
        else:
            yield Item(element[0] if isinstance(element, tuple | list) and element else element)


def classes_of(source: Any) -> Sequence[str]:
    """The names of a data set's classes, in the order of their numbers; empty where it has none."""
    while source is not None:
        classes = getattr(source, "classes", None)
        if isinstance(classes, Sequence) and not isinstance(classes, str) and len(classes):
            return [
                name[0] if isinstance(name, tuple | list) and name else str(name)
                for name in classes
            ]
        several = getattr(source, "datasets", None)
        source = getattr(source, "dataset", None) or (
            several[0] if isinstance(several, Sequence) and several else None
        )
    return ()


def files_of(source: Any) -> list[tuple[str, Any]] | None:
    """The (file, target) of a data set that reads its images from files, such as torchvision's
    ImageFolder; None for others.
    """
    inner = getattr(source, "dataset", None)
    if inner is not None and hasattr(source, "indices"):
        below = files_of(inner)
        return None if below is None else [below[int(row)] for row in source.indices]
    samples = getattr(source, "samples", None) or getattr(source, "imgs", None)
    if not isinstance(samples, list) or not hasattr(source, "loader"):
        return None
    whole = all(
        isinstance(each, tuple) and len(each) == 2 and isinstance(each[0], str) for each in samples
    )
    return samples if whole and os.path.isfile(samples[0][0]) else None


def label_of(target: Any, classes: Sequence[str]) -> Any:
    """A target as text: the name of its class, a list of names, or None where it has none."""
    return _label(target, classes)


def _label(target: Any, classes: Sequence[str]) -> Any:
    if hasattr(target, "detach"):
        target = target.detach().cpu()
    if hasattr(target, "tolist"):
        target = target.tolist()
    if isinstance(target, list | tuple):
        if classes and len(target) == len(classes) and all(each in (0, 1) for each in target):
            return [name for name, each in zip(classes, target, strict=True) if each]
        return [_label(each, classes) for each in target] if all(map(_is_plain, target)) else None
    if target is None or isinstance(target, Mapping):
        return None
    if isinstance(target, int) and not isinstance(target, bool) and classes:
        return str(classes[target]) if 0 <= target < len(classes) else None
    return str(target)


def _hugging_face(source: Any, label_column: str | None) -> Iterator[Item]:
    """The rows of a Hugging Face data set: the bytes of its files as they are, and the names of
    its classes.
    """
    features = dict(source.features or {})
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    images = [name for name, kind in kinds.items() if kind == "Image"]
    if not images:
        raise InputError(
            "the data set has no column of images: its columns are "
            f"{', '.join(features) or 'not known'}"
        )
    image = next((name for name in ("image", "img") if name in images), images[0])
    label = _label_column(kinds, label_column)
    classes = _classes_of_feature(features[label]) if label else ()
    undecoded = source.cast_column(image, type(features[image])(decode=False))
    if hasattr(undecoded, "with_format"):  # rows as they are, not as somebody's tensors
        undecoded = undecoded.with_format(None)
    own = [
        name
        for name, kind in kinds.items()
        if name not in (image, label) and kind in ("Value", "ClassLabel")
    ]
    for row in undecoded:
        record = row[image]
        path = record.get("path") if isinstance(record, Mapping) else None
        columns = {_own_name(name): _own_value(row.get(name), features[name]) for name in own}
        if label:
            value = row.get(label)
            columns["label"] = (
                [_label(each, classes) for each in value]
                if isinstance(value, list)
                else _label(value, classes)
            )
        yield Item(
            NoImage("no image") if record is None else record, os.path.basename(path or ""), columns
        )


def _label_column(kinds: Mapping[str, str], chosen: str | None) -> str:
    if chosen is not None:
        if chosen not in kinds:
            raise InputError(
                f"the data set has no column {chosen!r} (label_column): its columns are "
                f"{', '.join(kinds)}"
            )
        return chosen
    named = [name for name in _LABELS if name in kinds and kinds[name] != "Image"]
    labels = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    return named[0] if named else labels[0] if len(labels) == 1 else ""


def _classes_of_feature(feature: Any) -> Sequence[str]:
    inner = getattr(feature, "feature", feature)
    return list(getattr(inner, "names", None) or ())


def _own_value(value: Any, feature: Any) -> Any:
    return _label(value, _classes_of_feature(feature)) if getattr(feature, "names", None) else value
