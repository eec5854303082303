"""Words of messages: numbers with their nouns, lists that end early, and text that no terminal
obeys.
"""

from __future__ import annotations

import pytest

from dataprep.ingest.notes import listed, shown
from dataprep.schemas.text.words import counted, first_of, printable


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1, "class"), "1 class"),
        ((2, "class"), "2 classes"),
        ((0, "row"), "0 rows"),
        ((12_000, "row"), "12,000 rows"),
        ((2, "category", "categories"), "2 categories"),
        ((1, "category", "categories"), "1 category"),
    ],
)
def test_a_number_and_its_noun(arguments, words):
    assert counted(*arguments) == words


@pytest.mark.parametrize(
    ("most", "line"), [(1, "a and 2 more"), (2, "a, b and 1 more"), (3, "a, b, c"), (4, "a, b, c")]
)
def test_a_list_ends_early_and_says_so(most, line):
    assert first_of(iter("abc"), most) == line
    assert listed("abc", most) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("naïve 猫", "naïve 猫"),
        ("naïve\n猫", "naïve\\n猫"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_a_terminal_shows_text_and_does_not_obey_it(text, line):
    assert printable(text) == line
    assert shown(text) == line
