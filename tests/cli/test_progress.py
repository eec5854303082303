"""Progress without a terminal: a line every half minute, and none where it is quiet."""

from __future__ import annotations

import pytest

from dataprep.cli.shared.progress import LINE_S, _Lines


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_long_stage_says_a_line_every_half_minute(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    say = _Lines(False, clock)
    for done in range(0, 3001, 10):  # a hundred files a second... for 300 s at 10 a second
        clock.now = 1000.0 + done / 10
        say("measure", done, 3000, "")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 300 // LINE_S
    assert lines[0] == "dataprep: Measuring: 300 of 3,000, 10 a second"


def test_a_rate_is_that_of_the_stage(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    say = _Lines(False, clock)
    say("measure", 5000, 5000, "")
    say("train:fold 2", 4, 10, "loss 0.3")
    clock.now += 40
    say("train:fold 2", 5, 10, "loss 0.2")
    assert capfd.readouterr().err == "dataprep: Training: 5 of 10, 1.5 a minute, fold 2, loss 0.2\n"


def test_a_stage_that_counts_again_starts_its_rate_again(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    say = _Lines(False, clock)
    for done in (0, 900, 0):
        say("check", done, 1000, "")
    clock.now += 40
    say("check", 80, 100, "")
    assert capfd.readouterr().err == "dataprep: Checking: 80 of 100, 2 a second\n"


def test_a_stage_that_does_not_know_its_length_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    say = _Lines(False, clock)
    clock.now += 31
    say("scan", 0, 0, "")
    assert capfd.readouterr().err == "dataprep: Listing files\n"


def test_short_runs_and_quiet_ones_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    short, quiet = _Lines(False, clock), _Lines(True, clock)
    clock.now += LINE_S - 1
    short("measure", 10, 100, "")
    clock.now += 1000
    quiet("measure", 10, 100, "")
    assert capfd.readouterr().err == ""
