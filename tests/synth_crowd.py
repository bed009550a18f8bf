"""Several made-up people before cameras, as a detector gives them: in any order in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calibration.camera import Camera, Cameras
from mocap.keypoints import Keypoints2D
from tests.synth_take import LAYOUT, SURE, Person, film, guess

STEP = 1 / 30


def turned(person: Person, degrees: float) -> Person:
    """The same about the world's y axis, which the person then walks in another direction."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return Person(person.joints @ turn.T, person.landmarks @ turn.T)


def hidden(person: Person, frames: slice | np.ndarray) -> Person:
    """The same, unseen by anybody in some frames."""
    landmarks = person.landmarks.copy()
    landmarks[frames] = np.nan
    return Person(person.joints, landmarks)


def lanes(camera: Camera, people: Sequence[Person], seed: int | None = 0) -> tuple[np.ndarray, np.ndarray]:
    """What a camera sees: points (T, P, 33, 2), shuffled in each frame, and who that is (T, P), -1 = nobody.

    A seed of None leaves everybody in place.
    """
    points = np.stack([camera.project(person.landmarks) for person in people], axis=1)
    frames, count = points.shape[:2]
    who = np.tile(np.arange(count), (frames, 1))
    if seed is not None:
        rng = np.random.default_rng(seed)
        who = np.stack([rng.permutation(count) for _ in range(frames)])
        points = np.take_along_axis(points, who[..., None, None], axis=1)
    seen = np.isfinite(points[..., 0]).any(axis=-1)
    return points, np.where(seen, who, -1)


def detections(
    points: np.ndarray,
    size: tuple[int, int],
    who: np.ndarray | None = None,
    clothes: np.ndarray | None = None,
) -> Keypoints2D:
    """What a detector makes of points (T, P, 33, 2).

    With colours, if it is told who each is (T, P), and which everybody wears (N, B, 3).
    """
    seen = np.isfinite(points).all(axis=-1)
    times = STEP * np.arange(len(points))
    colours = None
    if who is not None and clothes is not None:
        light = np.random.default_rng(9).normal(0, 2, (*who.shape, *clothes.shape[1:]))
        colours = np.where((who >= 0)[..., None, None], clothes[np.maximum(who, 0)] + light, np.nan)
    return Keypoints2D(LAYOUT, points, np.where(seen, SURE, 0.0), times, size, colours=colours)


def write_crowd(
    folder: Path, cameras: Cameras, people: Sequence[Sequence[Person]], sizes: tuple[int, int] = (720, 540)
) -> None:
    """Write films and keypoints of the people whom each camera sees."""
    folder.mkdir(parents=True, exist_ok=True)
    reel = film(folder / "film.mp4", len(people[0][0].landmarks), size=sizes).read_bytes()
    for k, (camera, there) in enumerate(zip(cameras, people, strict=True)):
        (folder / f"{camera.name}.mp4").write_bytes(reel)
        points, who = lanes(camera, there, seed=k)
        worlds = np.stack([_guess(camera, person.landmarks) for person in there], axis=1)
        worlds = np.take_along_axis(worlds, np.maximum(who, 0)[..., None, None], axis=1)
        confidence = np.where(np.isfinite(points).all(axis=-1), SURE, 0.0)
        path = folder / f"{camera.name}.keypoints.npz"
        np.savez(path, layout="blazepose33", points=points, confidence=confidence, world=worlds)


def _guess(camera: Camera, landmarks: np.ndarray) -> np.ndarray:
    out = np.full(landmarks.shape, np.nan)
    seen = np.isfinite(landmarks).any(axis=(1, 2))
    out[seen] = guess(camera, landmarks[seen])
    return out
