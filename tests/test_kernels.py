"""The same data give the same report on every processor: nothing hangs on the last bit of a
matrix product.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

_DATA = Path(__file__).parent.parent / "sample_data" / "shapes"


def _kernels() -> list[str]:
    """The kernels of OpenBLAS that this processor can run, oldest first."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    return [
        name
        for name, flag in (
            ("Sandybridge", " avx "),
            ("Haswell", " avx2 "),
            ("SkylakeX", " avx512f "),
        )
        if flag in flags
    ]


def _said(folder: Path, kernel: str) -> dict[str, pd.DataFrame]:
    out = folder / kernel
    settings = {**os.environ, "OPENBLAS_CORETYPE": kernel, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(  # audits first
        [sys.executable, "-m", "dataprep", "split", str(_DATA), "-q", "--out", str(out)],
        env=settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    names = ("audit/issues.csv", "split/splits.csv")
    return {name: pd.read_csv(out / name, dtype=str, keep_default_na=False) for name in names}


@pytest.mark.skipif(len(_kernels()) < 2, reason="this processor runs one kernel of linear algebra")
def test_report_and_split_are_the_same_under_the_oldest_and_the_newest_kernel(
    tmp_path: Path,
) -> None:
    """Word for word and in the same order; figures to four digits, which is more than any
    message shows.
    """
    oldest, newest = (_said(tmp_path, kernel) for kernel in (_kernels()[0], _kernels()[-1]))
    for name, table in oldest.items():
        inexact = [column for column in ("figure", "confidence", "evidence") if column in table]
        pd.testing.assert_frame_equal(
            newest[name].drop(columns=inexact), table.drop(columns=inexact)
        )
        for column in inexact[:2]:
            np.testing.assert_allclose(
                *(pd.to_numeric(each[column]) for each in (newest[name], table)), rtol=1e-4
            )
