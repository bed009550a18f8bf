"""Points that move as a body does, before known cameras: tracks whose offsets are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from calibration.camera import Cameras
from calibration.sync.tracks import Track

POINTS = 14
SD = 0.008  # normalised: 2 % of a person who fills four tenths of the image

Body = Callable[[np.ndarray], np.ndarray]  # seconds (T,) -> points (T, J, 3)


def restless(seed: int = 0, amount: float = 0.3) -> Body:
    """A body that moves as a whole and in its parts and never repeats itself: sines of odd frequencies."""
    rng = np.random.default_rng(seed)
    rest = rng.uniform((-0.4, 0.1, -0.3), (0.4, 1.8, 0.3), (POINTS, 3))
    frequency, phase = rng.uniform(0.1, 1.2, (5, POINTS, 3)), rng.uniform(0, 2 * np.pi, (5, POINTS, 3))
    frequency[:2], phase[:2] = frequency[:2, :1], phase[:2, :1]  # these move the whole body
    size = amount * rng.uniform(0.2, 1.0, (5, 1, 1)) / (1 + frequency)

    def at(times: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * frequency * times[:, None, None, None] + phase
        return rest + (size * np.sin(angle)).sum(axis=1)

    return at


def repeating(period: float) -> Body:
    """A body that goes through the same movement again and again, on the spot."""
    body = restless(5)

    def at(times: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * times / period
        a, b = body(np.array([0.0, 1.0]))
        return (
            a
            + np.sin(angle)[:, None, None] * (b - a)
            + 0.3 * np.cos(2 * angle)[:, None, None] * (b - a)[::-1]
        )

    return at


def still(times: np.ndarray) -> np.ndarray:
    """A body that does not move."""
    return np.repeat(restless(3)(np.zeros(1)), len(times), axis=0)


def tracks(
    cameras: Cameras,
    bodies: Sequence[Body],
    offsets: Sequence[float],
    seconds: float = 5.0,
    rates: Sequence[float] | float = 30.0,
    noise: float = SD,
    seed: int = 1,
) -> list[Track]:
    """What each camera sees of its body, with offsets (V,) s and rates (V,) a second."""
    rng = np.random.default_rng(seed)
    rates = np.broadcast_to(rates, len(cameras))
    made = []
    for camera, body, offset, rate in zip(cameras, bodies, offsets, rates, strict=True):
        times = np.arange(int(seconds * rate)) / rate
        image = camera.undistort(camera.project(body(times + offset)))
        image = image + noise * rng.normal(size=image.shape)
        made.append(Track(times, image, np.where(np.isfinite(image).all(axis=-1), 0.9, 0.0), SD))
    return made
