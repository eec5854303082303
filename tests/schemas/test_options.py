"""Options that know their type and range, and the configuration file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from dataprep.errors import InputError, OptionError
from dataprep.measures.options import PassOptions
from dataprep.schemas.configuration import read_configuration
from dataprep.schemas.options import from_mapping, option, validate


@dataclass(frozen=True)
class Sample:
    share: float = option(0.5, "a share", low=0, high=1)
    mode: str = option("fast", "how", choices=("fast", "slow"))
    count: int = option(3, "how many", low=1)

    def __post_init__(self) -> None:
        validate(self, "sample")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"share": 1.5}, r"sample.share: expected a value in \[0, 1\], got 1.5"),
        ({"share": "much"}, "sample.share: expected float, got 'much'"),
        ({"share": float("nan")}, "sample.share: expected a value"),
        ({"count": True}, "sample.count: expected int, got True"),
        ({"count": 2.5}, "sample.count: expected int, got 2.5"),
        ({"mode": "slwo"}, "expected one of fast, slow, got 'slwo'"),
        ({"shrae": 0.1}, "unknown option sample.shrae. Did you mean 'share'"),
    ],
)
def test_wrong_options_say_what_was_expected(values: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        from_mapping(Sample, values, "sample")


def test_keys_may_have_hyphens_and_integers_serve_as_floats() -> None:
    assert from_mapping(PassOptions, {"time-limit-s": 5}, "pass").time_limit_s == 5
    assert from_mapping(Sample, {"share": 1}, "sample").share == 1


def write(folder: Path, text: str, name: str = "dataprep.toml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_configuration_is_found_and_read(tmp_path: Path) -> None:
    write(
        tmp_path, '[audit]\nfail-at = "error"\n[pass]\njobs = 1\n[checks.dark]\nthreshold = 0.1\n'
    )
    found = read_configuration(folder=str(tmp_path), audit_kinds={"fail_at": str})
    assert found.audit == {"fail_at": "error"}
    assert found.passing == {"jobs": 1}
    assert found.checks == {"dark": {"threshold": 0.1}}


def test_options_of_the_pass_are_read_from_the_record_of_an_audit_or_a_split() -> None:
    given = {"embedder": "", "jobs": 2, "of_a_later_version": 1}
    expected = PassOptions(embedder="", jobs=2)
    assert PassOptions.of_run({"options": {"pass": given}}) == expected
    assert PassOptions.of_run({"pass": given, "options": {"seed": 1}}) == expected
    assert PassOptions.of_run({}) == PassOptions()


def test_configuration_in_pyproject_has_a_table_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nname = "x"\n[tool.dataprep.audit]\nseed = 3\n', "pyproject.toml")
    assert read_configuration(folder=str(tmp_path), audit_kinds={"seed": int}).audit == {"seed": 3}


def test_no_configuration_is_an_empty_one(tmp_path: Path) -> None:
    assert read_configuration(folder=str(tmp_path)).path == ""


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("[audti]\n", OptionError, "unknown table .audti.. Did you mean 'audit'"),
        (
            "[audit]\nfail_ta = 1\n",
            OptionError,
            "unknown option audit.fail_ta. Did you mean 'fail_at'",
        ),
        ("audit = 3\n", OptionError, "expected a table"),
        ("[checks]\ndark = 3\n", OptionError, r"expected a table \[checks.dark\]"),
        ("[audit\n", InputError, "not valid TOML"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(
    tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(error, match=words):
        read_configuration(path, audit_kinds={"fail_at": str})


def test_a_missing_configuration_is_an_error_when_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the configuration"):
        read_configuration(str(tmp_path / "no.toml"))
