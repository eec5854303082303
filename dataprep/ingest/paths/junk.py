"""What a folder of images holds besides images: junk of operating systems, side files, archives."""

from __future__ import annotations

_JUNK = {
    name.lower(): name
    for name in ("Thumbs.db", "ehthumbs.db", ".DS_Store", "desktop.ini", "Icon\r")
}
_JUNK_FOLDERS = {
    "__macosx": "__MACOSX",
    "$recycle.bin": "$RECYCLE.BIN",
    "__pycache__": "__pycache__",
    "@eadir": "@eaDir",
}

_TABLES = frozenset(("csv", "tsv", "jsonl", "parquet"))
_SIDE_EXTENSIONS = frozenset(
    """
    txt text json ndjson geojson xml yaml yml toml ini cfg conf md rst log lock arrow feather pkl
    pickle joblib npy npz mat h5 hdf5 tfrecord tfrecords lmdb mdb db sqlite sqlite3 pt pth onnx
    safetensors py pyc ipynb sh bat js css html htm doc docx xls xlsx ppt pptx names data cache url
    lnk exe dll so mp4 m4v avi mov mkv webm mpg mpeg wmv mp3 wav flac srt xmp aae part partial tmp
    bak
    """.split()
)
_SIDE_NAMES = frozenset(
    ("readme", "license", "licence", "copying", "makefile", "changelog", "sha256sums", "md5sums")
)

#: Extension to the command that unpacks it.
ARCHIVES: dict[str, str] = {
    "zip": "unzip {name} -d {stem}",
    "tar": "mkdir {stem} && tar -xf {name} -C {stem}",
    "tgz": "mkdir {stem} && tar -xf {name} -C {stem}",
    "tar.gz": "mkdir {stem} && tar -xf {name} -C {stem}",
    "tar.bz2": "mkdir {stem} && tar -xf {name} -C {stem}",
    "tar.xz": "mkdir {stem} && tar -xf {name} -C {stem}",
    "tar.zst": "mkdir {stem} && tar -xf {name} -C {stem}",
    "7z": "7z x {name} -o{stem}",
    "rar": "unrar x {name} {stem}/",
}


def extension_of(name: str) -> str:
    """The file name extension, lower case, without the dot; that of an archive may have two
    parts (``tar.gz``).
    """
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        return ""
    extension = extension.lower()
    double = f"tar.{extension}"
    return double if double in ARCHIVES and stem.lower().endswith(".tar") else extension


def why_no_sample(name: str) -> str:
    """The kind under which a file is counted as passed over; empty for a file that may be an image.

    Only what is plainly something else by its name is passed over: whether the rest are images is
    decided by content.
    """
    lower = name.lower()
    if lower in _JUNK:
        return _JUNK[lower]
    if name.startswith("._"):
        return "._* (macOS resource forks)"
    if name.startswith("."):
        return "hidden files"
    extension = extension_of(lower)
    if extension in ARCHIVES:
        return f"archives, not opened (.{extension})"
    if extension in _TABLES:
        return f"tables, which --manifest reads (.{extension})"
    if extension in _SIDE_EXTENSIONS:
        return f"other files (.{extension})"
    return f"other files ({name})" if lower in _SIDE_NAMES else ""


def why_no_folder(name: str) -> str:
    """The kind under which a folder is counted as passed over; empty for one to walk."""
    if name.startswith("."):
        return "hidden folders"
    return _JUNK_FOLDERS.get(name.lower(), "")
