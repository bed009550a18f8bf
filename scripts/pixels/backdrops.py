"""Textures by chance for walls, floors and things: planks, tiles, stripes, marble, posters, clutter."""

import numpy as np
import numpy.typing as npt

SIZE = 256
Picture = npt.NDArray[np.float64]


def _cloud(chance: np.random.Generator, slope: float, channels: int = 1) -> Picture:
    """Noise whose spectrum falls as frequency to the power -slope, 0..1; it repeats without a seam."""
    f = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None]) * SIZE
    f[0, 0] = 1
    waves = chance.normal(size=(channels, SIZE, SIZE)) + 1j * chance.normal(size=(channels, SIZE, SIZE))
    field = np.fft.ifft2(waves / f**slope).real
    low, high = np.percentile(field, [1, 99], axis=(1, 2), keepdims=True)
    return np.moveaxis(np.clip((field - low) / (high - low), 0, 1), 0, -1)


def _mix(a: Picture, b: Picture, share: Picture) -> Picture:
    return a * (1 - share) + b * share


def _tiles(chance: np.random.Generator) -> Picture:
    across, down = (int(2 ** chance.integers(0, 6)) for _ in range(2))
    y, x = np.mgrid[:SIZE, :SIZE]
    row = y * down // SIZE
    x = (x + (row % 2) * chance.integers(0, 2) * SIZE // across // 2) % SIZE
    shade = chance.normal(0, chance.uniform(0.02, 0.25), (down, across))
    colour = chance.uniform(0.1, 0.95, 3)
    picture = np.clip(colour + shade[row, x * across // SIZE][..., None], 0, 1)
    gap = (np.minimum(x % (SIZE // across), y % (SIZE // down)) < chance.integers(0, 5))[..., None]
    return np.where(gap, chance.uniform(0, 1, 3), picture)


def _shapes(chance: np.random.Generator) -> Picture:
    picture = np.ones((SIZE, SIZE, 3)) * chance.uniform(0, 1, 3)
    y, x = np.mgrid[:SIZE, :SIZE]
    for _ in range(chance.integers(3, 40)):
        cx, cy = chance.integers(0, SIZE, 2)
        w, h = chance.integers(4, 90, 2)
        turn = chance.uniform(0, np.pi)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = -(x - cx) * np.sin(turn) + (y - cy) * np.cos(turn)
        inside = (
            (np.abs(u) < w) & (np.abs(v) < h) if chance.random() < 0.6 else (u / w) ** 2 + (v / h) ** 2 < 1
        )
        picture[inside] = chance.uniform(0, 1, 3)
    return picture


def _stripes(chance: np.random.Generator) -> Picture:
    y, x = np.mgrid[:SIZE, :SIZE] * 2 * np.pi / SIZE
    wave = np.sin(x * chance.integers(0, 24) + y * chance.integers(0, 24) + 2 * _cloud(chance, 2)[..., 0])
    share = np.clip(wave * chance.choice([1, 8]) * 0.5 + 0.5, 0, 1)[..., None]
    return _mix(chance.uniform(0, 1, 3) * np.ones((SIZE, SIZE, 3)), chance.uniform(0, 1, 3), share)


def _marble(chance: np.random.Generator) -> Picture:
    share = _cloud(chance, chance.uniform(0.6, 2.2))
    return _mix(chance.uniform(0, 1, 3) * np.ones((SIZE, SIZE, 3)), chance.uniform(0, 1, 3), share)


def _clutter(chance: np.random.Generator) -> Picture:
    return _cloud(chance, chance.uniform(0.8, 1.8), 3)


def bank(chance: np.random.Generator, count: int = 160) -> npt.NDArray[np.uint8]:
    """Textures (count, 256, 256, 3), most of them with dirt over them."""
    makers = (_tiles, _shapes, _stripes, _marble, _clutter, _tiles, _marble)
    pictures = []
    for i in range(count):
        picture = makers[i % len(makers)](chance)
        dirt = 1 - chance.uniform(0, 0.5) * _cloud(chance, chance.uniform(0.5, 2))
        if chance.random() < 0.4:  # rooms are mostly dull
            picture = _mix(picture, picture.mean(axis=(0, 1), keepdims=True), np.full((1, 1, 1), 0.7))
        pictures.append((np.clip(picture * dirt, 0, 1) * 255).astype(np.uint8))
    return np.stack(pictures)
