"""File names as text that Parquet, JSON and CSV can hold, and back again without loss.

A POSIX file name is bytes; Python shows bytes that are not UTF-8 as lone surrogates, which no file
format accepts. `escape_name` writes such a byte as ``\\xNN`` (and a lone surrogate of a Windows
name as ``\\uNNNN``); a name that holds ``\\x`` or ``\\u`` itself has that backslash written as
``\\x5c``, so that `unescape_name` is its exact inverse.
"""

from __future__ import annotations

import re

_TO_ESCAPE = re.compile(r"[\ud800-\udfff]|\\(?=[xu])")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")


def escape_name(name: str) -> str:
    """Text without lone surrogates for a file name as `os.fsdecode` gives it.

    >>> escape_name("caf\\udce9.jpg")
    'caf\\\\xe9.jpg'
    """
    if "\\" not in name and name.isascii():
        return name
    return _TO_ESCAPE.sub(_escape, name)


def unescape_name(text: str) -> str:
    """The file name that `escape_name` was given."""
    return _ESCAPED.sub(_unescape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x5C:
        return r"\x5c"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _unescape(match: re.Match[str]) -> str:
    if match[2]:
        return chr(int(match[2], 16))
    byte = int(match[1], 16)
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)
