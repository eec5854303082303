"""Damaged stage files: hundreds of mutated JSON, CSV, TOML, YAML, Parquet and ONNX files, each read
by the command that takes it.

    python benchmarks/fuzz_stages.py [--cases 500] [--from 0] [--slow 30] [--memory-gb 2]

Every case is drawn from its number. Prints the cases that end in a traceback, in another exit code
than 0 to 3, without a line that says why, that take longer than --slow seconds, or after which the
process has grown beyond --memory-gb. Exits with 1 when there are such cases.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.stage_faults import case, prepare


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--slow", type=float, default=30.0, help="seconds that a case may take")
    parser.add_argument(
        "--memory-gb", type=float, default=2.0, help="memory that the process may grow to"
    )
    given = parser.parse_args()
    codes: Counter[object] = Counter()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATAPREP_CACHE_DIR"] = f"{folder}/cache"
        prepare(Path(folder, "template"))
        for number in range(given.first, given.first + given.cases):
            what, outcome = case(Path(folder, "template"), Path(folder, "work"), number)
            codes[outcome.code] += 1
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            fault = (
                outcome.fault
                or "slow" * (outcome.seconds > given.slow)
                or "large" * (grown > given.memory_gb)
            )
            if fault:
                bad += 1
                print(
                    f"{fault} ({outcome.seconds:.1f} s, {grown:.1f} GB): {what}\n"
                    f"{outcome.errors[-1500:]}",
                    flush=True,
                )
    ended = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items(), key=str))
    print(f"{given.cases} cases ended: {ended}; {bad} of them badly")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
