"""What each dependency of the installed package weighs: ``python docs/sizes.py`` in an environment
that dataprep is installed in prints the MB of every requirement, and of what it alone brings along.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

NAME = "dataprep-images"
MB = 1e6


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def requirements(name: str, extra: str = "") -> set[str]:
    """What a distribution requires and finds here, in the base install or in one extra of it."""
    found = set()
    for line in (distribution(name).requires or ()) if _installed(name) else ():
        required, _, marker = line.partition(";")
        of_extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
        if (of_extra[1] if of_extra else "") == extra:
            found.add(_normal(re.split(r"[^\w.-]", required.strip())[0]))
    return {each for each in found if _installed(each)}


def closure(names: set[str]) -> set[str]:
    """The names, and all that they require."""
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= requirements(name) - reached
    return reached


def megabytes(name: str) -> float:
    """Size on the disk, without bytecode."""
    files = [file for file in distribution(name).files or () if file.suffix != ".pyc"]
    places = [file.locate() for file in files]
    return sum(place.stat().st_size for place in places if place.is_file()) / MB


def print_sizes(names: set[str], kept: set[str]) -> None:
    """A line for each name: its own MB, and those that go with it when it goes; `kept` stays."""
    for name in sorted(names, key=megabytes, reverse=True):
        alone = closure(names | kept) - closure((names - {name}) | kept)
        with_it = sum(map(megabytes, alone | {name}))
        brings = ", ".join(sorted(alone - {name}))
        print(f"{name:34}{megabytes(name):8.1f}{with_it:8.1f}  {brings}")


if __name__ == "__main__":
    base = requirements(NAME)
    print(f"{'base':34}{sum(map(megabytes, closure(base))):8.1f}")
    print_sizes(base, set())
    for extra in ("heif", "openvino", "hf", "shards", "train"):
        names = requirements(NAME, extra)
        more = sum(map(megabytes, closure(names) - closure(base)))
        print(f"\n{extra:34}{more:8.1f}")
        print_sizes(names, base)
