"""The formats in which pictures are written."""

from __future__ import annotations

from pathlib import Path

FORMATS = (".png", ".svg", ".pdf")


def picture_suffix(path: Path) -> str:
    """The suffix that says which format `path` is to have; ValueError for one that is none."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{suffix or 'no suffix'} is no picture format; use .png, .svg or .pdf")
    return suffix
