"""Nothing leaves the machine, seen from outside: every command and the Python API, each network
call watched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.conftest import save, textured

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


#: Every command, in the order in which one needs what another makes.
_COMMANDS = (
    ["audit", "images", "--jobs", "1", "--no-cache"],
    ["clean"],
    ["split"],
    ["normalise", "--jobs", "1"],
    ["augment"],
    ["train-baseline", "--no-sanity"],
    ["predict", "images", "--jobs", "1"],
    ["checks"],
    ["explain", "dark"],
    ["cache", "info"],
    ["--version"],
)

#: Runs each command in a fork of a process that has loaded what sends nothing: numbers, tables and
#: pictures. The command itself loads onnxruntime, albumentations and torch, as in a process of its
#: own. Beside them, the Python API keeps a session long enough for telemetry to start.
_EVERYTHING = """
import json, os, sys, time
import cv2, jinja2, numpy, pandas, PIL.Image, pyarrow.parquet, rich.console, scipy.sparse
import dataprep
from dataprep.cli import main

def in_a_fork(work):
    child = os.fork()
    if child:
        return child
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    sys.stdout.flush()
    os._exit(code)

def hold():
    from dataprep.measures.embedding.contract import load_embedder
    embedder = load_embedder("lite0", size=128, threads=1)
    options = dataprep.PassOptions(jobs=1, cache=False)
    found = dataprep.audit("images", pass_options=options, progress=False)
    dataprep.report(found, "held")
    dataprep.split(found, progress=False)
    time.sleep({held})

def command(words):
    sys.argv = ["dataprep", *words]
    main()

held = in_a_fork(hold)
for words in json.loads(sys.argv[1]):
    _, status = os.waitpid(in_a_fork(lambda: command(words)), 0)
    assert status == 0, words
assert os.waitpid(held, 0)[1] == 0
"""


def test_no_command_calls_out_nor_does_the_python_interface(folder: Path) -> None:
    from dataprep.cli import app

    named = {command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    named |= {group.name for group in app.registered_groups}
    assert named == {words[0] for words in _COMMANDS} - {"--version"}
    for index in range(40):
        image = textured(index, 64, 48)
        image[..., index % 2] //= 2
        save(image, folder / "images" / ("cat" if index % 2 else "dog") / f"{index:02d}.png")
    code = _EVERYTHING.replace("{held}", str(_HELD_S))
    assert _calls_out([sys.executable, "-c", code, json.dumps(_COMMANDS)], folder) == []
    assert (folder / "dataprep-out" / "predict" / "predictions.csv").exists()
    assert (folder / "held" / "report.html").exists()
    assert not list(folder.rglob("*.ses"))
