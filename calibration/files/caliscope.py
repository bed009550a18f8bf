"""Caliscope's `camera_array.toml`: tables `[cameras.0]`, or `[cam_0]` in its older `config.toml`.

Metres, z up where its user set the origin on a board lying on the floor. `rotation_count` only says how
frames are shown to its trackers: the calibration is for frames as they are filmed, so it is not used.
Cameras that its user set to `ignore` are left out.
"""

from __future__ import annotations

from typing import Any

from calibration.files import aniposelib
from calibration.files.document import Document
from calibration.files.source import Source

_MARKS = ("cam_id", "port", "rotation_count")


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    return document.kind == "toml" and bool(_tables(document))


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.
    """
    kept = {key: table for key, table in _tables(document).items() if table.get("ignore") is not True}
    entries = tuple(aniposelib.entry(_name(key, table), table) for key, table in kept.items())
    return Source(document.path, entries)


def _tables(document: Document) -> dict[str, dict[str, Any]]:
    nested = document.data.get("cameras")
    tables = nested if isinstance(nested, dict) else document.data
    return {
        key: table
        for key, table in tables.items()
        if isinstance(table, dict) and any(mark in table for mark in _MARKS)
    }


def _name(key: str, table: dict[str, Any]) -> str:
    number = next((table[mark] for mark in ("cam_id", "port") if mark in table), None)
    return str(table.get("name", key if number is None else f"cam_{number}"))
