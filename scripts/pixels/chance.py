"""Numbers by chance on a device, all from one generator, so that a seed tells everything that is drawn."""

from __future__ import annotations

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

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Evenly between two bounds."""
        return low + (high - low) * torch.rand(*shape, generator=self.generator, device=self.device)

    def normal(self, *shape: int, sd: float = 1.0) -> Tensor:
        """About 0, with this standard deviation."""
        return sd * torch.randn(*shape, generator=self.generator, device=self.device)

    def integers(self, count: int, *shape: int) -> Tensor:
        """Whole numbers from 0 up to but without `count`."""
        return torch.randint(count, shape, generator=self.generator, device=self.device)
