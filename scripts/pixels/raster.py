"""The functions of `raster.cu` and `shade.cu` over torch tensors, compiled for a GPU or for the CPU."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

SOURCES = ("raster.cu", "shade.cu")  # one text
NAMES = ("skin", "normals", "project", "raster", "shade")
THREADS = 128
NOTHING = -1  # in a depth buffer, as a signed 64-bit integer: all bits set, further than any depth
COMPILER = ("g++", "-O3", "-march=native", "-x", "c++", "-shared", "-fPIC")


class Kernels:
    """Call `kernels("skin", items, *arguments)`; the arguments are those in the source.

    Tensors are handed over as addresses, numbers as 32-bit integers. Needs CuPy on a GPU and g++ on the CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.gpu = device.type == "cuda"
        source = "\n".join(Path(__file__).with_name(name).read_text() for name in SOURCES)
        self.functions: dict[str, Any] = _on_gpu(source) if self.gpu else _on_cpu(source)

    def __call__(self, name: str, items: int, *arguments: torch.Tensor | int) -> None:
        """Run a function over all its items; it writes into the tensors that it is given.

        Raises:
            ValueError: a tensor is elsewhere or has gaps.
        """
        for a in arguments:
            if isinstance(a, torch.Tensor) and (a.device.type != self.device.type or not a.is_contiguous()):
                raise ValueError(f"{name}: a tensor {tuple(a.shape)} is not contiguous on {self.device}")
        if not self.gpu:
            values = [
                ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else ctypes.c_int(a)
                for a in arguments
            ]
            self.functions[name](ctypes.c_longlong(items), *values)
            return
        import cupy

        sizes = [np.uint64(a.data_ptr()) if isinstance(a, torch.Tensor) else np.int32(a) for a in arguments]
        with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            self.functions[name]((-(-items // THREADS),), (THREADS,), (np.int64(items), *sizes))


def _on_gpu(source: str) -> dict[str, Any]:
    import cupy

    module = cupy.RawModule(code=source, options=("--std=c++17",))
    return {name: module.get_function(name) for name in NAMES}


def _on_cpu(source: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "raster.so"
        subprocess.run([*COMPILER, "-o", library, "-"], input=source, text=True, check=True)
        loaded = ctypes.CDLL(str(library))
    return {name: getattr(loaded, name) for name in NAMES}
