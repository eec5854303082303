"""What encoding a file of text is in: named, marked, valid as UTF-8, or guessed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from dataprep.errors import OptionError
from dataprep.ingest.tables.encoding_detection import guess_encoding
from dataprep.schemas.options import did_you_mean

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN = tuple(
    """
    utf-8 utf-16 gb18030 gbk big5 shift_jis cp932 euc-jp euc-kr cp949 cp1250 cp1251 cp1252 cp1253
    cp1254 cp1255 cp1256 cp1257 cp1258 latin-1 iso8859-2 iso8859-15 koi8-r koi8-u cp866 cp850 cp437
    mac-roman cp874
    """.split()
)
#: How people call what was guessed; others by Python's name in capitals.
_WORDS = {
    "cp1252": "Windows-1252 (Western European)",
    "latin-1": "Latin-1",
    "gb18030": "GB18030 (Simplified Chinese)",
    "big5": "Big5 (Traditional Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp866": "CP866 (Cyrillic)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp874": "Windows-874 (Thai)",
    "mac_roman": "Mac Roman",
    "cp850": "CP850 (Western European)",
}
_BLOCK = 1 << 20
_HEAD = 1 << 16
_BEYOND = re.compile(rb"[\x80-\xff]+")
#: Different runs of letters beyond ASCII that are UTF-8, at least and for each that is not, where a
#: file is damaged UTF-8.
_LEAST_VALID = 4


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a file become text.

    Attributes:
        name: Python's name of the encoding.
        errors: what to do with bytes that are not of it: "strict", or "surrogateescape" where some
            are known not to be.
        note: what was guessed, in a sentence; empty where nothing was.
    """

    name: str
    errors: str = "strict"
    note: str = ""


def checked_encoding(name: str) -> str:
    """Python's name of the encoding of text called `name`.

    Raises:
        OptionError: there is none of that name.
    """
    try:
        found = codecs.lookup(name.strip())
        if isinstance("".encode(name.strip()), bytes) and isinstance(b"".decode(name.strip()), str):
            return found.name
    except (LookupError, ValueError, UnicodeError):
        pass
    raise OptionError(
        f"option encoding: no encoding of text is called {name[:40]!r}. "
        f"{did_you_mean(name[:40].lower(), _KNOWN)}"
    )


def encoding_of(data: bytes, place: str, named: str | None = None) -> Encoding:
    """The encoding of the text in `data`.

    Args:
        data: the whole file.
        place: its name, for messages.
        named: the encoding that the user named, see `checked_encoding`.

    Raises:
        OptionError: the file is not in the encoding that was named.
    """
    if named is not None:
        return _named(data, place, named)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Encoding(
                encoding, "replace" if _first_error(data, encoding) is not None else "strict"
            )
    wide = _without_mark(data)
    if wide:
        return Encoding(wide, note=f"{place} is UTF-16 without a mark")
    error = _first_error(data, "utf-8")
    if error is None:
        return Encoding("utf-8")
    if _is_mostly_utf8(data):
        line = data.count(b"\n", 0, error) + 1
        return Encoding(
            "utf-8",
            "surrogateescape",
            f"{place} is UTF-8 with bytes that are not, the first in line {line:,}: they are kept",
        )
    guess = guess_encoding(data)
    return Encoding(
        guess,
        note=f"{place} is not UTF-8: read as {_WORDS.get(guess, guess.upper())}; --encoding names "
        "another",
    )


def _named(data: bytes, place: str, named: str) -> Encoding:
    name = checked_encoding(named)
    if name == "utf-8" and data.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    if name in ("utf-16-le", "utf-16-be") and data[:2] in (
        codecs.BOM_UTF16_LE,
        codecs.BOM_UTF16_BE,
    ):
        name = "utf-16"
    error = _first_error(data, name)
    if error is not None:
        line = data.count(b"\n", 0, error) + 1
        raise OptionError(
            f"option encoding: {place} is not {named}: byte 0x{data[error]:02x} in line {line:,} "
            "is not valid in it: name another, or leave the option out to have it guessed"
        )
    return Encoding(name)


def _first_error(data: bytes, encoding: str) -> int | None:
    """Where `data` stops being text in `encoding`; None where all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, max(len(data), 1), _BLOCK):
        block = data[start : start + _BLOCK]
        before = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            return min(max(start - before + error.start, 0), len(data) - 1)
        except UnicodeError:
            return min(start, len(data) - 1)
    return None


def _without_mark(data: bytes) -> str:
    """UTF-16 in which one byte of most pairs is zero, as that of ASCII is; empty where it is
    not.
    """
    head = data[: _HEAD & ~1]
    pairs = len(head) // 2
    if pairs < 4 or len(data) % 2:
        return ""
    for name, zeros, others in (
        ("utf-16-le", head[1::2], head[0::2]),
        ("utf-16-be", head[0::2], head[1::2]),
    ):
        if (
            zeros.count(0) > 0.3 * pairs
            and not others.count(0)
            and _first_error(data, name) is None
        ):
            return name
    return ""


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is letters of UTF-8: a file that was damaged, or put
    together from two.
    """
    runs = set(_BEYOND.findall(data))
    valid = sum(map(_is_utf8, runs))
    return valid >= _LEAST_VALID and (len(runs) - valid) * _LEAST_VALID <= valid


def _is_utf8(letters: bytes) -> bool:
    try:
        letters.decode()
    except UnicodeDecodeError:
        return False
    return True
