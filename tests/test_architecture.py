"""docs/architecture.md and docs/built-on.md say what the code does."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.test_shape import LAYERS, MODULES, PACKAGE, imported, is_module, tree_of

ROOT = PACKAGE.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`(dataprep/[\w./-]*)`")


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


FOLDER_ROWS = [PATH.findall(cells[0]) for cells in rows_of(ARCHITECTURE, "Where things live")]


def test_the_layers_are_those_of_the_shape_test() -> None:
    (drawn,) = re.findall(r"```layers\n(.*?)```", ARCHITECTURE, re.DOTALL)
    lowest_first = [tuple(sorted(line.split())) for line in reversed(drawn.splitlines())]
    assert lowest_first == [tuple(sorted(names)) for names in LAYERS]


def test_every_folder_is_named_once_lowest_layer_first() -> None:
    named = [folder for row in FOLDER_ROWS for folder in row]
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in PACKAGE.rglob("__init__.py")}
    assert sorted(named) == sorted(folders)
    level = {name: place for place, names in enumerate(LAYERS) for name in names}
    levels = [level[folder.split("/")[1]] for folder in named if folder != "dataprep/"]
    assert levels == sorted(levels)


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/built-on.md", "CONTRIBUTING.md"])
def test_every_path_named_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    assert missing in ([], ["dataprep/checks/quality/too_wide.py"])  # the example to be written


def test_every_function_named_beside_a_path_is_there() -> None:
    named = [
        (name, path)
        for path, names in re.findall(r"`(dataprep/[\w./]+\.py)` \(`([^)]*)`\)", ARCHITECTURE)
        for name in names.split("`, `")
    ]
    named += re.findall(r"`(\w+)`\s\(`(dataprep/[\w./]+\.py)`\)", ARCHITECTURE)
    assert named
    for name, path in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        defined = rf"^\s*((def|class) {name}\b|{name}\b[^=\n]*=)"
        assert re.search(defined, source, re.MULTILINE), f"{name} is not defined in {path}"


def sub_package(path: Path) -> str:
    """The sub-package of a package that a module is in, as the page names it; "" at the top."""
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:3]) + "/" if len(parts) > 3 else ""


def module_path(name: str) -> Path:
    place = ROOT.joinpath(*(name if is_module(name) else name.rpartition(".")[0]).split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def test_sub_packages_import_as_the_table_is_ordered() -> None:
    place = {folder: number for number, row in enumerate(FOLDER_ROWS) for folder in row}
    upward = set()
    for module in MODULES:
        own = sub_package(module)
        for name in imported(module) if own else ():
            other = sub_package(module_path(name))
            same_package = other.split("/")[:2] == own.split("/")[:2]
            if other and same_package and place[other] > place[own]:
                upward.add(f"{module.relative_to(ROOT)} imports {name}")
    assert not upward, sorted(upward)


BUILT_ON = (ROOT / "docs" / "built-on.md").read_text(encoding="utf-8")
#: Name on the package index to name of the import, where they differ.
IMPORTS = {
    "pillow": "PIL",
    "opencv-python-headless": "cv2",
    "scikit-learn": "sklearn",
    "pillow-heif": "pillow_heif",
}
USED_IN = {cells[0]: cells[3] for cells in rows_of(BUILT_ON, "Base install")} | {
    cells[1]: cells[3] for cells in rows_of(BUILT_ON, "Extras")
}


@cache
def users() -> dict[str, set[str]]:
    """Library to the modules that import it, by a statement or by `import_module`."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
                names = [each.value for each in node.args if isinstance(each, ast.Constant)]
            for name in names:
                found[name.split(".")[0]].add(str(module.relative_to(ROOT)))
    return found


#: The packages of the field that are in the base install or an extra; cleanlab is in the tests'.
CARD = ("pandas", "pillow", "albumentations", "imagehash", "scikit-learn", "torch", "typer")


@pytest.mark.parametrize("package", CARD)
def test_the_packages_of_the_field_are_used(package: str) -> None:
    assert users()[IMPORTS.get(package, package)]


def test_every_dependency_is_on_the_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = set(project["dependencies"])
    required |= {each for name in extras if name not in ("all", "test") for each in extras[name]}
    assert {re.split(r"[^\w.-]", each)[0] for each in required} == set(USED_IN)


@pytest.mark.parametrize("package", USED_IN)
def test_a_dependency_is_used_where_the_page_says(package: str) -> None:
    places = PATH.findall(USED_IN[package])
    modules = users()[IMPORTS.get(package, package)]
    unnamed = {name for name in modules if not any(name.startswith(place) for place in places)}
    assert not unnamed, f"docs/built-on.md does not say that {package} is used there"
    unused = [place for place in places if not any(name.startswith(place) for name in modules)]
    assert not unused, f"docs/built-on.md says that {package} is used there"
