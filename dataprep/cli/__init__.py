"""The ``dataprep`` command: one file per command; each parses, calls the library and prints.

`shared` holds what several commands need. Imports everything, and nothing imports it.
"""

from __future__ import annotations

import copy
import os
import signal
import sys
import traceback
import warnings
from typing import Any

import typer
from typer.main import get_command_name

from dataprep import interruption
from dataprep.cli.audit import audit
from dataprep.cli.augment import augment
from dataprep.cli.cache import cache
from dataprep.cli.checks import checks
from dataprep.cli.clean import clean
from dataprep.cli.explain import explain
from dataprep.cli.normalise import normalise
from dataprep.cli.plans import WithPlan
from dataprep.cli.predict import predict
from dataprep.cli.shared.home import with_home
from dataprep.cli.shared.lacks import lack_of, note_little_address_space
from dataprep.cli.shared.listing import silence_stdout
from dataprep.cli.split import split
from dataprep.cli.train_baseline import train_baseline
from dataprep.errors import DataprepError, InputError, UserError
from dataprep.schemas.text.words import printable

app = typer.Typer(
    name="dataprep",
    help="Find what is wrong with an image data set, say why and what to do.",
    epilog="Start with: dataprep audit ./images",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True
    ),
) -> None:
    if version:
        from dataprep.measures.compiled import describe_measures
        from dataprep.version import __version__

        typer.echo(f"{__version__}\nmeasures: {describe_measures()}")
        raise typer.Exit
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputError(
            "the working directory was deleted: change to one that is there (cd)"
        ) from None
    note = note_little_address_space()
    if note:
        _say(f"dataprep: {note}")


for command in (audit, clean, split, normalise, augment, train_baseline, predict, checks, explain):
    kind = WithPlan if command in (split, train_baseline) else None
    app.command(cls=kind, no_args_is_help=command in (audit, explain))(command)
app.add_typer(cache, name="cache")


def main() -> None:
    """Run the command line; every outcome is an exit code (0 done, 1 gate, 2 user's mistake, 3
    failed, 130 interrupted).
    """
    interruption.watch()
    _prepare_streams()
    warnings.showwarning = _say_warning
    try:
        _refuse_namesake()
        words = with_home(sys.argv[1:])
        _app_of(words)(words)
    except BaseException as error:
        sys.exit(exit_code_of(error))


def _app_of(words: list[str]) -> typer.Typer:
    """`app` with the command alone that `words` begin with, since making all of them takes time;
    `app` itself where they begin with none.
    """
    called = [
        command
        for command in app.registered_commands
        if command.callback and words[:1] == [get_command_name(command.callback.__name__)]
    ]
    alone = copy.copy(app)
    alone.registered_commands = called
    return alone if called else app


def exit_code_of(error: BaseException) -> Any:
    """The exit code of a command that ended with `error`, after a line that says why."""
    number = interruption.take() or signal.SIGINT * isinstance(error, KeyboardInterrupt)
    if number:
        if number == signal.SIGINT:
            _say("dataprep: interrupted; what was measured is kept in the cache")
        return 128 + number
    if isinstance(error, SystemExit):
        return error.code
    if isinstance(error, DataprepError):
        _say(f"dataprep: {error}")
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return 0
    lack = lack_of(error)
    if lack:
        _say(f"dataprep: {lack}")
        return 3
    traceback.print_exception(error)
    _say(
        "dataprep: this is a defect in dataprep or in a plug-in; please report it with the lines "
        "above"
    )
    return 3


def _prepare_streams() -> None:
    """Streams that were closed (``>&-``) lead nowhere."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - open as long as the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _say_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    _say(f"dataprep: warning: {message}")


def _say(text: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    # A name may hold escape sequences; messages may have several lines.
    text = "\n".join(map(printable, text.split("\n")))
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _refuse_namesake() -> None:
    """Another project on the package index is called ``dataprep`` and installs the same import
    name.
    """
    import dataprep

    if not hasattr(dataprep, "_HOMES"):
        raise UserError(
            "the package 'dataprep' (another project) is installed over this one: pip uninstall "
            "dataprep, "
            "then pip install --force-reinstall dataprep-images"
        )
