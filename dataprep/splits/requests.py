"""The options of a split: parts and their sizes, folds, what stays together, what is balanced."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataprep.errors import OptionError
from dataprep.schemas.results.proof import Asked

#: The parts when nothing is said about them.
DEFAULT_RATIOS: Mapping[str, float] = {"train": 0.7, "val": 0.15, "test": 0.15}
#: Name of the part that holds what `external` names.
EXTERNAL = "external"
#: Most folds that can be asked for.
MOST_FOLDS = 1000

_REST = "rest"
_CLOSE = 1e-6

Mode = Literal["ratios", "counts"]
Ratios = str | Mapping[str, float | int | str]


@dataclass(frozen=True)
class Request(Asked):
    """The options of a split, checked; see `Asked` for what they are."""

    sizes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _refuse_contradictions(self)

    def targets(self, samples: int) -> list[float]:
        """Wished samples of each part, of `samples` in all; they sum to `samples`.

        Raises:
            OptionError: counts that do not come to the number of samples.
        """
        if self.mode == "ratios":
            return [size * samples for size in self.sizes]
        asked = sum(int(size) for size in self.sizes if not math.isnan(size))
        named = ", ".join(
            f"{name}={size:.0f}"
            for name, size in zip(self.parts, self.sizes)
            if not math.isnan(size)
        )
        if asked > samples or (asked < samples and not any(map(math.isnan, self.sizes))):
            raise OptionError(
                f"ratios: expected counts that come to the {samples:,} samples to divide, got "
                f"{named}, which is {asked:,}. "
                "For shares write train=0.7,val=0.15,test=0.15; a part that takes what is left: "
                "train=rest"
            )
        return [float(samples - asked) if math.isnan(size) else float(size) for size in self.sizes]


def read_ratios(ratios: Ratios | None) -> tuple[tuple[str, ...], tuple[float, ...], Mode]:
    """Names and sizes of parts from ``train=0.7,val=0.15,test=0.15``, ``test=500`` or a mapping.

    Shares have to sum to 1. Counts are whole numbers from 1 on; ``rest`` takes what is left, and so
    does a part "train" that is not named.

    Raises:
        OptionError: anything else.
    """
    pairs = _pairs(DEFAULT_RATIOS if ratios is None else ratios)
    names = [name for name, _ in pairs]
    for name in names:
        _refuse_name(name, names)
    texts = [value for _, value in pairs]
    sizes = [math.nan if value == _REST else _number(name, value) for name, value in pairs]
    known = [size for size in sizes if not math.isnan(size)]
    if any(size <= 0 for size in known):
        raise OptionError(
            f"ratios: expected every part to get something, got {_shown(pairs)}: leave out a part "
            "that gets nothing"
        )
    if (
        known
        and all(size >= 1 and size == int(size) for size in known)
        and not _are_ones(known, texts)
    ):
        return _with_rest(names, sizes)
    return tuple(names), _as_shares(pairs, sizes), "ratios"


def _are_ones(known: Sequence[float], texts: Sequence[object]) -> bool:
    """Whether the one size given is 1.0: everything, which is no division."""
    return len(known) == len(texts) == 1 and known[0] == 1


def _with_rest(
    names: list[str], sizes: list[float]
) -> tuple[tuple[str, ...], tuple[float, ...], Mode]:
    rests = sum(map(math.isnan, sizes))
    if rests > 1:
        raise OptionError("ratios: expected one part to take the rest, got several")
    if not rests and "train" not in names:
        names, sizes = ["train", *names], [math.nan, *sizes]
    if len(names) < 2:
        raise OptionError(f"ratios: expected at least two parts, got {names[0]!r} alone")
    return tuple(names), tuple(sizes), "counts"


def _as_shares(pairs: list[tuple[str, object]], sizes: list[float]) -> tuple[float, ...]:
    if len(sizes) < 2:
        raise OptionError(
            f"ratios: expected at least two parts, such as train=0.8,test=0.2, got {_shown(pairs)}"
        )
    known = sum(size for size in sizes if not math.isnan(size))
    rests = sum(map(math.isnan, sizes))
    if rests == 1 and known < 1 - _CLOSE:
        return tuple(1 - known if math.isnan(size) else size for size in sizes)
    if rests or abs(known - 1) > _CLOSE:
        raise OptionError(
            "ratios: expected shares that sum to 1 (or whole numbers of samples), got "
            f"{_shown(pairs)}, which is {known:g}"
        )
    return tuple(size / known for size in sizes)


def _pairs(ratios: Ratios) -> list[tuple[str, object]]:
    if isinstance(ratios, Mapping):
        return [(str(name).strip(), value) for name, value in ratios.items()]
    pairs: list[tuple[str, object]] = []
    for piece in filter(None, (part.strip() for part in str(ratios).split(","))):
        name, equals, value = piece.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OptionError(
                f"ratios: expected NAME=SIZE such as train=0.7,val=0.15,test=0.15, got {piece!r}"
            )
        pairs.append((name.strip(), value.strip()))
    if not pairs:
        raise OptionError(
            "ratios: expected NAME=SIZE such as train=0.7,val=0.15,test=0.15, got nothing"
        )
    return pairs


def _refuse_name(name: str, names: Sequence[str]) -> None:
    if names.count(name) > 1:
        raise OptionError(f"ratios: expected every part once, got {name!r} twice")
    if name == EXTERNAL or not name:
        raise OptionError(
            f"ratios: a part cannot be called {name!r}: rows are put into it by --external "
            "COLUMN=VALUE"
        )


def _number(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise OptionError(
            f"ratios: expected a share (0.15), a number of samples (500) or rest for {name!r}, got "
            f"{value!r}"
        )
    return number


def _shown(pairs: Sequence[tuple[str, object]]) -> str:
    return ",".join(f"{name}={value}" for name, value in pairs)


def fold_names(folds: int) -> tuple[str, ...]:
    """Names of folds: ``fold1`` and so on."""
    return tuple(f"fold{number}" for number in range(1, folds + 1))


def read_external(given: str | Sequence[str | tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """(column, value) from ``site=B``; several.

    Raises:
        OptionError: something else.
    """
    pairs = []
    for each in [given] if isinstance(given, str) else given:
        column, equals, value = (
            each.partition("=") if isinstance(each, str) else (each[0], "=", each[1])
        )
        if not (equals and column.strip() and str(value).strip()):
            raise OptionError(f"external: expected COLUMN=VALUE such as site=B, got {each!r}")
        pairs.append((column.strip(), str(value).strip()))
    return tuple(pairs)


def _refuse_contradictions(request: Request) -> None:
    if request.folds and not 2 <= request.folds <= MOST_FOLDS:
        raise OptionError(f"folds: expected a number from 2 to {MOST_FOLDS:,}, got {request.folds}")
    if request.repeats < 1:
        raise OptionError(f"repeats: expected a number from 1 on, got {request.repeats}")
    if request.repeats > 1 and (request.leave_one_group_out or request.time_column):
        raise OptionError(
            "repeats: there is one division only by time or by groups left out one by one: leave "
            "out repeats"
        )
    if request.leave_one_group_out and (request.folds or request.time_column):
        other = "folds" if request.folds else "time_column"
        raise OptionError(f"leave_one_group_out and {other} exclude each other: give one of them")
    if request.folds and request.time_column:
        raise OptionError(
            "folds and time_column exclude each other: parts in order of time are train, val, test"
        )
    if request.day_first is not None and not request.time_column:
        raise OptionError("day_first says how dates of time_column are read: give time_column too")
    rule = (
        "time_column"
        if request.time_column
        else "leave_one_group_out"
        if request.leave_one_group_out
        else ""
    )
    if rule and request.balance:
        raise OptionError(
            f"balance and {rule} exclude each other: {rule} decides who is where, and nothing can "
            "be shared out evenly"
        )
    if not 0 <= request.seed < 2**32:
        raise OptionError(
            f"seed: expected a whole number from 0 to 4,294,967,295, got {request.seed}"
        )
