"""``python -m dataprep``, and the ``dataprep`` command: notes interruptions before anything
large is imported.
"""

from __future__ import annotations

import gc
import sys

from dataprep import interruption

#: Objects that may be made before the next search for unreachable ones. Imports make a million that
#: stay: at Python's 700, searching them takes a fifth of a command's start.
_ALLOCATIONS = 10_000


def main() -> None:
    """Run the command line; see `dataprep.cli.main`."""
    interruption.watch()
    gc.set_threshold(_ALLOCATIONS, 10, 10)
    try:
        from dataprep.cli import main as run
    except BaseException as error:
        number = interruption.arrived()
        if number:
            sys.exit(128 + number)
        if isinstance(error, MemoryError) or "annot allocate memory" in str(error):
            sys.exit(
                "dataprep: there is not enough memory to start: free some, or raise the limit on "
                "it (ulimit -v)"
            )
        raise
    run()


if __name__ == "__main__":
    main()
