"""Every error that dataprep raises on purpose.

::

    DataprepError
     ├── UserError                 the caller can mend it: exit code 2, one line, no traceback
     │    ├── InputError           a path, folder, manifest or report that cannot be used as given
     │    │    └── SanityFailed    data or settings that cannot be learned from, found before training
     │    ├── OptionError          an option out of range, of the wrong type or unknown
     │    │    └── OverBudget      what is asked for takes longer than its budget
     │    ├── RegistryError        a registry name that is unknown, or taken twice
     │    └── FingerprintError     a plan or report made for other data than the data at hand
     └── WorkError                 the work itself failed: exit code 3
          ├── WorkersLost          no worker process could be started or kept alive
          └── OutputError          a result could not be written (disk full, read-only folder)

A message says what was expected, what came, and what to do.
"""  # noqa: E501

from __future__ import annotations


class DataprepError(Exception):
    """Root of the tree; catch it to catch everything below.

    Example:
        >>> import dataprep
        >>> try:
        ...     dataprep.scan("no/such/folder")
        ... except dataprep.DataprepError as error:
        ...     print(type(error).__name__)
        InputError
    """

    exit_code = 3


class UserError(DataprepError):
    """The caller gave something that cannot be used, and can mend it."""

    exit_code = 2


class InputError(UserError):
    """A path, folder, manifest or report that cannot be used as given."""


class SanityFailed(InputError):
    """Data or settings that cannot be learned from: a check before training failed."""


class OptionError(UserError):
    """An option that is unknown, out of range or of the wrong type."""


class OverBudget(OptionError):
    """What is asked for takes longer than the budget that was given."""


class RegistryError(UserError):
    """A registry name that is unknown, or that two packages claim."""


class FingerprintError(UserError):
    """A plan or report that was made for other data than the data at hand."""


class WorkError(DataprepError):
    """The work itself failed, through no fault of the input."""


class WorkersLost(WorkError):
    """No worker process could be started or kept alive."""


class OutputError(WorkError):
    """A result could not be written: disk full, read-only folder."""
