from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from dataprep.backends import imap
from dataprep.backends.warm import warm_workers
from dataprep.errors import WorkersLost
from dataprep.schemas.lost import Lost


def run(*orders: tuple[str, Any], **options: Any) -> list[Any]:
    """Results of one worker, in the order of the items."""
    results = imap("pool_tasks:obeying", orders, **{"jobs": 1, **options})
    return [result for _, result in sorted(results, key=lambda pair: pair[0])]


def test_a_worker_serves_one_task_after_another_and_ends_with_the_block(
    gone: Callable[[list[int]], bool],
) -> None:
    with warm_workers():
        (first,) = run(("pid", None))
        with warm_workers():
            assert list(imap("pool_tasks:doubling", [2], jobs=1)) == [(0, 4)]
        assert run(("pid", None)) == [first]
    assert gone([first])


def test_results_that_were_sent_early_end_the_task_too() -> None:
    with warm_workers():
        assert run(("sleep", 0.15)) == [0.15]
        assert run(("echo", 1)) == [1]


def test_workers_that_start_early_have_their_module(gone: Callable[[list[int]], bool]) -> None:
    others = {
        child.pid for child in psutil.Process().children()
    }  # of libraries that other tests have loaded
    with warm_workers(1, module="colorsys"):
        ((_, loaded),) = imap("pool_tasks:modules", [0], jobs=1)
        assert "colorsys" in loaded
        children = [child.pid for child in psutil.Process().children() if child.pid not in others]
        assert children
    assert gone(children)


def test_a_worker_that_died_while_it_waited_costs_nothing() -> None:
    with warm_workers():
        (victim,) = run(("pid", None))
        psutil.Process(victim).kill()
        time.sleep(0.1)
        assert run(("echo", 1), ("echo", 2)) == [1, 2]


@pytest.mark.parametrize(
    ("order", "reason"), [(("abort", None), "crashed"), (("sleep", 600), "timed-out")]
)
def test_a_second_task_loses_no_more_than_a_first(order: tuple[str, Any], reason: str) -> None:
    with warm_workers():
        run(*(("echo", i) for i in range(30)))
        before, lost, after = run(("echo", 1), order, ("echo", 2), time_limit_s=1)
        assert isinstance(lost, Lost)
        assert (before, lost.reason, after) == (1, reason, 2)


def test_a_worker_that_cannot_be_set_up_is_not_kept() -> None:
    with warm_workers():
        (pid,) = run(("pid", None))
        with pytest.raises(WorkersLost, match="no such model"):
            list(imap("pool_tasks:failing_setup", [1], jobs=1))
        assert run(("pid", None)) != [pid]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_waiting_workers_end_with_their_parent(
    end: int, script: Callable[..., Any], gone: Callable[[list[int]], bool]
) -> None:
    process = script(
        "import time\n"
        "from dataprep.backends import imap\n"
        "from dataprep.backends.warm import warm_workers\n"
        "with warm_workers(1):\n"
        "    print(*[pid for _, pid in imap('pool_tasks:obeying', [('pid', 0)], jobs=1)], "
        "flush=True)\n"
        "    time.sleep(600)\n"
    )
    pid = int(process.stdout.readline())
    process.send_signal(end)
    process.communicate(timeout=20)
    assert gone([pid])
