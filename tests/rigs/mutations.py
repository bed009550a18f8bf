"""Files damaged at random: bytes changed, cut out or doubled, and numbers of a text made odd."""

import io
import re
import struct
import zipfile

import numpy as np

_ODD_NUMBERS = (
    b"-1", b"0", b"7.5", b"1e9", b"4294967295", b"1e308", b"1e999", b"NaN",
    b"null", b"[]", b"{}", b'""', b"true",
)  # fmt: skip
_ODD_BYTES = tuple(
    map(bytes.fromhex, ("ffffffff", "ffffff7f", "00000000", "0000c07f", "0000807f", "00000080"))
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Return bytes with one to four kinds of damage."""
    for _ in range(int(random.integers(1, 5))):
        at, kind = int(random.integers(len(data) + 1)), random.random()
        if kind < 0.3:
            data = data[:at] + bytes([int(random.integers(256))]) + data[at + 1 :]
        elif kind < 0.7:
            data = data[:at] + _ODD_BYTES[int(random.integers(len(_ODD_BYTES)))] + data[at + 4 :]
        elif kind < 0.8:
            data = data[:at] + data[at + int(random.integers(1, 64)) :]
        elif kind < 0.95:
            data = data[:at] + data[at : at + 32] + data[at:]
        else:
            data = data[:at]
    return data


def odd_numbers(text: bytes, random: np.random.Generator) -> bytes:
    """Return a text in which one to three numbers are something else."""
    for _ in range(int(random.integers(1, 4))):
        numbers = list(_NUMBER.finditer(text))
        if numbers:
            number = numbers[int(random.integers(len(numbers)))]
            odd = _ODD_NUMBERS[int(random.integers(len(_ODD_NUMBERS)))]
            odd = odd if random.random() < 0.7 else str(int(random.integers(300))).encode()
            text = text[: number.start()] + odd + text[number.end() :]
    return text


def damaged_glb(data: bytes, random: np.random.Generator) -> bytes:
    """Return a GLB with damage anywhere, or a whole frame about a damaged document or damaged numbers."""
    size = struct.unpack_from("<I", data, 12)[0]
    text, binary = data[20 : 20 + size], data[28 + size :]
    kind = random.random()
    if kind < 0.2:
        return damaged(data, random)
    if kind < 0.4:
        text = damaged(text, random)
    elif kind < 0.8:
        text = odd_numbers(text, random)
    else:
        binary = damaged(binary, random)
    body = b"".join(
        struct.pack("<II", len(part), kind) + part
        for kind, part in ((0x4E4F534A, text), (0x004E4942, binary))
    )
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def damaged_npz(data: bytes, random: np.random.Generator) -> bytes:
    """Return an archive with damage anywhere, or a whole archive with an array damaged, odd or gone."""
    if random.random() < 0.2:
        return damaged(data, random)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(int(random.integers(1, 4))):
        name = list(parts)[int(random.integers(len(parts)))]
        kind = random.random()
        if kind < 0.5:
            parts[name] = _odd_array(parts[name], random)
        elif kind < 0.7:
            parts[name] = damaged(parts[name], random)
        elif kind < 0.85:
            parts[name] = parts[list(parts)[int(random.integers(len(parts)))]]
        elif len(parts) > 1:
            del parts[name]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def _odd_array(data: bytes, random: np.random.Generator) -> bytes:
    """Return an array in a file of NumPy's with an odd number in it, or with odd numbers in its header."""
    start = 10 + int.from_bytes(data[8:10], "little")
    if random.random() < 0.3:
        header = odd_numbers(data[10:start], random)
        return data[:8] + len(header).to_bytes(2, "little") + header + data[start:]
    words = (len(data) - start) // 8
    if words <= 0:
        return data
    at = start + 8 * int(random.integers(words))
    odd = [0.0, -1.0, 1e308, np.inf, np.nan][int(random.integers(5))] if random.random() < 0.5 else None
    word = struct.pack("<d", odd) if odd is not None else struct.pack("<q", int(random.integers(-3, 2**40)))
    return data[:at] + word + data[at + 8 :]
