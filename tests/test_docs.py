"""The documentation says what is true: pages are up to date, links lead somewhere, commands and
snippets work as written.
"""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
import shlex
import sys
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path

import pytest
import typer

import dataprep
import dataprep.testing
from dataprep import registry
from dataprep.testing import assert_check_fits
from tests.conftest import save, textured

ROOT = Path(__file__).parent.parent
GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def blocks(path: Path, language: str) -> list[str]:
    return [
        text for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")) if kind == language
    ]


def load_make():
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date():
    assert not load_make().outdated(), "run: python docs/make.py"


@pytest.mark.parametrize(
    "page", [*GUIDES, *sorted((ROOT / "docs" / "checks").glob("*.md"))], ids=lambda page: page.name
)
def test_no_figure_is_missing(page):
    assert not re.search(r"@[A-Za-z-]+@|FIGURES|MEASURED|TODO", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "page", [*GUIDES, *sorted((ROOT / "docs" / "checks").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page):
    broken = []
    for link, heading in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / link if link else page
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(f"{link}#{heading}")
    assert not broken


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def commands(path: Path) -> list[list[str]]:
    """Every command line of dataprep in the shell blocks of a page, without what comes before
    and after it.
    """
    lines = [line for block in blocks(path, "sh") for line in block.splitlines()]
    found = [re.search(r"\bdataprep (?=[a-z-]).*", line) for line in lines]
    return [shlex.split(match[0].split("|")[0], comments=True)[1:] for match in found if match]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_commands_exist_with_their_options(page):
    from dataprep.cli import app

    root = typer.main.get_command(app)
    for words in commands(page):
        command = root
        if words[0] not in ("--help", "--version"):
            command = root.commands[words[0]]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        unknown = [word for word in words if word.startswith("--") and word not in options]
        assert not unknown, f"dataprep {' '.join(words)}"
        codes = [
            after
            for word, after in pairwise(words)
            if word in ("--only", "--skip", "--drop", "--review", "--keep")
        ]
        assert set(codes) <= set(registry.names("dataprep.checks"))


def python_blocks():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for number, text in enumerate(blocks(page, "python"), start=1):
            yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(python_blocks()))
def test_snippets_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("images", "incoming", "labelled"):
        for number in range(4):
            label = "" if folder == "incoming" else ("cat" if number % 2 else "dog")
            save(textured(number), tmp_path / folder / label / f"{number}.jpg", quality=92)
    exec(compile(text, "snippet", "exec"), {})
    used = set(re.findall(r"dataprep\.(\w+)\(", text))
    assert used <= set(dataprep.__all__)


def public_names():
    """Every public function and class, with the module that documents it."""
    yield from ((dataprep, name) for name in dataprep.__all__)
    yield from ((dataprep.testing, name) for name in dataprep.testing.__all__)


@pytest.mark.parametrize(
    ("module", "name"), [pytest.param(*each, id=each[1]) for each in public_names()]
)
def test_the_example_in_the_docstring_runs(module, name, tmp_path, monkeypatch):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(
        inspect.getdoc(getattr(module, name)), {}, name, None, None
    )
    assert example.examples, "it has no example"
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert not result.failed


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """The check that CONTRIBUTING.md shows, installed as a package with an entry point would be."""
    page = ROOT / "CONTRIBUTING.md"
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "too_wide.py").write_text(blocks(page, "python")[0], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    name, value = re.search(r'^(\S+) = "(\S+)"', blocks(page, "toml")[0], re.MULTILINE).groups()
    entry = EntryPoint(name, value, "dataprep.checks")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [entry] if group == "dataprep.checks" else []
    )
    registry._table.cache_clear()
    yield name
    registry._table.cache_clear()
    for module in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[module]


def test_a_check_can_be_added_as_the_guide_says(plug_in, tmp_path):
    assert plug_in == "too-wide"
    assert plug_in in registry.names("dataprep.checks")
    assert_check_fits(registry.load("dataprep.checks", plug_in))
    save(textured(1, width=300), tmp_path / "images" / "wide.jpg")
    save(textured(2), tmp_path / "images" / "narrow.jpg")
    audit = dataprep.audit(
        str(tmp_path / "images"), only=[plug_in], options={plug_in: {"limit": 200}}
    )
    assert list(audit.issues.table["target"]) == ["wide.jpg"]


def test_the_changelog_names_the_version_or_is_unreleased():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{dataprep.__version__}]" in text
