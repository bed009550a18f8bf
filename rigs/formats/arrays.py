"""Read .npz files without running what they bring along."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.errors import FormatError


def read_arrays(path: str | PathLike[str], wanted: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays by name; pickled objects are refused.

    Args:
        path: an .npz file.
        wanted: the names to read, where the file has them; None: all.

    Raises:
        FormatError: the file is missing, damaged or no .npz, or one of the arrays holds Python objects.
    """
    try:
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it is one array, not an archive of them")
            return {name: found[name] for name in found.files if wanted is None or name in wanted}
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except (ValueError, EOFError, MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        problem = " ".join(str(error).split()) or "it needs more memory than there is"
        raise FormatError(
            f"cannot read {path}: it is no .npz file of plain arrays ({problem[:120]})"
        ) from error
