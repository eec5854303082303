from __future__ import annotations

import gc
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from dataprep.backends import imap
from dataprep.errors import OptionError, WorkersLost
from dataprep.schemas.lost import Lost

Script = Callable[..., "subprocess.Popen[str]"]


def run(orders: list[tuple[str, Any]], **options: Any) -> list[Any]:
    """Results in the order of the items."""
    results = list(imap("pool_tasks:obeying", orders, **{"jobs": 2, **options}))
    assert sorted(index for index, _ in results) == list(range(len(orders)))
    return [result for _, result in sorted(results, key=lambda pair: pair[0])]


def test_every_item_gives_its_result_once() -> None:
    results = list(imap("pool_tasks:doubling", range(500), jobs=2))
    assert sorted(results) == [(i, 2 * i) for i in range(500)]


def test_no_items_start_no_worker() -> None:
    assert list(imap("no_such_module:factory", [], jobs=2)) == []


def test_a_worker_frees_images_in_cycles_as_early_as_ever() -> None:
    ((_, (is_enabled, threshold, frozen)),) = imap("pool_tasks:collecting", [0], jobs=1)
    assert is_enabled
    assert threshold == gc.get_threshold()[0]
    assert frozen > 0


def test_an_exception_costs_its_item_and_says_why() -> None:
    assert run([("echo", 1), ("fail", "two\nlines"), ("leave", 0), ("echo", 2)]) == [
        1,
        Lost("unreadable", "ValueError: two lines"),
        Lost("unreadable", "SystemExit: 7"),
        2,
    ]


def test_a_result_that_cannot_be_pickled_costs_its_item_alone() -> None:
    first, bad, last = run([("echo", 1), ("unpicklable", 0), ("echo", 2)], jobs=1)
    assert (first, last) == (1, 2)
    assert bad.reason == "unreadable"


def test_a_crash_costs_its_item_alone_and_repeats_the_last_words() -> None:
    orders: list[tuple[str, Any]] = [("echo", i) for i in range(100)]
    orders[40] = orders[41] = orders[99] = ("abort", None)
    results = run(orders)
    assert [i for i, result in enumerate(results) if isinstance(result, Lost)] == [40, 41, 99]
    assert results[40].reason == "crashed"
    assert "a decoder's last words" in results[40].detail
    assert [result for result in results if not isinstance(result, Lost)] == [
        i for i in range(99) if i not in (40, 41)
    ]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path) -> None:
    orders: list[tuple[str, Any]] = [("echo", i) for i in range(50)]
    orders[20] = ("die_once", str(tmp_path / "marker"))
    assert run(orders) == [*range(20), "survived", *range(21, 50)]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_item_that_kills_its_worker_twice_is_given_up(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    first, lost, last = run([("echo", 1), ("die", str(tries)), ("echo", 2)], jobs=1)
    assert (first, lost.reason, last) == (1, "crashed", 2)
    assert tries.read_text().splitlines() == ["tried"] * 2


def test_killing_workers_in_the_middle_loses_nothing() -> None:
    victims = set()
    results = []
    for index, pid in imap("pool_tasks:obeying", (("pid", None) for _ in range(3000)), jobs=2):
        results.append(index)
        if len(victims) < 3 and pid not in victims:
            victims.add(pid)
            psutil.Process(pid).kill()
        assert not isinstance(pid, Lost)
    assert sorted(results) == list(range(3000))
    assert len(victims) == 3


def test_a_hanging_item_is_given_up_and_those_behind_it_are_not() -> None:
    results = run([("echo", 1), ("sleep", 600), ("echo", 2), ("echo", 3)], jobs=1, time_limit_s=1)
    assert results == [1, Lost("timed-out", "no result after 1 s"), 2, 3]


def test_slow_items_under_the_limit_are_waited_for() -> None:
    assert run([("sleep", 0.4)] * 5, jobs=1, time_limit_s=1.8) == [0.4] * 5


def test_a_memory_hog_is_stopped() -> None:
    hog = run([("echo", 1), ("grow", 100_000), ("echo", 2)], jobs=1, memory_limit_mb=200)[1]
    assert hog.reason == "out-of-memory"
    assert "limit of 200 MB" in hog.detail


def test_what_libraries_print_reaches_neither_the_terminal_nor_the_results(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run([("noise", "TIFFReadDirectory: Warning!\n" * 100), ("echo", 1)]) == ["", 1]
    assert capfd.readouterr() == ("", "")


def test_items_are_pulled_as_they_are_needed() -> None:
    pulled = 0

    def endless() -> Iterator[int]:
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    with closing(imap("pool_tasks:doubling", endless(), jobs=2)) as results:
        for _ in range(1000):
            next(results)
        assert pulled < 20_000


def test_an_error_in_the_items_reaches_the_caller() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the list ends badly")

    with pytest.raises(OSError, match="ends badly"):
        list(imap("pool_tasks:doubling", broken(), jobs=2))


def test_load_runs_here_and_its_failures_cost_their_items() -> None:
    def load(item: int) -> int | Lost:
        if item == 1:
            raise FileNotFoundError("gone")
        return Lost("too-large", "9 GB") if item == 2 else item + 100

    results = dict(imap("pool_tasks:doubling", range(4), jobs=1, load=load))
    assert results == {
        0: 200,
        1: Lost("missing", "FileNotFoundError: gone"),
        2: Lost("too-large", "9 GB"),
        3: 206,
    }


def test_a_task_that_cannot_be_set_up_is_an_error_with_its_words() -> None:
    with pytest.raises(WorkersLost, match="RuntimeError: no such model"):
        list(imap("pool_tasks:failing_setup", [1, 2, 3], jobs=2))
    with pytest.raises(WorkersLost, match="ModuleNotFoundError"):
        list(imap("no_such_module:factory", [1], jobs=1))


def test_workers_that_die_before_they_start_are_an_error_with_their_words() -> None:
    with pytest.raises(WorkersLost, match="library is broken"):
        list(imap("pool_tasks:aborting_setup", [1, 2, 3], jobs=2))


def test_a_system_that_starts_no_process_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(WorkersLost, match="FileNotFoundError"):
        list(imap("pool_tasks:doubling", [1], jobs=1))


def test_an_unknown_back_end_is_the_users_mistake() -> None:
    with pytest.raises(OptionError, match="local"):
        imap("pool_tasks:doubling", [1], backend="loca")


def test_closing_the_results_kills_the_workers(gone: Callable[[list[int]], bool]) -> None:
    results = imap("pool_tasks:obeying", [("pid", None)] * 2 + [("sleep", 600)] * 4, jobs=2)
    pids = [next(results)[1] for _ in range(2)]
    assert any(map(psutil.pid_exists, pids))
    results.close()  # type: ignore[attr-defined]
    assert gone(pids)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupt_stops_at_once_and_leaves_no_process(
    script: Script, gone: Callable[[list[int]], bool]
) -> None:
    process = script(
        "from dataprep.backends import imap\n"
        "for _, pid in imap('pool_tasks:obeying', [('pid', 0), ('pid', 0)] + [('sleep', 600)] * 4, "
        "jobs=2):\n"
        "    print(pid, flush=True)\n",
        start_new_session=True,
    )
    assert process.stdout is not None
    pids = [int(process.stdout.readline()) for _ in range(2)]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the parent and its children
    _, errors = process.communicate(timeout=20)
    assert errors.count("KeyboardInterrupt") == 1
    assert gone(pids)


def test_workers_end_when_their_parent_is_killed(
    script: Script, gone: Callable[[list[int]], bool]
) -> None:
    process = script(
        "from dataprep.backends import imap\n"
        "for _, pid in imap('pool_tasks:obeying', [('pid', 0)] + [('sleep', 600)] * 4, jobs=1):\n"
        "    print(pid, flush=True)\n"
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.communicate()
    assert gone([pid])


def test_a_script_without_a_main_guard_does_not_run_again(script: Script) -> None:
    process = script(
        "from dataprep.backends import imap\nprint('once')\n"
        "print(sorted(imap('pool_tasks:doubling', [1, 2], jobs=2)))\n"
    )
    assert process.communicate(timeout=60) == ("once\n[(0, 2), (1, 4)]\n", "")


def test_modules_in_the_current_folder_are_not_imported_by_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise RuntimeError('a file of the user')")
    monkeypatch.chdir(tmp_path)
    assert list(imap("pool_tasks:doubling", [4], jobs=1)) == [(0, 8)]


def test_workers_import_no_more_than_their_task() -> None:
    ((_, modules),) = imap("pool_tasks:modules", [0], jobs=1)
    assert not {"numpy", "pandas", "psutil", "PIL", "fsspec"} & set(modules)
