"""``python -m dataprep``: the same as the ``dataprep`` command."""

from dataprep.cli import main

if __name__ == "__main__":
    main()
