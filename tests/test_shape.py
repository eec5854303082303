"""What must stay true of the package's shape: layers, lazy imports, public names, small files."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import dataprep

PACKAGE = Path(dataprep.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Lowest first. A module may import from its own layer and from those before it.
LAYERS = (
    ("errors", "interruption", "version"),
    ("schemas",),
    ("registry",),
    ("backends", "progress"),
    ("measures", "ingest"),
    ("neighbours",),
    ("probes",),
    ("checks",),
    ("engine",),
    ("gate", "known_issues", "testing"),
    ("reports",),
    ("cleaning",),
    ("splits",),
    ("normalisation",),
    ("augment",),
    ("baselines",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def layer_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


@cache
def imported(module: Path) -> frozenset[str]:
    """Names of dataprep's modules that `module` imports, anywhere in it, except for type
    checking.
    """
    tree = tree_of(module)
    skipped = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and ast.unparse(guard.test) == "TYPE_CHECKING"
        for node in ast.walk(guard)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = {name for name in named if is_module(name)}
            found |= inner or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    assert "dataprep" not in found or layer_of(module) == "cli", (
        f"{module} imports the package's face: import the module"
    )
    return frozenset(name for name in found if name.startswith("dataprep."))


def test_imports_point_down() -> None:
    upward = [
        f"{module.relative_to(PACKAGE)} imports {name}"
        for module in MODULES
        if layer_of(module) not in ("__init__", "__main__")
        for name in imported(module)
        if LEVEL[name.split(".")[1]] > LEVEL[layer_of(module)]
    ]
    assert not upward, "these import modules of a higher layer"


def dotted(module: Path) -> str:
    """The name under which a file is imported."""
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of names that can be reached from one another, sorted."""
    names = {name: place for place, name in enumerate(sorted(graph))}
    rows = [names[name] for name in graph for _ in graph[name]]
    columns = [names[other] for name in graph for other in graph[name]]
    edges = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(names),) * 2)
    count, component = connected_components(edges, directed=True, connection="strong")
    groups = [[name for name in names if component[names[name]] == one] for one in range(count)]
    return [group for group in groups if len(group) > 1]


def test_cycles_are_told() -> None:
    graph: dict[str, set[str]] = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}
    assert cycles(graph) == [["a", "b", "c"]]


def test_nothing_imports_in_a_circle() -> None:
    """Imports inside functions count; those for type checking alone do not."""
    names = {dotted(module) for module in MODULES} - {"dataprep"}
    graph = {dotted(module): set(imported(module) & names) for module in MODULES}
    graph.pop("dataprep")
    assert cycles({name: others - {name} for name, others in graph.items()}) == []


FOLDERS = sorted({module.parent for module in MODULES})
MOST_MODULES = 16
MOST_LINES, MOST_LINES_OF_FUNCTION = 600, 70


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_every_folder_says_what_lives_there_and_stays_small(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    face = ast.get_docstring(tree_of(folder / "__init__.py"))
    assert face, "the folder's __init__ says what lives there"
    assert folder == PACKAGE or "mport" in face, "and what it may import"


def test_every_module_says_what_it_is_for_and_stays_small() -> None:
    silent = [str(module) for module in MODULES if not ast.get_docstring(tree_of(module))]
    assert not silent, "a module says in its docstring what it is for"
    long = [str(module) for module in MODULES if module.read_bytes().count(b"\n") > MOST_LINES]
    assert not long


def test_functions_stay_readable() -> None:
    """Lines of the body: docstring and signature, which name every option of a command, apart."""
    long = []
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > MOST_LINES_OF_FUNCTION:
                    long.append(f"{module.relative_to(PACKAGE)}: {node.name}, {lines} lines")
    assert not long


def heavy_modules_after(code: str) -> set[str]:
    heavy = {
        "pandas",
        "numpy",
        "torch",
        "ray",
        "cv2",
        "PIL",
        "albumentations",
        "imagehash",
        "onnxruntime",
        "pyarrow",
        "scipy",
        "sklearn",
        "jinja2",
        "fsspec",
        "yaml",
    }
    script = f"{code}\nimport sys; print(*sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert heavy_modules_after("import dataprep") == set()


def command_names() -> list[str]:
    from dataprep.cli import app

    names = [
        command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    ]
    return names + [str(group.name) for group in app.registered_groups]


def test_help_of_every_command_loads_nothing_heavy() -> None:
    asked = [["--help"], ["--version"], *([name, "--help"] for name in command_names())]
    code = f"""
import sys
from dataprep.cli import main
for arguments in {asked!r}:
    sys.argv = ["dataprep", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""
    assert heavy_modules_after(code) == set()


def test_public_names_are_sorted_complete_and_load() -> None:
    assert dataprep.__all__ == sorted(dataprep.__all__)
    assert set(dataprep.__all__) == set(dataprep._HOMES)
    for name in dataprep.__all__:
        assert getattr(dataprep, name).__name__ == name
        assert name in dir(dataprep)
    with pytest.raises(AttributeError, match="no attribute 'adit'"):
        dataprep.adit  # noqa: B018


def test_public_functions_do_not_share_a_name_with_a_module() -> None:
    """A module of the same name would hide the lazily loaded function as soon as it is imported."""
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(dataprep.__all__)


def test_readme_names_every_command() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in command_names() if f"dataprep {name}" not in readme] == []
