"""Detection of the encoding of text that is not UTF-8: the one in which its words are the most
probable.

Tables hold few words (40 rows of 2 classes), too few for detectors that compare frequencies of
letters. So every distinct word is priced under every encoding: a letter costs about as many bits as
it is rare in its script, and what words do not do (capitals inside, signs inside, scripts mixed)
costs more. The cheapest encoding is taken; where little is known, Windows 1252 is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from dataprep.ingest.tables import letter_frequencies as letters

#: Letters of ASCII together with what is beyond it.
_WORD = re.compile(r"[A-Za-z]{0,30}[^\x00-\x7f][A-Za-z\u0080-\U0010ffff]*")
#: A byte beyond ASCII and what follows it up to what no letter of two bytes ends in; letters of
#: ASCII before it.
_PIECE = re.compile(rb"[\x80-\xff][^\x00-\x2f\x3a-\x3f]{0,4000}")
_LETTERS = re.compile(rb"[A-Za-z]+\Z")
_MOST_PIECES, _MOST_BYTES, _MOST_WORDS, _LONGEST_WORD, _LONGEST_PIECE = (
    4000,
    1 << 18,
    1500,
    60,
    4000,
)
#: Bits of: a letter of ASCII; scripts that meet within a word, where letters are sounds or where
#: they are syllables or words; a capital inside a word; letters with accents side by side; a sign.
_ASCII, _MIXED, _CAPITAL, _NEIGHBOURS, _SIGN = 4.0, (12.0, 6.0), 8.0, 4.0, 16.0
#: Signs that people write.
_USUAL_SIGNS = "°’“”–€£µ×²³…—®©™½‘„«»§"
_NEVER_INSIDE = "°“–€£×²³…—®©™½‘„«§"
_FULL_WIDTH = "，。、！？（）：；「」《》・ー"


@dataclass(frozen=True)
class _Script:
    """What the letters beyond ASCII cost that one encoding writes.

    Attributes:
        prior: bits that the encoding costs by itself.
        costs: letter (lower case) to bits.
        others: (first byte, last byte, bits) of letters of two bytes by their first byte; the first
            range that holds counts.
        alone: whether its letters do not stand beside letters of ASCII.
        cased: whether it has capitals.
        twins: whether letters beyond ASCII seldom stand side by side.
    """

    prior: float
    costs: dict[str, float]
    others: tuple[tuple[int, int, float], ...] = ()
    alone: bool = True
    cased: bool = False
    twins: bool = False
    signs: dict[str, float] = field(default_factory=dict)


def _ranked(text: str, least: float, most: float) -> dict[str, float]:
    return {letter: least + (most - least) * place / len(text) for place, letter in enumerate(text)}


@cache
def _scripts() -> dict[str, _Script]:
    kana = {chr(code): 6.5 for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7))}
    narrow = {chr(code): 10.0 for code in range(0xFF66, 0xFFA0)}
    wide = dict.fromkeys(_FULL_WIDTH, 10.0)
    japanese = _ranked(letters.JAPANESE, 9.0, 12.0) | kana | narrow | wide
    chinese = _ranked(letters.CHINESE, 9.0, 12.0) | wide
    cyrillic = _ranked(letters.RUSSIAN, 3.0, 8.0)
    western = _ranked(letters.WESTERN, 6.0, 10.0)
    eastern = _ranked(letters.POLISH_AND_CZECH, 6.0, 9.0)
    turkish = _ranked(letters.TURKISH, 5.5, 8.0)
    return {
        "cp1252": _Script(0.0, western, alone=False, cased=True, twins=True),
        "gb18030": _Script(2.0, chinese, ((0xB0, 0xD7, 13.5), (0xD8, 0xF7, 17.0))),
        "cp932": _Script(2.0, japanese, ((0x88, 0x97, 13.5), (0x98, 0xEA, 17.0))),
        "cp949": _Script(
            2.0, _ranked(letters.KOREAN, 7.0, 11.0), ((0xB0, 0xC8, 13.5), (0xCA, 0xFD, 24.0))
        ),
        "big5": _Script(
            3.0,
            _ranked(letters.TAIWANESE, 9.0, 12.0) | wide,
            ((0xA4, 0xC6, 13.5), (0xC9, 0xF9, 18.0)),
        ),
        "cp1251": _Script(4.5, cyrillic, cased=True),
        "euc_jp": _Script(6.0, japanese, ((0xB0, 0xCF, 13.5), (0xD0, 0xF4, 17.0))),
        "koi8_r": _Script(10.0, cyrillic, cased=True),
        "cp866": _Script(10.0, cyrillic, cased=True),
        "cp1250": _Script(4.0, eastern, alone=False, cased=True, twins=True),
        "cp1254": _Script(4.0, western | turkish, alone=False, cased=True, twins=True),
        "cp1253": _Script(4.0, _ranked(letters.GREEK, 3.0, 8.0), cased=True),
        "cp1255": _Script(4.0, _ranked(letters.HEBREW, 3.0, 7.0)),
        "cp1256": _Script(4.0, _ranked(letters.ARABIC, 3.0, 8.0)),
        "cp874": _Script(10.0, _ranked(letters.THAI, 3.5, 8.5)),
        "mac_roman": _Script(10.0, western, alone=False, cased=True, twins=True),
        "cp850": _Script(10.0, western, alone=False, cased=True, twins=True),
    }


def guess_encoding(data: bytes) -> str:
    """The likeliest encoding of text that is not UTF-8, in Python's name; "latin-1" where no other
    can hold all of it.

    Args:
        data: the whole file.
    """
    sample = _sample_of(data)
    prices = {encoding: _price(sample, encoding, script) for encoding, script in _scripts().items()}
    for encoding in sorted(
        (name for name, price in prices.items() if price is not None),
        key=lambda name: prices[name] or 0.0,
    ):
        if _decodes(data, encoding):
            return encoding
    return "latin-1"


def _sample_of(data: bytes) -> bytes:
    """Distinct pieces of text that are not ASCII, with the letters before them, one a line."""
    pieces: dict[bytes, None] = {}
    size = 0
    for found in _PIECE.finditer(data):
        if found.end() - found.start() > _LONGEST_PIECE:  # it may end within a letter
            continue
        before = _LETTERS.search(data, max(0, found.start() - _LONGEST_WORD // 2), found.start())
        piece = data[before.start() if before else found.start() : found.end()]
        size += 0 if piece in pieces else len(piece)
        pieces[piece] = None
        if len(pieces) >= _MOST_PIECES or size > _MOST_BYTES:
            break
    return b"\n".join(pieces)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _price(sample: bytes, encoding: str, script: _Script) -> float | None:
    """The bits that the words cost; None where they are not written so."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    words = list(dict.fromkeys(_WORD.findall(text)))[:_MOST_WORDS]
    return script.prior + sum(
        _price_of_word(word[:_LONGEST_WORD], encoding, script) for word in words
    )


def _price_of_word(word: str, encoding: str, script: _Script) -> float:
    price, before = 0.0, ""
    mixed = _MIXED[bool(script.others)] if script.alone else 0.0
    shouted = word.upper() == word
    for letter in word:
        if letter.isascii():
            price += _ASCII + (
                _CAPITAL if letter.isupper() and before.islower() and not before.isascii() else 0.0
            )
            price += mixed if before and not before.isascii() else 0.0
        else:
            price += _price_of_letter(letter, encoding, script)
            if before:
                price += mixed if before.isascii() else 0.0
                price += _CAPITAL if letter in _NEVER_INSIDE and before.isalpha() else 0.0
                price += _NEIGHBOURS if script.twins and not before.isascii() else 0.0
                price += (
                    _CAPITAL
                    if script.cased and letter.isupper() and not shouted and not before.isupper()
                    else 0.0
                )
        before = letter
    return price


def _price_of_letter(letter: str, encoding: str, script: _Script) -> float:
    small = letter.lower() if script.cased else letter
    price = script.costs.get(small)
    if price is not None:
        return price + (1.0 if small != letter else 0.0)
    if script.others:
        first = letter.encode(encoding)[0]
        return next((bits for low, high, bits in script.others if low <= first <= high), 21.0)
    if letter in _USUAL_SIGNS:
        return 9.0
    return 12.0 if letter.isalpha() else _SIGN
