"""Numbers out of a pickle, without running it.

A pickle is a program. Only its opcodes are looked at here, by a small machine that knows dictionaries with
text keys, tuples, text, numbers and NumPy arrays of numbers; nothing is imported, called or built but those,
and whatever else the program wants ends the reading. Sources: `pickletools` of the standard library, PEP 3154
and 574, and what NumPy's `ndarray.__reduce__` writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calibration.errors import FileError

_MARK = object()
_PUSHED = {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
_PUSHED |= {"BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING", "BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DTYPE = re.compile(r"[<>=|]?[fiub][1248]")


@dataclass
class _Thing:
    """What a callable that is known by its name would have made; filled in by BUILD."""

    name: str
    arguments: tuple[Any, ...]
    value: Any = None


@dataclass
class _Machine:
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def step(self, name: str, argument: Any) -> None:
        """Do one opcode; ValueError for one that is not known."""
        if name in _PUSHED:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in ("PROTO", "FRAME", "STOP"):
            pass
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        else:
            self._compose(name, argument)

    def _compose(self, name: str, argument: Any) -> None:
        if name == "MARK":
            self.stack.append(_MARK)
        elif name in ("EMPTY_DICT", "EMPTY_LIST"):
            self.stack.append({} if name == "EMPTY_DICT" else [])
        elif name in _TUPLES:
            self.stack.append(self._pop(_TUPLES[name]))
        elif name == "TUPLE":
            self.stack.append(self._to_mark())
        elif name in ("APPEND", "APPENDS"):
            items = self._pop(1) if name == "APPEND" else self._to_mark()
            self.stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            self._set(self._pop(2) if name == "SETITEM" else self._to_mark())
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            parts = argument.split(" ") if name == "GLOBAL" else self._pop(2)
            self.stack.append(_Thing(".".join(parts), ()))
        elif name == "REDUCE":
            called, arguments = self._pop(2)
            self.stack.append(_made(called.name, arguments))
        elif name == "BUILD":
            self._build(self.stack.pop())
        else:
            raise ValueError(f"the opcode {name}")

    def _pop(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count:
            raise ValueError("an empty stack")
        return tuple(self.stack.pop() for _ in range(count))[::-1]

    def _to_mark(self) -> tuple[Any, ...]:
        place = max(i for i, item in enumerate(self.stack) if item is _MARK)
        taken = tuple(self.stack[place + 1 :])
        del self.stack[place:]
        return taken

    def _set(self, items: tuple[Any, ...]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise ValueError(f"a key of type {type(key).__name__}")
            self.stack[-1][key] = value

    def _build(self, state: Any) -> None:
        """The state of a dtype says its byte order; that of an array its shape, dtype and bytes."""
        thing = self.stack[-1]
        if thing.name == "numpy.dtype":
            thing.value = (">" if state[1] == ">" else "<") + thing.value.lstrip("<>=|")
        elif thing.name.endswith("multiarray._reconstruct"):
            _, shape, dtype, fortran, data = state
            thing.value = _array(data, dtype, shape, "F" if fortran else "C")
        else:
            raise ValueError(f"the state of {thing.name}")


def read_pickle(path: Path, raw: bytes) -> dict[str, Any]:
    """Take numbers and text out of a pickled dictionary.

    Args:
        path: the file, for messages.
        raw: what is in it.

    Returns:
        Arrays, numbers and text by key; values of another kind are left out.

    Raises:
        FileError: it is damaged, or no dictionary of arrays.
    """
    from pickletools import genops

    machine = _Machine()
    try:
        for opcode, argument, _ in genops(raw):
            machine.step(opcode.name, argument)
        found = machine.stack.pop()
        items = {key: getattr(value, "value", value) for key, value in found.items()}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        found_instead = " ".join(str(error).split())
        raise FileError(
            f"{path}: a pickle, of which only dictionaries of numbers are read, for safety;"
            f" it has {found_instead:.60}: save the calibration in another format"
        ) from None
    return {key: value for key, value in items.items() if isinstance(value, np.ndarray | int | float | str)}


def _made(name: str, arguments: tuple[Any, ...]) -> Any:
    """What a callable would return, of the few that arrays need."""
    if name == "numpy.dtype":
        return _Thing(name, arguments, _dtype(arguments[0]))
    if name.endswith("multiarray._reconstruct") and name.startswith("numpy."):
        return _Thing(name, arguments)
    if name.endswith("numeric._frombuffer") and name.startswith("numpy."):
        data, dtype, shape, order = arguments
        return _Thing(name, (), _array(data, dtype, shape, order))
    if name.endswith("multiarray.scalar") and name.startswith("numpy."):
        return _Thing(name, (), _array(arguments[1], arguments[0], (), "C"))
    if name == "_codecs.encode" and arguments[1] == "latin1":
        return arguments[0].encode("latin1")
    raise ValueError(f"a call of {name}")


def _dtype(text: Any) -> str:
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise ValueError(f"an array of {text!r:.20}")
    return text


def _array(data: Any, dtype: _Thing, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(data, bytes | bytearray) or order not in ("C", "F"):
        raise ValueError("an array that is not made of bytes")
    return np.frombuffer(bytes(data), dtype=_dtype(dtype.value)).reshape(shape, order=order)
