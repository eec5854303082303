"""Mutated images: bytes flipped, cut, doubled, swapped and filled; each is measured or reported
with a reason, in bounded time.

    python benchmarks/fuzz_images.py [--data ../shared/data] [--count 20000] [--seed 0]

The originals are small pictures that Pillow writes here in every format and mode it has, and those
of DATA/hostile. Exits with 1 when a file is neither measured nor reported, when the pass raises, or
when a file was changed.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hostile import fates
from PIL import Image

import dataprep
from dataprep.measures.decode_pass import measure
from dataprep.schemas.lost import REASONS
from dataprep.schemas.text.names import escape_name

_BATCH = 1000
_LARGEST = 200_000
_FORMATS = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "RGB", "RGBA", "I;16", "F", "CMYK"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("L", "P"),
    "PPM": ("L", "RGB"),
    "TGA": ("L", "RGB", "RGBA"),
    "ICO": ("RGBA",),
    "JPEG2000": ("L", "RGB", "RGBA"),
    "PCX": ("L", "RGB"),
    "SGI": ("L", "RGB"),
    "AVIF": ("RGB", "RGBA"),
    "DDS": ("RGB", "RGBA"),
}


def originals(data: Path) -> list[tuple[str, bytes]]:
    """(extension, bytes) of the pictures to mutate."""
    found = []
    pixels = np.random.default_rng(1).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize((61, 47), Image.Resampling.BICUBIC)
    for kind, modes in _FORMATS.items():
        for mode in modes:
            with io.BytesIO() as stream:
                try:
                    image = (
                        Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
                        if mode == "I;16"
                        else picture.convert(mode)
                    )
                    image.save(stream, kind)
                except (OSError, ValueError, KeyError):  # this Pillow has not that format or mode
                    continue
                found.append((kind.lower().replace("jpeg2000", "jp2"), stream.getvalue()))
    folder = data / "hostile" / "images"
    hostile = (
        [path for path in sorted(folder.iterdir()) if path.stat().st_size <= _LARGEST]
        if folder.is_dir()
        else []
    )
    return found + [
        (path.suffix.lstrip(".").lower() or "jpg", path.read_bytes()) for path in hostile
    ]


def mutated(data: bytes, random: np.random.Generator, others: list[tuple[str, bytes]]) -> bytes:
    """A damaged copy, by one to four changes."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        if not changed:
            break
        end = (
            len(changed) if random.random() < 0.5 else min(len(changed), 200)
        )  # headers half of the time
        place = int(random.integers(end))
        match int(random.integers(8)):
            case 0:
                changed[place] ^= 1 << int(random.integers(8))
            case 1:
                changed[place : place + 4] = random.choice(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\1\0\0"]
                )
            case 2:
                del changed[place:]
            case 3:
                del changed[place : place + int(random.integers(1, 64))]
            case 4:
                changed[place:place] = random.integers(
                    0, 256, int(random.integers(1, 64)), dtype=np.uint8
                ).tobytes()
            case 5:
                changed[place:place] = changed[place : place + int(random.integers(1, 4096))] * int(
                    random.integers(1, 6)
                )
            case 6:
                other = others[int(random.integers(len(others)))][1]
                changed[place:] = other[place:] or other
            case _:
                changed[place : place + 16] = random.integers(0, 256, 16, dtype=np.uint8).tobytes()
    return bytes(changed)


def batches(count: int, seed: int, data: Path) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """Folders of at most 1,000 mutated files, and what each file holds."""
    random, found = np.random.default_rng(seed), originals(data)
    print(f"{len(found)} originals, {count:,} mutations, seed {seed}", flush=True)
    for start in range(0, count, _BATCH):
        with tempfile.TemporaryDirectory() as folder:
            written = {}
            for number in range(start, min(count, start + _BATCH)):
                extension, original = found[int(random.integers(len(found)))]
                name = f"{number:06d}.{extension}"
                written[name] = mutated(original, random, found)
                (Path(folder) / name).write_bytes(written[name])
            yield Path(folder), written


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    since = time.perf_counter()
    for folder, written in batches(given.count, given.seed, given.data):
        paths = [str(folder / name) for name in written]
        found = fates(
            measure(dataprep.scan(files=paths), options=dataprep.PassOptions(cache=False))
        )
        for name, content in written.items():
            fate = found.get(escape_name(name), ("without a row", ""))[0]
            counts[fate] += 1
            if fate not in ("measured", *REASONS):
                wrong.append(f"{name}: {fate or 'no fate'}")
            if (folder / name).read_bytes() != content:
                wrong.append(f"{name}: changed on disk")
        print(f"  {sum(counts.values()):,} files, {time.perf_counter() - since:.0f} s", flush=True)
    seconds = time.perf_counter() - since
    for fate, number in counts.most_common():
        print(f"{fate:16} {number:6,}")
    largest = [
        resource.getrusage(who).ru_maxrss // 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"{seconds:.0f} s, {sum(counts.values()) / seconds:.0f} files/s")
    print(f"peak MB: this process {largest[0]}, a worker {largest[1]}")
    print("\n".join(wrong[:20]) or "All accounted for")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
