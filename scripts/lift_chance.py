"""Chance, and what it does to what a detector says: noise, lost limbs and frames, exchanged sides."""

from __future__ import annotations

import torch

Tensor = torch.Tensor

JITTER, GUESS_JITTER, BLINK = 0.01, 0.01, 0.05  # extents, metres, of confidence
LIMB_LOST, FRAMES_LOST, EXCHANGED = 0.15, 0.1, 0.15  # shares of the stretches
LIMBS = ((11, 13, 15, 17, 19, 21), (12, 14, 16, 18, 20, 22), (23, 25, 27, 29, 31), (24, 26, 28, 30, 32))


class Chance:
    """Random numbers on a device, from a seed."""

    def __init__(self, device: str, seed: int) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)

    def turns(self, count: int, sd: float, about: float | None = None) -> Tensor:
        """Small random rotations (B, 3, 3); about the third axis by `about`."""
        vector = sd * self.normal(count, 3)
        if about is not None:
            vector[:, 2] *= about / sd
        zero = torch.zeros(count, device=self.device)
        x, y, z = vector.unbind(1)
        skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(count, 3, 3)
        return torch.matrix_exp(skew)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers between 0 and 1."""
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        """Numbers of mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def integers(self, below: int, count: int, weight: Tensor | None = None) -> Tensor:
        """Whole numbers below `below` (B,), each as likely as its weight says."""
        if weight is not None:
            return torch.multinomial(weight, count, replacement=True, generator=self.generator)
        return torch.randint(below, (count,), generator=self.generator, device=self.device)

    def span(self, count: int, frames: int, share: float, longest: int) -> Tensor:
        """1 within a span of random frames in a share of the stretches: (B, L)."""
        start = self.uniform(count) * frames
        stop = start + self.uniform(count) * longest
        t = torch.arange(frames, device=self.device)
        inside = (t >= start[:, None]) & (t < stop[:, None])
        return (inside & (self.uniform(count) < share)[:, None]).float()


def spoiled(
    seen: tuple[Tensor, Tensor, Tensor], mirror: Tensor, chance: Chance
) -> tuple[Tensor, Tensor, Tensor]:
    """Add noise, lose limbs and frames, exchange sides for a while."""
    image, sight, world = seen
    count, frames = sight.shape[:2]
    extent = (image - image.mean(dim=2, keepdim=True)).norm(dim=-1).mean(dim=(1, 2))
    image = image + JITTER * chance.normal(*image.shape) * extent[:, None, None, None]
    world = world + GUESS_JITTER * chance.normal(*world.shape)
    blink = BLINK * chance.normal(*sight.shape)
    sight = torch.where(sight > 0, (sight + blink).clamp(0.01, 1.0), sight)
    limbs = torch.zeros(len(LIMBS), sight.shape[2], device=chance.device)
    for k, rows in enumerate(LIMBS):
        limbs[k, list(rows)] = 1.0
    lost = (
        chance.span(count, frames, LIMB_LOST, 60)[..., None]
        * limbs[chance.integers(len(LIMBS), count)][:, None]
    )
    sight = torch.where(lost > 0, 0.2 * sight, sight)
    image = image + lost[..., None] * 0.5 * extent[:, None, None, None] * chance.normal(
        count, 1, *image.shape[2:]
    )
    sight = sight * (1 - chance.span(count, frames, FRAMES_LOST, 20))[..., None]
    which = chance.integers(3, count)
    arms, legs = limbs[0] + limbs[1] + (torch.arange(33, device=chance.device) < 11), limbs[2] + limbs[3]
    part = torch.stack([legs, arms, arms + legs])[which]
    swap = (chance.span(count, frames, EXCHANGED, 40)[..., None] * part[:, None]) > 0
    image = torch.where(swap[..., None], image[:, :, mirror], image)
    world = torch.where(swap[..., None], world[:, :, mirror], world)
    sight = torch.where(swap, sight[:, :, mirror], sight)
    return image, sight, world
