"""Checkpoints: a killed run goes on bit for bit, and nothing that cannot be trusted is gone on
from.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataprep.augment.policies import Policy
from dataprep.augment.policies import policy as policy_called
from dataprep.baselines.training.settings import TrainSettings
from dataprep.errors import FingerprintError, InputError, OutputError, WorkError
from dataprep.schemas.files import writing

torch = pytest.importorskip("torch")

from dataprep.baselines.training import loop  # noqa: E402
from dataprep.baselines.training.checkpoints import read_checkpoint, write_checkpoint  # noqa: E402
from dataprep.baselines.training.fitting import feeder_for, loss_for, scores  # noqa: E402
from dataprep.baselines.training.history import FitResult  # noqa: E402
from dataprep.baselines.training.loop import fit  # noqa: E402
from dataprep.baselines.training.networks import Network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

SETTINGS = TrainSettings(
    epochs=4, batch=8, lr=0.01, body_lr=1.0, dropout=0.4, patience=0, accumulate=2
)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny_network(dropout: float = 0.4) -> Network:
    """Two convolutions with batch norm; everything that a checkpoint has to hold, in
    milliseconds.
    """
    torch.manual_seed(0)
    nn = torch.nn
    body = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1),
        nn.ReLU(),
    )
    return Network(
        body, 16, 3, list(body), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), dropout=dropout
    )


def train(
    folder: Path,
    *,
    settings: TrainSettings = SETTINGS,
    policy: Policy | None = None,
    resume: bool = False,
    key: str = "k",
    report: Any = None,
) -> tuple[Network, FitResult]:
    """One run on toy images, with its checkpoint in `folder`."""
    materials = toy_materials(count=24, val=9, size=16)
    network = tiny_network(settings.dropout)
    feeder = feeder_for(materials, settings, policy)
    fitted = fit(
        network,
        feeder,
        len(feeder),
        loss_for(materials, settings),
        lambda trained: scores(materials, trained),
        settings,
        checkpoint=str(folder / "checkpoint.pt"),
        resume=resume,
        key=key,
        report=report,
    )
    return network, fitted


def interrupted_in(wanted: int) -> Any:
    def report(epoch: int, step: int, steps: int, figures: Mapping[str, float]) -> None:
        if (epoch, step) == (wanted, 2):
            raise KeyboardInterrupt

    return report


def assert_same(one: Network, other: Network) -> None:
    for (name, ours), theirs in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_run_that_was_interrupted_goes_on_bit_for_bit(tmp_path: Path, optimiser: str) -> None:
    """With dropout, augmentation, batch norm and accumulation, interrupted in the middle of the
    third epoch.
    """
    settings = replace(SETTINGS, optimiser=optimiser)
    policy = policy_called("standard")
    straight, told = train(tmp_path / "one", settings=settings, policy=policy)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "two", settings=settings, policy=policy, report=interrupted_in(2))
    went_on, fitted = train(tmp_path / "two", settings=settings, policy=policy, resume=True)
    assert fitted.resumed_at == 2
    assert_same(straight, went_on)
    assert [row["train_loss"] for row in told.history] == [
        row["train_loss"] for row in fitted.history
    ]


def test_two_runs_of_one_seed_are_the_same_and_another_seed_is_not(tmp_path: Path) -> None:
    first, again = train(tmp_path / "one")[0], train(tmp_path / "two")[0]
    assert_same(first, again)
    other = train(tmp_path / "three", settings=replace(SETTINGS, seed=1))[0]
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def in_a_child(function: Callable[[], None]) -> int:
    """What a forked process ends with after `function`; 0 is a good end, -9 a kill."""
    process = multiprocessing.get_context("fork").Process(target=function)
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def write_next(path: Path) -> None:
    """Write the checkpoint of one more epoch in the place of `path`."""
    network = tiny_network()
    fitted, best = read_checkpoint(str(path), {"network": network}, "k")
    fitted.history.append(fitted.history[-1])
    write_checkpoint(str(path), {"network": network}, fitted, best, "k")


@pytest.mark.skipif(sys.platform != "linux", reason="fork")
def test_a_kill_while_the_checkpoint_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, report=interrupted_in(2))

    def killed() -> None:
        writing.os.fsync = lambda _: os.kill(os.getpid(), 9)  # type: ignore[attr-defined]
        write_next(tmp_path / "checkpoint.pt")

    assert in_a_child(killed) == -9
    assert [name for name in os.listdir(tmp_path) if name.endswith(".partial")], (
        "the kill came in the middle of writing"
    )
    went_on, fitted = train(tmp_path, resume=True)
    assert fitted.resumed_at == 2
    assert_same(train(tmp_path / "straight")[0], went_on)


def test_a_run_with_other_settings_is_not_gone_on_from(tmp_path: Path) -> None:
    train(tmp_path, settings=replace(SETTINGS, epochs=1), key="batch 8")
    with pytest.raises(FingerprintError, match=r"other data or settings.*without --resume"):
        train(tmp_path, key="batch 16", resume=True)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "other"])
def test_a_damaged_checkpoint_is_said_to_be_one(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoint.pt"
    train(tmp_path, settings=replace(SETTINGS, epochs=1))
    if damage == "other":
        torch.save(torch.zeros(3), path)
    else:
        path.write_bytes(
            {"cut": path.read_bytes()[:-2000], "text": b"not a checkpoint", "empty": b""}[damage]
        )
    with pytest.raises(
        InputError, match=r"no checkpoint that can be read .*train without --resume"
    ):
        read_checkpoint(str(path), {"network": tiny_network()}, "k")


def test_a_checkpoint_never_runs_what_is_in_it(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "checkpoint.pt").write_bytes(pickle.dumps({"form": 1, "key": Evil()}))
    with pytest.raises(InputError):
        read_checkpoint(str(tmp_path / "checkpoint.pt"), {}, "k")
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="fork")
def test_a_disk_that_fills_at_a_checkpoint_leaves_the_one_before(tmp_path: Path) -> None:
    import resource
    import signal

    path = tmp_path / "checkpoint.pt"
    train(tmp_path, settings=replace(SETTINGS, epochs=1))

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with pytest.raises(OutputError, match="limit on file sizes"):
            write_next(path)

    assert in_a_child(limited) == 0
    assert os.listdir(tmp_path) == ["checkpoint.pt"]
    fitted, _ = read_checkpoint(str(path), {}, "k")
    assert len(fitted.history) == 1


def test_a_loss_that_is_not_finite_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        loop,
        "learning_rate_schedule",
        lambda settings, steps: lambda step: 1.0 if step < 6 else 1e30,
    )
    with pytest.raises(
        WorkError, match=r"no longer finite in epoch 3: take a smaller --lr.*in the checkpoint"
    ):
        train(tmp_path, settings=replace(SETTINGS, accumulate=1, optimiser="sgd", clip=1e30))
    fitted, best = read_checkpoint(str(tmp_path / "checkpoint.pt"), {}, "k")
    assert len(fitted.history) >= 1
    assert all(bool(torch.isfinite(tensor).all()) for tensor in best.values())


def test_without_a_score_the_last_epoch_is_kept(tmp_path: Path) -> None:
    materials = toy_materials(count=24, val=9, size=16)
    network, feeder = tiny_network(), feeder_for(materials, SETTINGS, None)
    fitted = fit(network, feeder, len(feeder), loss_for(materials, SETTINGS), None, SETTINGS)
    assert fitted.best_epoch == SETTINGS.epochs - 1
    assert "val_loss" not in fitted.history[0]
