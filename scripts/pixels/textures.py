"""Textures of people: read and made smaller, or patterns drawn by chance."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 256
STEP = 4  # colours are kept as multiples of it: finer steps are noise and do not pack


def read_rgba(path: Path) -> np.ndarray:
    """(H, W, 4) uint8 RGBA of a picture; opaque where the file has no alpha."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileNotFoundError(f"{path}: no picture there")
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def smaller(image: np.ndarray) -> np.ndarray:
    """(256, 256, 4) uint8: area averages weighted by alpha; as much of it has alpha > 0.5 as before."""
    rgba = image.astype(np.float32) / 255
    alpha = rgba[..., 3:]
    small = cv2.resize(
        np.concatenate([rgba[..., :3] * (alpha + 1e-3), alpha], -1), (SIDE, SIDE), None, 0, 0, cv2.INTER_AREA
    )
    colour = small[..., :3] / (small[..., 3:] + 1e-3)
    seen = float((alpha > 0.5).mean())
    if 0 < seen < 1:
        level = max(float(np.quantile(small[..., 3], 1 - seen)), 1e-3)
        small[..., 3] = np.clip(small[..., 3] * 0.5 / level, 0, 1)
    return packed(np.concatenate([colour, small[..., 3:]], -1))


def packed(rgba: np.ndarray) -> np.ndarray:
    """Round (H, W, 4) 0..1 to uint8 in STEPs, alpha 1 to 255; black where alpha is 0."""
    out = np.clip(np.round(rgba * 255 / STEP) * STEP, 0, 255).astype(np.uint8)
    out[..., 3] = np.where(rgba[..., 3] > 0.98, 255, np.clip(np.round(rgba[..., 3] * 15) * 17, 0, 255))
    return out


def colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) a colour of cloth: mostly muted, some strong, some near white or black."""
    hue, grey = rng.random(), rng.random() < 0.35
    saturation = 0.08 * rng.random() if grey else rng.uniform(0.2, 0.85)
    value = rng.uniform(0.08, 0.95)
    hsv = np.array([[[360 * hue, saturation, value]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def dyed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A texture (256, 256, 4) uint8 in other colours: hues turned, weaker or stronger, darker or lighter."""
    hsv = cv2.cvtColor(image[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + 360 * rng.random()) % 360
    hsv[..., 1:] = np.clip(hsv[..., 1:] * (rng.uniform(0.2, 1.1), rng.uniform(0.6, 1.5)), 0, 1)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return packed(np.concatenate([rgb, image[..., 3:] / np.float32(255)], -1))


def pattern(rng: np.random.Generator) -> np.ndarray:
    """(256, 256, 4) uint8: plain, striped, checked, dotted or blotched cloth."""
    first, second = colour(rng), colour(rng)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    kind = rng.choice(["plain", "stripes", "checks", "dots", "noise"], p=[0.35, 0.25, 0.15, 0.1, 0.15])
    count = rng.integers(6, 40)
    across, down = (np.sin(2 * np.pi * count * t) > rng.uniform(-0.4, 0.6) for t in (x, y))
    if kind == "stripes":
        share = (across if rng.random() < 0.4 else down).astype(float)
    elif kind == "checks":
        share = 0.5 * across + 0.5 * down
    elif kind == "dots":
        share = ((np.modf(count * x)[0] - 0.5) ** 2 + (np.modf(count * y)[0] - 0.5) ** 2 < 0.09).astype(float)
    elif kind == "noise":
        cells = int(rng.integers(8, 40))
        coarse = rng.random((cells, cells)).astype(np.float32)
        share = np.round(4 * cv2.resize(coarse, (SIDE, SIDE), None, 0, 0, cv2.INTER_LINEAR)) / 4
    else:
        share = np.zeros((SIDE, SIDE))
    rgb = first + (second - first) * share[..., None]
    return packed(np.concatenate([rgb, np.ones((SIDE, SIDE, 1))], -1))
