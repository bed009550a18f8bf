"""Open a glTF file, .glb or .gltf: its document, and the bytes that it speaks of.

A GLB is a header and two chunks, JSON and bytes. The document's types are checked as it is decoded, and every
number that points somewhere before it is followed, so nothing here trusts the file.
"""

from __future__ import annotations

import base64
import binascii
import struct
from os import PathLike
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import msgspec

from rigs.errors import FormatError
from rigs.formats.gltf.schema import Document

Kind = TypeVar("Kind")

MAGIC = b"glTF"
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
_MOST_NUMBERS = 2**27  # read from one file; an hour of 60 joints at 30 frames per second has 0.3e8
_MOST_OF_A_MESSAGE = 60  # characters that are shown of what a file has


class GltfFile:
    """A document and its buffers, which are opened when they are asked for."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise FormatError(f"cannot read {path}: {error.strerror}; check the file's name") from error
        text, self._binary = self._chunks(data) if data.startswith(MAGIC) else (data, None)
        self.document = self.decode(text, Document, "")
        if self.document.asset.version.split(".")[0] != "2":
            version = shown(self.document.asset.version)
            raise FormatError(
                f"{path}: it is of version {version} of glTF, and only 2 is read; export it again"
            )
        self._buffers: dict[int, bytes] = {}
        self._left = _MOST_NUMBERS

    def fail(self, what: str) -> FormatError:
        """Return the error to raise about this file."""
        return FormatError(f"{self.path}: {what}; the file is damaged, export it again")

    def decode(self, text: bytes | msgspec.Raw, kind: type[Kind], where: str) -> Kind:
        """Return JSON as what it should be; where: in the document.

        Raises:
            FormatError: it is something else.
        """
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise self.fail(f"its JSON{where} does not say what glTF says there: {what}") from error

    def pick(self, items: list[Kind], index: int, what: str) -> Kind:
        """Return an item that the file points to.

        Raises:
            FormatError: there is none of that number.
        """
        if not 0 <= index < len(items):
            raise self.fail(f"it speaks of {what} {index}, and has {len(items)}")
        return items[index]

    def spend(self, numbers: int) -> None:
        """Count numbers that are read, as a file may point to the same ones over and over.

        Raises:
            FormatError: they are more than any animation has.
        """
        self._left -= numbers
        if self._left < 0:
            raise FormatError(
                f"{self.path}: it has more than {_MOST_NUMBERS} numbers; cut it into shorter files"
            )

    def bytes_of_view(self, index: int) -> bytes | memoryview:
        """Return the bytes of a buffer view.

        Raises:
            FormatError: they are packed, or not all there.
        """
        view = self.pick(self.document.buffer_views, index, "buffer view")
        packed = [name for name in view.extensions if "compression" in name]
        if packed:
            raise FormatError(
                f"{self.path}: it is packed with {shown(packed[0])}; export it without compression"
            )
        buffer = self._buffer(view.buffer)
        if view.byte_offset + view.byte_length > len(buffer):
            end = view.byte_offset + view.byte_length
            raise self.fail(f"buffer view {index} ends at byte {end} of a buffer of {len(buffer)}")
        return memoryview(buffer)[view.byte_offset : view.byte_offset + view.byte_length]

    def _chunks(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the JSON and the bytes of a GLB."""
        if len(data) < 20:
            raise self.fail(f"it ends after {len(data)} bytes, within its header")
        version, total = struct.unpack_from("<II", data, 4)
        if version != 2:
            raise FormatError(
                f"{self.path}: it is of version {version} of GLB, and only 2 is read; export it again"
            )
        if total > len(data):
            raise self.fail(f"it ends after {len(data)} bytes of the {total} that it promises")
        found: dict[int, bytes] = {}
        start = 12
        while start + 8 <= total:
            size, kind = struct.unpack_from("<II", data, start)
            if start + 8 + size > total:
                raise self.fail(f"a chunk ends at byte {start + 8 + size} of {total}")
            found.setdefault(kind, data[start + 8 : start + 8 + size])
            start += 8 + size
        if JSON_CHUNK not in found:
            raise self.fail("it has no JSON chunk")
        return found[JSON_CHUNK], found.get(BIN_CHUNK)

    def _buffer(self, index: int) -> bytes:
        if index not in self._buffers:
            buffer = self.pick(self.document.buffers, index, "buffer")
            if buffer.uri is None:
                if index or self._binary is None:
                    raise self.fail(f"buffer {index} is nowhere")
                data = self._binary
            elif buffer.uri.startswith("data:"):
                data = self._embedded(index, buffer.uri)
            else:
                data = self._beside(buffer.uri, buffer.byte_length)
            if len(data) < buffer.byte_length:
                raise self.fail(f"buffer {index} has {len(data)} of its {buffer.byte_length} bytes")
            self._buffers[index] = data[: buffer.byte_length]
        return self._buffers[index]

    def _embedded(self, index: int, uri: str) -> bytes:
        head, _, text = uri.partition(",")
        try:
            if not head.endswith(";base64"):
                raise ValueError
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.fail(f"buffer {index} is not in base64") from error

    def _beside(self, uri: str, size: int) -> bytes:
        """Return the first bytes of a file in the folder of this one, or below."""
        folder = self.path.parent.resolve()
        name = unquote(uri)
        try:
            beside = (folder / name).resolve()
            if "://" in name or not beside.is_relative_to(folder):
                raise FormatError(
                    f"{self.path}: it asks for {shown(name)}, outside its folder; export it as .glb"
                )
            with open(beside, "rb") as file:
                return file.read(min(size, beside.stat().st_size))
        except (OSError, ValueError, RuntimeError) as error:
            raise FormatError(
                f"{self.path}: {shown(name)} cannot be read; put it beside the file, or export as .glb"
            ) from error


def shown(text: str) -> str:
    """Return a text of a file as a message shows it, cut where it is long."""
    return repr(text if len(text) <= _MOST_OF_A_MESSAGE else f"{text[:_MOST_OF_A_MESSAGE]}...")
