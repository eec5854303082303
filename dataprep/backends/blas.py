"""How many threads BLAS takes for matrix products and decompositions in this process.

OpenBLAS divides every product and every decomposition between all cores, and a thread that waits
for another keeps its core busy. For matrices of the size of the features that costs more than it
gives: with a core that something else uses, a symmetric eigenvalue problem of size 1280 takes ten
times the processor time, and on an idle machine it is not done earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS takes one thread inside; afterwards as many as before.

    Holds for the whole process; blocks may be nested. A library that was loaded since (scipy brings
    an OpenBLAS of its own) is limited when the next block begins. A block of another thread that
    overlaps with one leaves the limit to the first.

    >>> import numpy as np
    >>> with one_blas_thread():
    ...     inverse = np.linalg.inv(np.eye(2))
    """
    from threadpoolctl import ThreadpoolController

    with ThreadpoolController().limit(limits=1, user_api="blas"):
        yield
