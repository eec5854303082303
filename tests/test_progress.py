"""Progress for callers of the library: in a notebook, on a terminal, in a pipe."""

from __future__ import annotations

import io
import sys
import types
from contextlib import suppress

import numpy as np
import pytest

import dataprep
from dataprep.errors import OptionError
from dataprep.progress import StageClock, in_notebook, shown

OPTIONS = {"only": ["dark"], "pass_options": dataprep.PassOptions(embedder="", jobs=1, cache=False)}
IMAGES = [np.full((8, 8, 3), i, np.uint8) for i in range(6)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def notebook(monkeypatch):
    """A kernel whose displays are gathered."""
    drawn: list[str] = []

    class Handle:
        def update(self, content):
            drawn.append(content)

    def display(content, display_id):
        assert display_id is True
        drawn.append(content)
        return Handle()

    shell = types.SimpleNamespace(kernel=object())
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.HTML, ipython.display.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return types.SimpleNamespace(drawn=drawn, shell=shell)


def test_a_notebook_shows_a_bar_and_empties_its_output(notebook, capsys):
    dataprep.audit(IMAGES, **OPTIONS)
    assert any(
        "Measuring" in text and "6 of 6" in text and "<progress" in text for text in notebook.drawn
    )
    assert any("Checking" in text for text in notebook.drawn)
    assert notebook.drawn[-1] == ""
    assert capsys.readouterr().err == ""


def test_the_output_is_emptied_after_an_error_too(notebook):
    def broken() -> None:
        with shown("auto") as progress:
            progress("measure", 1, 2, "<b>&")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert "&lt;b&gt;&amp;" in notebook.drawn[0]
    assert notebook.drawn[-1] == ""


def test_a_shell_without_a_kernel_is_no_notebook(notebook):
    assert in_notebook()
    notebook.shell.kernel = None
    assert not in_notebook()


def test_a_terminal_shows_a_line_that_is_wiped(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    dataprep.audit(IMAGES, **OPTIONS)
    text = terminal.getvalue()
    assert "Measuring [####################] 6 of 6" in text
    assert text.endswith("\r")
    assert text.rpartition("\r")[0].rpartition("\r")[2].strip() == ""


def test_many_signs_are_drawn_now_and_then(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with shown("auto") as progress:
        for done in range(100_000):
            progress("measure", done, 100_001, "\x1b[2J")
    assert 0 < terminal.getvalue().count("\r") < 1000
    assert "\x1b" not in terminal.getvalue()


def test_a_pipe_shows_nothing_unless_asked(capsys):
    dataprep.audit(IMAGES, **OPTIONS)
    assert capsys.readouterr().err == ""
    dataprep.audit(IMAGES, progress=True, **OPTIONS)
    assert capsys.readouterr().err.splitlines() == [
        "dataprep: Listing files",
        "dataprep: Measuring",
        "dataprep: Checking",
    ]


@pytest.mark.parametrize("given", [None, False])
def test_nothing_is_shown_where_none_is_wanted(notebook, given):
    dataprep.audit(IMAGES, progress=given, **OPTIONS)
    assert notebook.drawn == []


def test_a_callback_is_called_as_before(notebook):
    calls: list[tuple[str, int, int, str]] = []
    dataprep.audit(IMAGES, progress=lambda *call: calls.append(call), **OPTIONS)
    assert ("measure", 6, 6) in [call[:3] for call in calls]
    assert notebook.drawn == []
    with pytest.raises(OptionError, match="option progress: expected a function, True"):
        dataprep.audit(IMAGES, progress="always", **OPTIONS)


def test_a_clock_knows_the_seconds_of_every_stage(monkeypatch):
    times = iter([0.0, 1.0, 3.0, 4.0, 4.5, 10.0, 11.0, 11.25])
    monkeypatch.setattr("dataprep.progress.time.perf_counter", lambda: next(times))
    calls = []
    clock = StageClock(lambda *call: calls.append(call))
    clock.start("scan")
    clock.start("check")
    clock.report(1, 2, "half")
    clock.start("")
    with clock.stage("check"):
        pass
    with suppress(KeyError), clock.stage("broken"):
        raise KeyError
    assert clock.seconds == {"scan": 2.0, "check": 1.0 + 5.5, "broken": 0.25}
    assert calls == [
        ("scan", 0, 0, ""),
        ("check", 0, 0, ""),
        ("check", 1, 2, "half"),
        ("check", 0, 0, ""),
        ("broken", 0, 0, ""),
    ]
