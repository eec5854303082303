"""Several processes: two with half a batch each learn what one with the whole batch does, and
the first alone speaks.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dataprep.baselines.training.settings import TrainSettings
from dataprep.errors import InputError

torch = pytest.importorskip("torch")

from dataprep.baselines.training import distributed  # noqa: E402
from dataprep.baselines.training.fitting import feeder_for, loss_for, scores  # noqa: E402
from dataprep.baselines.training.history import FitResult  # noqa: E402
from dataprep.baselines.training.loop import fit  # noqa: E402
from dataprep.baselines.training.networks import Network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch without torch.distributed"
)
SETTINGS = TrainSettings(epochs=3, lr=0.02, body_lr=1.0, optimiser="sgd", dropout=0.0, patience=0)


def train(batch: int, folder: Path) -> tuple[Network, FitResult]:
    """A network without batch norm, whose figures depend on how a batch is shared; from other
    first weights in each process.
    """
    torch.manual_seed(distributed.rank_and_world_size()[0])
    nn = torch.nn
    body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
    network = Network(
        body, 8, 3, list(body), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), dropout=0.0
    )
    materials = toy_materials(count=32, val=9, size=16)
    settings = TrainSettings(**{**vars(SETTINGS), "batch": batch})
    feeder = feeder_for(materials, settings, None)
    fitted = fit(
        network,
        feeder,
        len(feeder),
        loss_for(materials, settings),
        lambda trained: scores(materials, trained),
        settings,
        checkpoint=str(folder / "checkpoint.pt"),
    )
    return network, fitted


def work(folder: Path) -> None:
    """What each of the two processes does."""
    torch.set_num_threads(1)
    with distributed.process_group("cpu") as rank:
        network, fitted = train(4, folder)
        torch.save(
            (network.state_dict(), [row["train_loss"] for row in fitted.history]),
            folder / f"{rank}.pt",
        )
        try:
            distributed.run_on_rank_zero(lambda: _fail(rank))
        except InputError as error:
            (folder / f"{rank}.txt").write_text(f"{error}")
        said = distributed.rank_zero_first(lambda: f"made by {rank}")
        (folder / f"{rank}.said").write_text(said)
    if sys.platform == "linux":
        (folder / f"{rank}.threads").write_text(
            "\n".join(path.read_text() for path in Path("/proc/self/task").glob("*/comm"))
        )


def _fail(rank: int) -> None:
    raise InputError(f"said by {rank}")


def start(rank: int, folder: Path, port: int) -> subprocess.Popen[str]:
    """One of two processes, told by the environment who it is, as torchrun does."""
    code = (
        "import sys; from pathlib import Path; from tests.baselines.training import "
        "test_distributed as t; t.work(Path(sys.argv[1]))"
    )
    told = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, **told},
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    both = [start(rank, tmp_path, port) for rank in (0, 1)]
    for process in both:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    (tmp_path / "alone").mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone, fitted = train(8, tmp_path / "alone")
    torch.set_num_threads(threads)
    for name, weights in alone.state_dict().items():
        assert torch.equal(first[0][name], second[0][name]), (
            "both processes end with the same weights"
        )
        assert torch.allclose(first[0][name], weights, atol=1e-5), name
    assert first[1] == second[1]
    assert np.allclose(first[1], [row["train_loss"] for row in fitted.history], atol=1e-5)
    assert (tmp_path / "checkpoint.pt").exists()
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == ["said by 0"] * 2
    assert [(tmp_path / f"{rank}.said").read_text() for rank in (0, 1)] == [
        "made by 0",
        "made by 1",
    ]
    if sys.platform == "linux":
        left = [(tmp_path / f"{rank}.threads").read_text() for rank in (0, 1)]
        assert not any("gloo" in names for names in left), (
            "threads that outlive the group abort when the interpreter ends"
        )


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.process_group() as rank:
        assert (rank, distributed.rank_and_world_size(), distributed.is_rank_zero()) == (
            0,
            (0, 1),
            True,
        )
        distributed.barrier()
        assert distributed.run_on_rank_zero(lambda: 7) == 7
        figures = torch.ones(2)
        assert distributed.sum_over_ranks(figures) is figures
