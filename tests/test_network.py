"""Nothing leaves the machine, seen from outside: every command and the Python API, each network
call watched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

_DATA = Path(__file__).parent.parent / "sample_data" / "shapes"
#: A native library's telemetry starts to talk when a session has lived for some 8 s.
_HELD_S = 20
_ADDRESS = re.compile(r'sa_family=AF_(\w+)|inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_HERE = ("127.", "::1", "::ffff:127.")
#: Starts what follows in a network of its own that leads nowhere but to itself.
_ALONE = (
    "unshare",
    "--map-root-user",
    "--net",
    "sh",
    "-c",
    'ip link set lo up 2>/dev/null; exec "$@"',
    "alone",
)

#: Writes every call that may name another machine.
_WATCHED = (
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-e",
    "trace=connect,sendto,sendmsg,sendmmsg",
    "-e",
    "signal=none",
)


def _why_not() -> str:
    """Why the network calls of a program cannot be watched here; empty where they can."""
    for name in ("strace", "unshare"):
        if shutil.which(name) is None:
            return f"{name} is not installed"
    tried = subprocess.run(
        [*_ALONE, "strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True
    )
    return "" if tried.returncode == 0 else f"not permitted here: {tried.stderr.strip()[-200:]}"


def _calls_out(command: list[str], folder: Path) -> list[str]:
    """The network calls of a command and its children that name a machine other than this one."""
    log = folder / "calls.txt"
    log.unlink(missing_ok=True)
    watched = [*_ALONE, *_WATCHED, "-o", str(log)]
    unset = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    settings = {**unset, "TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [*watched, *command], cwd=folder, env=settings, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [line for line in log.read_text(errors="replace").splitlines() if _leads_out(line)]


def _leads_out(call: str) -> bool:
    found = _ADDRESS.findall(call)
    addresses = [four or six for _, four, six in found if four or six]
    return any(not address.startswith(_HERE) for address in addresses)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    why = _why_not()
    if why:
        warnings.warn(f"nobody watched whether something leaves the machine: {why}", stacklevel=1)
        pytest.skip(why)
    return tmp_path_factory.mktemp("watched")


def test_a_program_that_calls_out_is_seen(folder: Path) -> None:
    calls = (
        "import socket, contextlib\nfor host in ('192.0.2.1', '127.0.0.1'):\n with "
        "contextlib.suppress(OSError):\n"
    )
    calls += "  socket.create_connection((host, 9), timeout=1)"
    assert len(_calls_out([sys.executable, "-c", calls], folder)) == 1
    sends = "import socket, contextlib\nwith contextlib.suppress(OSError):\n"
    sends += " socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('2001:db8::1', 53))"
    assert len(_calls_out([sys.executable, "-c", sends], folder)) == 1


def test_no_command_calls_out(folder: Path) -> None:
    run = [sys.executable, "-m", "dataprep"]
    images, few = str(_DATA), ["--jobs", "1"]
    commands = [
        ["audit", images, *few, "--no-cache"],
        ["clean"],
        ["split"],
        ["normalise"],
        ["augment"],
        ["train-baseline", "--no-sanity"],
        ["predict", images, "--jobs", "1"],
        ["checks"],
        ["explain", "dark"],
        ["cache", "info"],
        ["--version"],
    ]
    called = {" ".join(command): _calls_out([*run, *command], folder) for command in commands}
    assert not any(called.values()), {name: calls[:5] for name, calls in called.items() if calls}


def test_the_python_interface_does_not_call_out(folder: Path) -> None:
    held = f"""
import time, dataprep
from dataprep.measures.embedding.contract import load_embedder
from dataprep.measures.embedding.sessions import load_onnxruntime
embedder = load_embedder("lite0", size=128, threads=1)
found = dataprep.audit({str(_DATA)!r}, pass_options=dataprep.PassOptions(jobs=1, cache=False))
dataprep.report(found, "held")
dataprep.split(found)
time.sleep({_HELD_S})
"""
    assert _calls_out([sys.executable, "-c", held], folder) == []
    assert not list(folder.rglob("*.ses"))
