"""Mutation tests: small bugs planted at random, and whether the tests notice them.

    pip install cosmic-ray coverage
    python benchmarks/mutants.py [AREA ...] [--count 50] [--seed 0] [--jobs 2] [--work DIR]
    python benchmarks/mutants.py --survivors --work DIR      # only those that survived last time

The mutants are cosmic-ray's (an operator, a number, a condition changed at one place). A place is
drawn first and one of its mutants second, so that a `+`, which has eleven, counts as much as a
`not`, which has one. What cannot change behaviour is left out: `left_out` says what, and the table
counts it.

Everything happens in a copy of the tree. The tests of an area run once under coverage, which
records the tests that reach each line. A mutant gets the quickest of those that reach its line
(`--budget` seconds of them as measured without coverage's help), until one fails. Heavy libraries
are imported once; every mutant is tested in a fork of that process.
"""

from __future__ import annotations

import argparse
import ast
import collections
import difflib
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

SPLITTING = [f"tests/splits/test_{name}.py" for name in ("changing", "rules", "splitter", "times")]
TRAINED = [f"tests/baselines/{name}" for name in ("test_choices.py", "test_after_training.py")]
TRAINED += [f"tests/baselines/{name}" for name in ("sanity", "tuning", "diagnosis", "pages")]

#: Area: the code that is mutated, and the tests that answer for it.
AREAS = {
    "solver": (["dataprep/splits/solver"], ["tests/splits/solver", *SPLITTING]),
    "cache": (
        ["dataprep/measures/cache.py"],
        ["tests/measures/test_cache.py", "tests/measures/test_cache_limits.py"],
    ),
    "ingest": (["dataprep/ingest"], ["tests/ingest"]),
    "reports": (["dataprep/reports"], ["tests/reports"]),
    "evaluation": (["dataprep/baselines/evaluation"], ["tests/baselines/evaluation", *TRAINED]),
    "training": (["dataprep/baselines/training"], ["tests/baselines/training", *TRAINED]),
}
#: Imported once, before any fork.
HEAVY = ("pytest", "pandas", "scipy.stats", "sklearn.linear_model", "PIL.Image", "pyarrow", "rich")
#: Numbers from here on are sizes and limits that nobody tells from the next number.
LARGE = 1000
#: Keyword arguments that only guard against a bug elsewhere: dataclasses', and that of `zip`.
GUARDS = {"frozen", "slots", "kw_only", "strict"}
CACHES = {"cache", "lru_cache", "cached_property", "abstractmethod", "overload", "override"}


@dataclass(frozen=True)
class Mutant:
    """One change of cosmic-ray's: the `occurrence`-th place of an operator in a file."""

    path: str
    operator: str
    occurrence: int
    line: int
    column: int


@dataclass
class Result:
    """What became of a mutant: killed, timed out, survived or unreached."""

    area: str
    mutant: Mutant
    outcome: str
    change: list[str]
    tests: int
    seconds: float


# --- the mutants ---------------------------------------------------------------------------------


def spans_left_out(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Parts of a module whose change is no change of behaviour, and why."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield "annotation", node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield "annotation", node.returns
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield "type checking", node
        elif isinstance(node, ast.keyword) and node.arg in GUARDS:
            yield "guard", node
        elif isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]):
            yield "__all__", node


def left_out(operator: str, line: int, column: int, source: str, spans: list[Any]) -> str | None:
    """Why a mutant is not counted; None if it is."""
    for reason, node in spans:
        start = (node.lineno, node.col_offset)
        if start <= (line, column) < (node.end_lineno, node.end_col_offset):
            return reason
    if operator in {"VariableReplacer", "VariableInserter"}:
        return "needs names to be told"
    if (
        operator.endswith(("_Is", "_IsNot"))
        and "_Is_" not in operator
        and "_IsNot_" not in operator
    ):
        return "identity for equality"  # the same for small numbers and interned strings
    text = source.splitlines()[line - 1][column:]
    decorator = text.strip().removeprefix("@").partition("(")[0].rpartition(".")[2]
    if operator == "RemoveDecorator" and decorator in CACHES:
        return "decorator without effect on results"
    if operator == "NumberReplacer":
        digits = re.match(r"[\d_]+(?![\w.])", text)
        if digits and int(digits[0]) >= LARGE:
            return "a large number by one"
    return None


def mutants_of(path: str, source: str) -> tuple[list[Mutant], collections.Counter[str]]:
    """Every mutant of a file that counts, and how many were left out for which reason."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.operators.provider import OperatorProvider

    spans = list(spans_left_out(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    provider = OperatorProvider()
    found, reasons = [], collections.Counter[str]()
    for name in provider:
        if name.startswith("Variable"):
            continue
        operator = provider[name]()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(places):
            reason = left_out(name, line, column, source, spans)
            if reason:
                reasons[reason] += 1
            else:
                found.append(Mutant(path, name, occurrence, line, column))
    return found, reasons


def mutated(source: str, mutant: Mutant) -> str | None:
    """The file with the change in it; None if that doesn't compile or changes nothing."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.operators.provider import OperatorProvider

    try:
        code = mutate_code(source, OperatorProvider()[mutant.operator](), mutant.occurrence)
        if code is None or ast.dump(ast.parse(code)) == ast.dump(ast.parse(source)):
            return None
    except (SyntaxError, AttributeError):  # cosmic-ray stumbles over `except sqlite3.Error`
        return None
    return code


def draw(paths: list[str], count: int, seed: int) -> tuple[list[Mutant], collections.Counter[str]]:
    """Mutants at `count` places drawn at random, and why others were left out."""
    places = collections.defaultdict(list)
    reasons = collections.Counter[str]()
    for path in sorted(paths):
        source = (ROOT / path).read_text("utf-8")
        found, left = mutants_of(path, source)
        reasons += left
        for mutant in found:
            places[(mutant.path, mutant.line, mutant.column)].append(mutant)
    chance = random.Random(seed)
    drawn: list[Mutant] = []
    for place in chance.sample(sorted(places), len(places)):
        mutant = chance.choice(places[place])
        if mutated((ROOT / mutant.path).read_text("utf-8"), mutant) is None:
            reasons["not made, does not compile, or the same program"] += 1
            continue
        drawn.append(mutant)
        if len(drawn) == count:
            break
    return drawn, reasons


# --- the tests that reach a line -----------------------------------------------------------------


class Recorder:
    """A plugin of pytest: lines that each test reaches, its seconds, and whether it passed."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.coverage.switch_context(nodeid + "|setup")

    def pytest_runtest_call(self, item: Any) -> None:
        self.coverage.switch_context(item.nodeid + "|call")

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if not report.passed:
            self.failed.add(report.nodeid)


def record(tree: Path, sources: list[str], tests: list[str], out: Path) -> None:
    """Run tests under coverage, here and now, and write which of them reach which lines."""
    import coverage
    import pytest

    cover = coverage.Coverage(
        data_file=None, include=[str(tree / source) for source in sources], config_file=False
    )
    recorder = Recorder(cover)
    cover.start()
    pytest.main(["-q", "-p", "no:cacheprovider", *tests], [recorder])
    cover.stop()
    data = cover.get_data()
    lines = {
        source: {
            line: sorted(context for context in contexts if context)
            for line, contexts in data.contexts_by_lineno(str(tree / source)).items()
        }
        for source in sources
    }
    passed = {t: s for t, s in recorder.seconds.items() if t not in recorder.failed}
    out.write_text(json.dumps({"lines": lines, "seconds": passed}))


@dataclass
class Reached:
    """Which tests reach which lines: of path and line, the tests; and the seconds of each."""

    lines: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant, source: str, budget: float) -> list[str]:
        """The quickest tests that reach a mutant's line, `budget` seconds of them."""
        lines = self.lines.get(mutant.path, {})
        reaching = set[str]()
        for line in statement_lines(source, mutant.line):
            reaching |= lines.get(line, set())
        if not reaching:
            reaching = set().union(*lines.values())
        chosen, spent = [], 0.0
        for test in sorted(reaching & set(self.seconds), key=lambda test: self.seconds[test]):
            spent += self.seconds[test]
            if chosen and spent > budget:
                break
            chosen.append(test)
        return chosen


def statement_lines(source: str, line: int) -> list[int]:
    """The lines that say whether a test meets a statement: its own or, for what runs at import
    (constants, defaults), those that name it.
    """
    tree = ast.parse(source)
    inner: ast.stmt | None = None
    functions = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            inner = node
            if isinstance(node, ast.FunctionDef) and node.body[0].lineno <= line:
                functions.append(node)
    if inner is None:
        return []
    if functions:
        end = inner.body[0].lineno if hasattr(inner, "body") else (inner.end_lineno or 0) + 1
        return list(range(inner.lineno, max(end, line + 1)))
    if isinstance(inner, ast.FunctionDef | ast.ClassDef):  # a default, a decorator
        return list(range(inner.body[0].lineno, (inner.end_lineno or 0) + 1))
    names = {
        n.id for n in ast.walk(inner) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names)
        or (isinstance(node, ast.Attribute) and node.attr in names)
    ]


def reached(tree: Path, work: Path, sources: list[str], tests: list[str]) -> Reached:
    """What the tests reach; only test files that changed since last time are run again."""
    code = hashlib.sha256(b"".join((tree / source).read_bytes() for source in sources))
    code.update(b"".join(p.read_bytes() for t in tests for p in helpers(tree / t)))
    known, missing = [], []
    for test in test_files(tree, tests):
        key = code.copy()
        key.update(test.encode() + (tree / test).read_bytes())
        file = work / f"reached-{key.hexdigest()[:16]}.json"
        known.append((test, file))
        if not file.exists():
            missing.append((test, file))
    for test, file in missing:
        print(f"recording {test}", flush=True)
        in_fork(tree, lambda test=test, file=file: record(tree, sources, [test], file), 3600)
    lines: dict[str, dict[int, set[str]]] = {source: {} for source in sources}
    seconds: dict[str, float] = {}
    for _, file in known:
        read = json.loads(file.read_text())
        seconds |= read["seconds"]
        for source, contexts in read["lines"].items():
            for line, names in contexts.items():
                meet = lines[source].setdefault(int(line), set())
                for name in names:
                    test, _, phase = name.rpartition("|")
                    meet.add(test)
                    if phase == "setup":  # a fixture that other tests of the file share
                        meet |= set(read["seconds"])
    return Reached(lines, seconds)


def helpers(folder: Path) -> list[Path]:
    """The files in a folder of tests that are not tests."""
    folder = folder if folder.is_dir() else folder.parent
    return [p for p in sorted(folder.rglob("*.py")) if not p.name.startswith("test_")]


def test_files(tree: Path, tests: list[str]) -> list[str]:
    """The test files of some folders and files, relative to the tree."""
    files = []
    for test in tests:
        path = tree / test
        files += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    return [str(file.relative_to(tree)) for file in files]


# --- running -------------------------------------------------------------------------------------


def in_fork(tree: Path, work: Any, limit: float) -> int | None:
    """Call `work` in a fork of this process that stands in `tree`; its exit status, None after
    `limit` seconds.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            os.chdir(tree)
            sys.path.insert(0, str(tree))
            os.environ["PYTHONPATH"] = str(tree)
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            status = int(work() or 0)
        finally:
            os._exit(status)
    until = time.monotonic() + limit
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            stop_group(child)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    stop_group(child)
    os.waitpid(child, 0)
    return None


def stop_group(leader: int) -> None:
    """End what a fork left running."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def run_tests(tests: list[str]) -> int:
    """Run tests until one fails, here and now."""
    import pytest

    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests]))


def judge(tree: Path, area: str, mutant: Mutant, known: Reached, budget: float) -> Result:
    """Test one mutant in a copy of the tree."""
    file = tree / mutant.path
    source = file.read_text("utf-8")
    code = mutated(source, mutant)
    assert code is not None, f"not a mutant: {mutant}"
    change = [
        text
        for text in difflib.unified_diff(source.splitlines(), code.splitlines(), n=0, lineterm="")
        if not text.startswith(("---", "+++", "@@"))
    ]
    tests = known.tests(mutant, source, budget)
    start = time.monotonic()
    if not tests:
        return Result(area, mutant, "unreached", change, 0, 0.0)
    times = file.stat()
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()
    file.write_text(code, "utf-8")
    limit = 30 + 8 * sum(known.seconds[test] for test in tests)
    try:
        status = in_fork(tree, lambda: run_tests(tests), limit)
    finally:
        file.write_text(source, "utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    outcome = {0: "survived", None: "timed out"}.get(status, "killed")
    return Result(area, mutant, outcome, change, len(tests), time.monotonic() - start)


def copied(folder: Path) -> Path:
    """A copy of the working tree: what git follows, and new files that it doesn't ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_area(
    area: str, mutants: list[Mutant], trees: list[Path], work: Path, budget: float
) -> list[Result]:
    """Test the mutants of an area, one in each copy of the tree at a time."""
    paths, tests = AREAS[area]
    known = reached(trees[0], work, modules(paths), tests)
    free: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(mutant: Mutant) -> Result:
        tree = free.get()
        try:
            result = judge(tree, area, mutant, known, budget)
        finally:
            free.put(tree)
        show(result)
        return result

    with ThreadPoolExecutor(len(trees)) as pool:
        return list(pool.map(one, mutants))


def modules(paths: list[str]) -> list[str]:
    """The Python files of folders and files, relative to the repository."""
    files = []
    for path in paths:
        full = ROOT / path
        files += sorted(full.rglob("*.py")) if full.is_dir() else [full]
    return [str(file.relative_to(ROOT)) for file in files]


def show(result: Result) -> None:
    """Print what became of a mutant; the change itself when no test noticed it."""
    mutant = result.mutant
    print(
        f"{result.outcome:9} {mutant.path}:{mutant.line} {mutant.operator} "
        f"({result.tests} tests, {result.seconds:.1f} s)",
        flush=True,
    )
    if result.outcome in {"survived", "unreached"}:
        print("\n".join(f"          {line}" for line in result.change), flush=True)


def table(results: list[Result]) -> None:
    """Print the counts of each area."""
    kinds = ("killed", "timed out", "survived", "unreached")
    print(f"\n{'area':12}{'drawn':>7}" + "".join(f"{kind:>11}" for kind in kinds) + "   noticed")
    for area in [*dict.fromkeys(result.area for result in results), "all"]:
        of_area = [result for result in results if area in {"all", result.area}]
        counts = collections.Counter(result.outcome for result in of_area)
        noticed = (counts["killed"] + counts["timed out"]) / max(1, len(of_area))
        print(
            f"{area:12}{len(of_area):>7}"
            + "".join(f"{counts[kind]:>11}" for kind in kinds)
            + f"{noticed:>9.0%}"
        )


def main() -> None:
    """Draw mutants, test them, print what became of each, and the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("areas", nargs="*", default=list(AREAS), help=", ".join(AREAS))
    parser.add_argument("--count", type=int, default=50, help="mutants of each area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="copies of the tree, tested at once")
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of tests for a mutant")
    parser.add_argument("--work", type=Path, help="folder that keeps what tests reach, and results")
    parser.add_argument("--survivors", action="store_true", help="only survivors of last time")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in (*HEAVY, *(["torch"] if {"evaluation", "training"} & set(given.areas) else [])):
        importlib.import_module(name)
    work = given.work or Path(tempfile.mkdtemp(prefix="mutants-"))
    work.mkdir(parents=True, exist_ok=True)
    results = []
    with tempfile.TemporaryDirectory(prefix="mutated-") as scratch:
        trees = [copied(Path(scratch) / str(index)) for index in range(given.jobs)]
        for area in given.areas:
            file = work / f"{area}.json"
            last = json.loads(file.read_text()) if given.survivors else []
            if given.survivors:
                lost = [r["mutant"] for r in last if r["outcome"] in {"survived", "unreached"}]
                mutants = [Mutant(**mutant) for mutant in lost]
                last = [each for each in last if each["mutant"] not in lost]
            else:
                mutants, reasons = draw(modules(AREAS[area][0]), given.count, given.seed)
                print(f"{area}: left out before drawing: {dict(reasons)}", flush=True)
            of_area = run_area(area, mutants, trees, work, given.budget)
            results += of_area
            last += [asdict(result) for result in of_area]
            file.write_text(json.dumps(last, indent=1))
    table(results)


if __name__ == "__main__":
    main()
