"""The Blender extension: a zip of the add-on's own sources and of copies of what these need of ours."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from mocap import __version__, storage
from mocap.errors import MocapError
from mocap.vendoring import VENDOR, relative, vendored

SOURCES = Path(__file__).parent / "blender"
DEFAULT_TARGET = Path("mocap_blender.zip")
MANIFEST = f"""\
schema_version = "1.0.0"
id = "mocap"
version = "{__version__}"
name = "Markerless Mocap"
tagline = "Import mocap takes with cameras and contacts, and retarget them"
maintainer = "The markerless-mocap authors"
type = "add-on"
license = ["SPDX:GPL-3.0-or-later", "SPDX:Apache-2.0"]
blender_version_min = "4.2.0"
tags = ["Animation", "Import-Export", "Rigging", "Camera"]

[permissions]
files = "Read takes, BVH files and the videos that takes name"
"""
_VENDOR_NOTE = f'''\
"""Copies of modules of markerless-mocap {__version__}, their imports made relative and their data JSON.

SPDX-License-Identifier: Apache-2.0
"""
'''
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same zip of the same version, whenever it is written
_PLAIN_FILE = 0o644 << 16


def write_extension(target: Path = DEFAULT_TARGET) -> Path:
    """Write the extension for Blender 4.2 and later; the same bytes every time, whole or not at all.

    Raises:
        MocapError: the file is no .zip, or cannot be written.
    """
    if target.suffix.lower() != ".zip":
        raise MocapError(f"{target}: Blender installs extensions from a .zip: name it so")
    whole = io.BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as archive:
        for name, data in sorted(extension_files().items()):
            entry = ZipInfo(name, _LONG_AGO)
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, _PLAIN_FILE
            archive.writestr(entry, data)
    storage.write_bytes(target, whole.getbuffer())
    return target


def extension_files() -> dict[str, bytes]:
    """Return the files of the extension by their path in it."""
    own = {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.py"))}
    files = {"blender_manifest.toml": MANIFEST.encode()}
    for name in ("LICENSE", "README.md"):
        files[name] = (SOURCES / name).read_bytes()
    files |= {name: relative(text, 1, VENDOR).encode() for name, text in own.items()}
    files[f"{VENDOR}/__init__.py"] = _VENDOR_NOTE.encode()
    return files | {f"{VENDOR}/{name}": data for name, data in vendored(own.values()).items()}
