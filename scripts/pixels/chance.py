"""Numbers by chance on a device, by one seed, so that it tells everything that is drawn."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

Tensor = torch.Tensor


class Chance:
    """Draws numbers; the order of the calls matters.

    Args:
        device: where they are made.
        seed: of the generator.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)
        self.here = np.random.default_rng(seed)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Evenly between two bounds."""
        return low + (high - low) * torch.rand(*shape, generator=self.generator, device=self.device)

    def normal(self, *shape: int, sd: float = 1.0) -> Tensor:
        """About 0, with this standard deviation."""
        return sd * torch.randn(*shape, generator=self.generator, device=self.device)

    def integers(self, count: int, *shape: int) -> Tensor:
        """Whole numbers from 0 up to but without `count`."""
        return torch.randint(count, shape, generator=self.generator, device=self.device)

    def number(self, count: int) -> int:
        """One of them for the program itself, which need not wait for the device."""
        return int(self.here.integers(count))


@functools.cache
def constant(values: tuple[Any, ...], device: torch.device) -> Tensor:
    """Numbers, indices, or rows of them, on a device, brought there once: else everything waits each time."""
    return torch.tensor(values, device=device)
