"""Read .npz files without running what they bring along."""

from __future__ import annotations

import lzma
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.errors import FormatError

_MOST_BYTES = 2**32  # unpacked; an hour of 60 joints at 60 frames per second has 0.8e9
_LAST_LETTER = 0x10FFFF  # of Unicode; beyond it Python's texts break
_DAMAGE = (  # what NumPy and zipfile raise for damaged archives, beside OSError
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    MemoryError,
    RuntimeError,  # an encrypted part, or a kind of packing that is not known; headers nested too deeply
    OverflowError,
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_arrays(path: str | PathLike[str], wanted: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays by name; pickled objects are refused.

    Args:
        path: an .npz file.
        wanted: the names to read, where the file has them; None: all.

    Raises:
        FormatError: the file is missing, damaged or no .npz, or one of the arrays holds Python objects.
    """
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers of old or damaged files
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it is one array, not an archive of them")
            if sum(part.file_size for part in found.zip.infolist()) > _MOST_BYTES:
                raise ValueError(f"unpacked it has more than {_MOST_BYTES} bytes")
            names = [name for name in found.files if wanted is None or name in wanted]
            return {name: _array(name, found[name]) for name in names}
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except _DAMAGE as error:
        problem = " ".join(str(error).split()) or "it needs more memory than there is"
        raise FormatError(
            f"cannot read {path}: it is no .npz file of plain arrays ({problem[:120]})"
        ) from error


def _array(name: str, value: object) -> NDArray[Any]:
    """Refuse what NumPy lets pass: bytes of a part that is no array, texts of no length, odd letters."""
    if not isinstance(value, np.ndarray) or value.dtype.itemsize == 0:
        raise ValueError(f"its part {name!r} is no array of numbers or texts")
    if value.dtype.kind == "U":
        letters = np.ascontiguousarray(value).reshape(-1).view(f"{value.dtype.byteorder}u4")
        if ((letters > _LAST_LETTER) | ((letters >= 0xD800) & (letters < 0xE000))).any():
            raise ValueError(f"its part {name!r} has letters that Unicode has not")
    return value
