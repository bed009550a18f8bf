"""Cameras whose every number is known: rings around the place where a person stands."""

from __future__ import annotations

import numpy as np

from calibration import Camera, Cameras

BARREL = (-0.28, 0.09, 0.0012, -0.0008, -0.01)


def look_at(centre, target=(0.0, 1.0, 0.0)) -> np.ndarray:
    """camera_from_world of an upright camera at `centre` that looks at `target`, y up."""
    centre = np.asarray(centre, dtype=float)
    forward = np.asarray(target, dtype=float) - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = rotation, -rotation @ centre
    return transform


def camera(name="cam", centre=(0.0, 1.6, 3.5), distortion=BARREL, model="pinhole", size=(720, 540)) -> Camera:
    matrix = np.array([[620.0, 0.0, 363.5], [0.0, 621.5, 266.5], [0.0, 0.0, 1.0]])
    return Camera(name, size, matrix, np.array(distortion), look_at(centre), model)


def ring(views=4, radius=3.5, distortion=BARREL) -> Cameras:
    angles = 0.3 + 2 * np.pi * np.arange(views) / views
    centres = [(radius * np.sin(a), 1.6 + 0.1 * i, radius * np.cos(a)) for i, a in enumerate(angles)]
    return Cameras(tuple(camera(f"cam{i + 1}", c, distortion) for i, c in enumerate(centres)))


def people(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Points where a person's joints are, (*shape, 3)."""
    return rng.uniform((-0.8, 0.0, -0.8), (0.8, 1.8, 0.8), (*shape, 3))
