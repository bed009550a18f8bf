"""Reads the network in a TFLite file: its operators in order, their options, the constants as float32.

The slots of the tables are those of TensorFlow Lite's published schema (tensorflow/lite/schema/schema.fbs,
version 3). Constants stored as float16 behind a DEQUANTIZE operator are given as if they were stored as
float32, and those operators are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table

SAME = 0  # `padding` in the options; 1 is none
NO_ACTIVATION, RELU, RELU6 = 0, 1, 3  # `activation` in the options

_OPERATORS = {
    0: "ADD",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    34: "PAD",
}
_INT, _BYTE, _BOOL = number_types.Int32Flags, number_types.Int8Flags, number_types.BoolFlags
_STRIDES = {"padding": (0, _BYTE, 0), "stride_x": (1, _INT, 0), "stride_y": (2, _INT, 0)}
_OPTIONS = {  # operator: option: slot, type, default
    "ADD": {"activation": (0, _BYTE, 0)},
    "CONV_2D": _STRIDES
    | {"activation": (3, _BYTE, 0), "dilation_x": (4, _INT, 1), "dilation_y": (5, _INT, 1)},
    "DEPTHWISE_CONV_2D": _STRIDES
    | {"activation": (4, _BYTE, 0), "dilation_x": (5, _INT, 1), "dilation_y": (6, _INT, 1)},
    "RESIZE_BILINEAR": {"align_corners": (2, _BOOL, 0), "half_pixel": (3, _BOOL, 0)},
}
_TYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("<i4")}


@dataclass(frozen=True)
class Operator:
    """One operator: its name in the schema, the tensors it reads and writes, its options."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True)
class Graph:
    """Operators in the order they run; of each tensor its shape and name, the values where it is constant.

    Images are (N, height, width, channels), weights of convolutions (out, height, width, in) and of depthwise
    ones (1, height, width, channels), as TFLite stores them.
    """

    operators: tuple[Operator, ...]
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    constants: Mapping[int, np.ndarray]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def needed(self, tensor: int) -> tuple[Operator, ...]:
        """The operators that a tensor depends on, in the order they run."""
        wanted, kept = {tensor}, []
        for operator in reversed(self.operators):
            if wanted.intersection(operator.outputs):
                wanted.update(operator.inputs)
                kept.append(operator)
        return tuple(reversed(kept))


def read_graph(path: Path) -> Graph:
    """The first graph of a TFLite file.

    Raises:
        ValueError: it is no TFLite file, or an operator or a constant is of a kind that is not read here.
    """
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise ValueError(f"{path} is not a TFLite file: its bytes 4 to 8 are {data[4:8]!r}, not b'TFL3'")
    model = Table(data, encode.Get(packer.uoffset, data, 0))
    codes = [_operator_name(code) for code in _tables(model, 1)]
    buffers = [_numbers(buffer, 0, number_types.Uint8Flags) for buffer in _tables(model, 4)]
    graph = _tables(model, 2)[0]
    tensors = _tables(graph, 0)
    shapes = [tuple(int(size) for size in _numbers(tensor, 0, _INT)) for tensor in tensors]
    constants = {}
    for index, tensor in enumerate(tensors):
        stored = buffers[_scalar(tensor, 2, number_types.Uint32Flags, 0)]
        if len(stored):
            kind = _scalar(tensor, 1, _BYTE, 0)
            if kind not in _TYPES:
                raise ValueError(
                    f"{path}: tensor {index} is of type {kind}, of those read here: {list(_TYPES)}"
                )
            constants[index] = stored.view(_TYPES[kind]).reshape(shapes[index])
    operators = []
    for table in _tables(graph, 3):
        name = codes[_scalar(table, 0, number_types.Uint32Flags, 0)]
        inputs, outputs = (tuple(int(i) for i in _numbers(table, slot, _INT)) for slot in (1, 2))
        if name == "DEQUANTIZE":
            constants[outputs[0]] = constants[inputs[0]].astype(np.float32)
        else:
            operators.append(Operator(name, inputs, outputs, _options(table, name)))
    names = tuple(tensor.String(tensor.Pos + tensor.Offset(10)).decode() for tensor in tensors)
    ends = (tuple(int(i) for i in _numbers(graph, slot, _INT)) for slot in (1, 2))
    return Graph(tuple(operators), tuple(shapes), names, constants, *ends)


def _operator_name(code: Table) -> str:
    number = max(_scalar(code, 0, _BYTE, 0), _scalar(code, 3, _INT, 0))  # slot 0 is how older files say it
    if number not in _OPERATORS:
        raise ValueError(f"operator {number} is not among those read here: {', '.join(_OPERATORS.values())}")
    return _OPERATORS[number]


def _options(operator: Table, name: str) -> dict[str, int]:
    offset = operator.Offset(4 + 2 * 4)
    if not offset or name not in _OPTIONS:
        return {}
    table = Table(operator.Bytes, operator.Indirect(operator.Pos + offset))
    return {option: int(_scalar(table, *where)) for option, where in _OPTIONS[name].items()}


def _scalar(table: Table, slot: int, flags: type, default: int) -> int:
    return table.GetSlot(4 + 2 * slot, default, flags)


def _numbers(table: Table, slot: int, flags: type) -> np.ndarray:
    offset = table.Offset(4 + 2 * slot)
    return table.GetVectorAsNumpy(flags, offset) if offset else np.zeros(0, np.uint8)


def _tables(table: Table, slot: int) -> list[Table]:
    offset = table.Offset(4 + 2 * slot)
    start = table.Vector(offset)
    return [Table(table.Bytes, table.Indirect(start + 4 * i)) for i in range(table.VectorLen(offset))]
