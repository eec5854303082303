"""What must stay true of the package's shape: layers, lazy imports, public names, small files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dataprep

PACKAGE = Path(dataprep.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Lowest first. A module may import from its own layer and from those before it.
LAYERS = (
    ("errors", "interruption"),
    ("schemas",),
    ("registry",),
    ("backends", "progress"),
    ("measures", "ingest"),
    ("neighbours",),
    ("probes",),
    ("checks",),
    ("engine",),
    ("reports", "cleaning", "known", "testing", "splits", "augment"),
    ("baselines",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def layer_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported(module: Path) -> set[str]:
    """Names of dataprep's modules that `module` imports, anywhere in it, except for type
    checking.
    """
    tree = ast.parse(module.read_text(encoding="utf-8"))
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
        if isinstance(node, ast.ImportFrom) and node.module == "dataprep":
            found |= {f"dataprep.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("dataprep.")}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(module: Path) -> None:
    own = layer_of(module)
    if own in ("__init__", "__main__"):
        return
    upward = {name for name in imported(module) if LEVEL[name.split(".")[1]] > LEVEL[own]}
    assert not upward, f"{module.name} in layer {own} imports from above: {sorted(upward)}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_knows_its_place_and_stays_small(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), "a module says in its docstring what it is for"
    assert source.count("\n") <= 600


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_functions_stay_readable(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and layer_of(module) != "cli":
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 70, f"{node.name} has {lines} lines"


def heavy_modules_after(code: str) -> set[str]:
    heavy = {
        "pandas",
        "numpy",
        "torch",
        "ray",
        "cv2",
        "PIL",
        "pyarrow",
        "scipy",
        "sklearn",
        "jinja2",
        "fsspec",
        "yaml",
    }
    heavy |= {"albumentations"}
    script = f"{code}\nimport sys; print(*sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert heavy_modules_after("import dataprep") == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["audit", "--help"], ["clean", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["dataprep", *{arguments!r}]
from dataprep.cli import main
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
    from dataprep.cli import app

    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    names = [
        command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    ]
    for name in names + [group.name for group in app.registered_groups]:
        assert f"dataprep {name}" in readme
