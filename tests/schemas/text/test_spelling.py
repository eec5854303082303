"""Which labels are other spellings of one, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.schemas.text.spelling import misspellings


def meant(**counts: int) -> dict[str, str]:
    return {each.label: each.meant for each in misspellings(counts)}


@pytest.mark.parametrize(
    ("label", "right"),
    [
        ("Cat", "cat"),
        ("cat ", "cat"),
        (" CAT", "cat"),
        ("hot_dog", "hot dog"),
        ("hot-dog", "hot dog"),
        ("HotDog", "hot dog"),
        ("t\u00a0shirt", "t shirt"),
        ("ﬁsh", "fish"),
        ("STRASSE", "straße"),
        ("caf\u0065\u0301", "café"),
    ],
)
def test_case_space_and_joints(label, right):
    assert meant(**{label: 40, right: 50, "other": 45}) == {label: right}


@pytest.mark.parametrize(
    ("label", "right", "why"),
    [
        ("cta", "cat", "letters swapped"),
        ("laef", "leaf", "letters swapped"),
        ("caat", "cat", "letter doubled"),
        ("dogs", "dog", "plural"),
        ("elefant", "elephants", ""),
        ("gray whael", "gray whale", "letters swapped"),
        ("tigger", "tiger", "letter doubled"),
        ("giraff", "giraffe", "one letter"),
        ("zebta", "zebra", "one letter"),
        ("giraaffe", "giraffe", "letter doubled"),
        ("goldenRetreiver", "golden retriever", "letters swapped"),
    ],
)
def test_typos(label, right, why):
    found = misspellings({label: 1, right: 50, "other": 45})
    assert [(each.label, each.meant, each.why) for each in found] == (
        [(label, right, why)] if why else []
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class1", "class2"),
        ("n01440764", "n01440765"),
        ("1", "11"),
        ("10", "01"),
        ("grade 1", "grade 2"),
        ("type a", "type b"),
        ("modelA", "modelB"),
        ("cat", "bat"),
        ("cat", "car"),
        ("cat", "cart"),
        ("a", "A"),
        ("house", "mouse"),
        ("ok", "ko"),
        ("typical", "atypical"),
        ("-1", "1"),
        ("c", "c++"),
        ("grade ii", "grade iii"),
        ("crow", "cow"),
        ("", "a"),
        ("v1.0", "v10"),
        ("1 2", "12"),
    ],
)
@pytest.mark.parametrize("counts", [(1, 1000), (1000, 1), (50, 50)])
def test_other_names_are_no_typos(one, other, counts):
    assert meant(**dict(zip((one, other), counts, strict=True)), third=60) == {}


@pytest.mark.parametrize(("rare", "frequent"), [(30, 60), (4, 60), (3, 25)])
def test_a_typo_is_rare(rare, frequent):
    assert meant(zebrs=rare, zebra=frequent) == {}
    assert meant(zebrs=3, zebra=30) == {"zebrs": "zebra"}
    assert meant(zebrs=10, zebra=1000) == {"zebrs": "zebra"}


def test_the_most_frequent_spelling_is_meant():
    assert meant(cat=5, Cat=60, CAT=7) == {"cat": "Cat", "CAT": "Cat"}
    assert meant(**{"cat ": 5, "cat": 5}) == {"cat ": "cat"}


def test_a_typo_of_a_variant_points_to_what_is_meant():
    assert meant(Zebra=40, zebra=50, zebar=1) == {"Zebra": "zebra", "zebar": "zebra"}


def test_in_a_long_tail_rarity_says_nothing():
    tail = {f"species {chr(97 + i // 26)}{chr(97 + i % 26)}thing": 1 for i in range(400)}
    assert meant(**tail, **{"species aathings": 300}) == {}
    assert meant(**tail, Zebra=1, zebra=300) == {"Zebra": "zebra"}


def test_many_labels_take_no_time():
    names = {f"name{chr(97 + i % 26)}{i:06d}": 1 + i % 50 for i in range(20_000)}
    assert misspellings(names) == []


@given(st.dictionaries(st.text("aAbc -_1", max_size=6), st.integers(1, 200), max_size=12))
def test_what_is_meant_is_a_label_that_is_right_itself(counts):
    found = misspellings(counts)
    wrong = [each.label for each in found]
    assert len(wrong) == len(set(wrong))
    for each in found:
        assert each.label in counts
        assert each.meant in counts
        assert each.meant not in wrong
        assert counts[each.meant] >= counts[each.label]
        assert 0 < each.confidence <= 1


@pytest.mark.parametrize(
    ("label", "right"),
    [
        ("0.0", "0"),
        ("1.0", "1"),
        ("01", "1"),
        ("1e0", "1"),
        ("1.", "1"),
        ("+1", "1"),
        ("-0", "0"),
        ("0.50", "0.5"),
        ("1E3", "1000"),
        (" 7", "7"),
        ("007", "7"),
    ],
)
def test_equal_numbers_are_one_class(label, right):
    found = misspellings({label: 4, right: 5, "2": 6, "other": 45})
    assert [(each.label, each.meant) for each in found] == [(label, right)]
    assert found[0].why == ("white space" if label == " 7" else "the same number")


def test_of_two_writings_of_a_number_as_frequent_the_shorter_is_meant():
    assert meant(**{"0": 6, "0.0": 6, "1": 6, "01": 6}) == {"0.0": "0", "01": "1"}


@pytest.mark.parametrize(
    "labels",
    [
        ("1.1", "1.10", "1.9"),
        ("2.10", "2.1", "2.11"),
        ("1", "10", "100"),
        ("1e9", "1e8"),
        ("1-0", "1"),
        ("1.0.0", "1"),
        ("1,0", "1"),
        ("1_0", "10"),
        ("0x1", "1"),
        ("v1", "v1.0"),
        ("1" + "0" * 31, "1" + "0" * 30 + "1"),
    ],
)
def test_other_numbers_are_other_classes(labels):
    assert meant(**dict.fromkeys(labels, 20)) == {}


def test_no_typos_are_looked_for_in_sentences():
    text = "one of very many words " * 20
    assert meant(**{text + "cat": 50, text + "cta": 1, text.upper() + "CAT": 2}) == {
        text.upper() + "CAT": text + "cat"
    }
