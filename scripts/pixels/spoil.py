"""What befalls a picture: exposure, colour, sharpness, noise, a coder's blocks, paint, the image's edge."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from chance import Chance, constant

Tensor = torch.Tensor

BLOCK = 8
MOVED, REACH = 0.2, 7  # how many are blurred by motion; pixels that blur reaches
PAINTED, STROKES = 0.2, 3  # how often people in the way are painted over, by how many strokes
GREY = 0.5  # what a capture paints with


def _cosines(device: torch.device) -> Tensor:
    """(8, 8) the cosine waves of a block, a row each, orthonormal (DCT-II)."""
    k = torch.arange(BLOCK, device=device, dtype=torch.float32)
    basis = torch.cos(math.pi / BLOCK * (k[None] + 0.5) * k[:, None]) * math.sqrt(2 / BLOCK)
    basis[0] /= math.sqrt(2)
    return basis


def _spread(image: Tensor, kernel: Tensor) -> Tensor:
    """Pictures (S, C, H, W), each under its own kernel (S, A, B), of odd numbers."""
    count, colours, high, wide = image.shape
    if not count:
        return image
    down, across = kernel.shape[1:]
    kernel = (kernel / kernel.sum((1, 2), keepdim=True))[:, None].expand(-1, colours, -1, -1)
    flat, weight = image.reshape(1, -1, high, wide), kernel.reshape(-1, 1, down, across)
    out = F.conv2d(flat, weight, padding=(down // 2, across // 2), groups=count * colours)
    return out.reshape(image.shape)


class Spoil:
    """Call it with pictures (S, 3, H, W), 0..1: each is spoiled, some much, most a little.

    Args:
        chance: draws.
    """

    def __init__(self, chance: Chance) -> None:
        self.chance, self.device = chance, chance.device
        waves = _cosines(chance.device)
        self.waves = torch.kron(waves, waves)  # of a block whose rows stand one behind the other
        k = torch.arange(BLOCK, device=chance.device, dtype=torch.float32)
        self.steps = (1 + 0.9 * (k[:, None] + k[None])).flatten()  # coders keep slow waves better

    def __call__(self, image: Tensor, edge: Tensor) -> Tensor:
        """The same as a camera and a codec would give them; black beyond their edges (S, 3)."""
        count, _, height, width = image.shape
        image = self._soft(self._colour(image))
        noise = self._each(count) ** 3 * 0.05
        fine = self.chance.normal(*image.shape)
        coarse = F.interpolate(self.chance.normal(count, 3, height // 2, width // 2), scale_factor=2.0)
        image = image + noise * torch.where(self._each(count) < 0.5, fine, coarse)
        image = self._coded(image.clamp(0, 1))
        return self._cut(self._painted(image), edge).clamp(0, 1)

    def _each(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(S, 1, 1, 1) a number for each picture, evenly between two bounds."""
        return self.chance.uniform(count, low=low, high=high)[:, None, None, None]

    def _colour(self, image: Tensor) -> Tensor:
        """Exposure, tint, gamma, saturation and contrast."""
        count = len(image)
        gain = torch.exp(
            0.22 * self.chance.normal(count, 1, 1, 1) + 0.07 * self.chance.normal(count, 3, 1, 1)
        )
        gamma = torch.exp(0.22 * self.chance.normal(count, 1, 1, 1))
        image = (image.clamp(1e-4, 1) * gain).clamp(1e-4, 1) ** gamma
        grey = image.mean(1, keepdim=True)
        strength = torch.where(self._each(count) < 0.05, self._each(count) * 0, self._each(count, 0.4, 1.5))
        image = grey + (image - grey) * strength
        middle = image.mean(dim=(1, 2, 3), keepdim=True)
        return (middle + (image - middle) * self._each(count, 0.65, 1.3)).clamp(0, 1)

    def _soft(self, image: Tensor) -> Tensor:
        """Seen small and enlarged, out of focus, or (the last of them) moved while the shutter was open."""
        count, size = len(image), image.shape[-1]
        moved = round(MOVED * count)
        still = count - moved
        x = torch.arange(-REACH, REACH + 1, device=self.device, dtype=torch.float32)
        sigma = 0.25 + 2.4 * self._each(count) ** 3
        along, stretch = self._each(moved, 0, math.pi)[:, 0], 1 + 2.5 * self._each(moved)[:, 0]
        u = x[None, None, :] * along.cos() + x[None, :, None] * along.sin()
        v = -x[None, None, :] * along.sin() + x[None, :, None] * along.cos()
        s, bell = sigma[still:, 0], torch.exp(-0.5 * (x / sigma[:still, 0]) ** 2)
        soft = _spread(_spread(image[:still], bell), bell.transpose(1, 2))
        smeared = _spread(image[still:], torch.exp(-0.5 * ((u / (s * stretch)) ** 2 + (v / s) ** 2)))
        image = torch.cat([soft, smeared])
        shrunk = F.interpolate(image, size=(size // 2, size // 2), mode="area")
        shrunk = F.interpolate(shrunk, size=(size, size), mode="bilinear")
        return torch.where(self._each(count) < 0.25, shrunk, image)

    def _coded(self, image: Tensor) -> Tensor:
        """Blocks of 8 by 8 whose cosine waves are rounded, colours more coarsely, as video coders do."""
        count, _, height, width = image.shape
        red, green, blue = image.unbind(1)
        light = 0.299 * red + 0.587 * green + 0.114 * blue
        planes = torch.stack([light, blue - light, red - light], 1)
        shift = self.chance.number(BLOCK)
        planes = planes.roll((shift, shift), (2, 3))
        blocks = planes.reshape(count, 3, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        waves = blocks.transpose(3, 4).flatten(4) @ self.waves.T
        coarse = torch.exp(self._each(count, math.log(0.002), math.log(0.035)))[..., None]
        step = coarse * self.steps * constant((1.0, 2.0, 2.0), self.device).reshape(3, 1, 1, 1)
        waves = (waves / step).round() * step
        blocks = (waves @ self.waves).unflatten(-1, (BLOCK, BLOCK)).transpose(3, 4)
        planes = blocks.reshape(count, 3, height, width)
        planes = planes.roll((-shift, -shift), (2, 3))
        light, of_blue, of_red = planes.unbind(1)
        blue, red = light + of_blue, light + of_red
        return torch.stack([red, (light - 0.299 * red - 0.114 * blue) / 0.587, blue], 1)

    def _painted(self, image: Tensor) -> Tensor:
        """Somebody else, painted over: thick strokes of grey, at times of another colour."""
        count, size = len(image), image.shape[-1]
        ends = self.chance.uniform(count, STROKES, 2, 2, low=-0.1, high=1.1) * size
        start, along = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
        half = torch.exp(self._each(count, math.log(4), math.log(28)))
        at = torch.arange(size, device=self.device, dtype=torch.float32)
        x, y = at[None, None, None, :] - start[..., 0, None, None], at[:, None] - start[..., 1, None, None]
        u, v = along[..., 0, None, None], along[..., 1, None, None]
        share = ((x * u + y * v) / (u * u + v * v + 1)).clamp(0, 1)
        near = ((x - share * u) ** 2 + (y - share * v) ** 2 < half**2).any(1, keepdim=True)
        colour = torch.where(self._each(count) < 0.7, GREY, self.chance.uniform(count, 3, 1, 1))
        return torch.where(near & (self._each(count) < PAINTED), colour, image)

    def _cut(self, image: Tensor, edge: Tensor) -> Tensor:
        """Beyond the edge of the camera's picture a crop is black."""
        at = torch.arange(image.shape[-1], device=self.device)
        a, b, c = edge[:, :, None, None, None].unbind(1)
        return torch.where(a * at + b * at[:, None] + c > 0, torch.zeros_like(image), image)
