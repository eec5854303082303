from __future__ import annotations

from pathlib import Path

import pytest

from dataprep.backends import capacity


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 cores and plenty of memory, whose control groups lie in the folder
    returned.
    """
    monkeypatch.setattr(capacity, "_CGROUPS", tmp_path)
    monkeypatch.setattr(capacity, "_affinity", lambda: 16)
    monkeypatch.setattr(
        capacity, "_groups", lambda: iter([tmp_path / "box" / "inner", tmp_path / "box", tmp_path])
    )
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 2**40})())
    (tmp_path / "box" / "inner").mkdir(parents=True)
    return tmp_path


def test_a_given_number_is_taken_as_it_is(machine: Path) -> None:
    assert capacity.worker_count(40) == 40


def test_more_than_the_machine_can_feed_are_bounded_and_said_once(machine: Path) -> None:
    capacity._say_bounded.cache_clear()
    with pytest.warns(
        UserWarning, match="100,000 workers are too many for 16 usable cores: 128 are taken"
    ) as said:
        assert [capacity.worker_count(100_000) for _ in range(3)] == [128] * 3
    assert len(said) == 1


def test_every_usable_core_gets_a_worker(machine: Path) -> None:
    assert capacity.worker_count() == 16


@pytest.mark.parametrize(
    ("quota", "workers"), [("max 100000", 16), ("250000 100000", 3), ("10000 100000", 1)]
)
def test_a_processor_quota_of_any_group_above_counts(
    machine: Path, quota: str, workers: int
) -> None:
    (machine / "box" / "cpu.max").write_text(quota)
    assert capacity.worker_count() == workers


def test_what_is_left_of_a_memory_limit_counts(machine: Path) -> None:
    (machine / "box" / "memory.max").write_text(str(3 * 2**30))
    (machine / "box" / "memory.current").write_text(str(2**30))
    assert capacity.worker_count() == 2 * 1024 // capacity.MEGABYTES_PER_WORKER


def test_there_is_always_one_worker(machine: Path) -> None:
    (machine / "memory.max").write_text("1000")
    assert capacity.worker_count() == 1


def test_this_machine_has_room_for_a_worker() -> None:
    assert capacity.worker_count() >= 1
