"""Numbers of a glTF file, by their accessor: of any type, interleaved, sparse or normalised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.formats.gltf.file import GltfFile, shown
from rigs.formats.gltf.schema import Accessor, Sparse
from rigs.quat import FloatArray

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_FAR = 1e9  # of any number: beyond it no character is
_MOST_ZEROS = 2**22  # numbers: without a buffer view a file of a few bytes may ask for any count of zeros


def values_of(file: GltfFile, index: int, kind: str, where: str) -> FloatArray:
    """Return the numbers (count, width) of an accessor.

    Args:
        file: an open file.
        index: of the accessor.
        kind: what it must hold, as "VEC3".
        where: who asks, for the message.

    Raises:
        FormatError: it holds something else, not all of it is there, or a number is not finite.
    """
    accessor = file.pick(file.document.accessors, index, "accessor")
    if accessor.type != kind:
        raise file.fail(f"{where} points to {shown(accessor.type)} where {kind} stands in glTF")
    if accessor.component_type not in _DTYPES:
        raise file.fail(f"accessor {index} is of the unknown type {accessor.component_type}")
    width = _WIDTHS[kind]
    file.spend(accessor.count * width)
    values = _dense(file, index, accessor, width)
    if accessor.sparse is not None:
        values = _replaced(file, index, accessor, accessor.sparse, values)
    if accessor.normalized and values.dtype.kind in "iu":
        result = np.maximum(values / np.iinfo(values.dtype).max, -1.0)
    else:
        result = values.astype(float)
    wrong = ~(np.abs(result) < _FAR)
    if wrong.any():
        element, part = np.argwhere(wrong)[0]
        found = f"the number {result[element, part]:.3g} in element {element} of accessor {index}"
        raise file.fail(f"{where} has {found}")
    return result


def _dense(file: GltfFile, index: int, accessor: Accessor, width: int) -> NDArray[Any]:
    if accessor.buffer_view is None:
        if accessor.count * width > _MOST_ZEROS:
            raise file.fail(f"accessor {index} asks for {accessor.count} elements of nothing")
        return np.zeros((accessor.count, width), _DTYPES[accessor.component_type])
    stride = file.pick(file.document.buffer_views, accessor.buffer_view, "buffer view").byte_stride
    dtype = np.dtype(_DTYPES[accessor.component_type])
    return _slice(
        file, index, accessor.buffer_view, accessor.byte_offset, accessor.count, width, dtype, stride
    )


def _replaced(
    file: GltfFile, index: int, accessor: Accessor, sparse: Sparse, values: NDArray[Any]
) -> NDArray[Any]:
    at, by = sparse.indices, sparse.values
    if at.component_type not in (5121, 5123, 5125):
        raise file.fail(f"accessor {index} is sparse with indices of the type {at.component_type}")
    kind = np.dtype(_DTYPES[at.component_type])
    where = _slice(file, index, at.buffer_view, at.byte_offset, sparse.count, 1, kind, None)[:, 0]
    new = _slice(
        file, index, by.buffer_view, by.byte_offset, sparse.count, values.shape[1], values.dtype, None
    )
    if where.size and int(where.max()) >= accessor.count:
        raise file.fail(f"accessor {index} replaces element {where.max()} of {accessor.count}")
    values = values.copy()
    values[where] = new
    return values


def _slice(
    file: GltfFile,
    index: int,
    view: int,
    offset: int,
    count: int,
    width: int,
    dtype: np.dtype[Any],
    stride: int | None,
) -> NDArray[Any]:
    """Return (count, width) numbers of a buffer view, each element stride bytes after the one before."""
    data = file.bytes_of_view(view)
    size = width * dtype.itemsize
    stride = stride or size
    end = offset + (stride * (count - 1) + size if count else 0)
    if end > len(data) or stride < size:
        raise file.fail(f"accessor {index} ends at byte {end} of a buffer view of {len(data)}")
    strides = (stride, dtype.itemsize)
    return np.ndarray((count, width), dtype, data, offset, strides) if count else np.empty((0, width), dtype)
