"""A body moved by known turns before a ring of known cameras, and what a detector makes of it.

Arrays only: noise, gaps, outliers and exchanged sides are put into image points (V, T, N, 2), pixels or
normalised; NaN is unseen.
"""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.solving.body import Body
from rigs.solving.kinematics import Chain, Points, Pose, locate
from tests.calibration.synthetic import look_at

STATURE = 1.75


def sized(body: Body, stature: float = STATURE) -> np.ndarray:
    return np.full(len(body.size_names), stature)


def turned(body: Body, turns: dict[str, np.ndarray], frames: int) -> np.ndarray:
    """Local rotations (T, J, 4) from rotation vectors (T, 3) of some joints."""
    rotvec = np.zeros((frames, len(body.names), 3))
    for name, turn in turns.items():
        rotvec[:, body.index(name)] = turn
    return quat.from_rotvec(rotvec)


def walking(body: Body, frames: int, fps: float = 30.0, stature: float = STATURE) -> Pose:
    """Walk along z, once round the gait a second, arms against legs, the trunk turning, the head looking."""
    t = np.arange(frames) / fps
    swing, bob, none = np.sin(2 * np.pi * t), np.sin(4 * np.pi * t), np.zeros_like(t)
    turns = {
        "Hips": np.stack([none, 0.15 * swing, none], axis=-1),
        "Neck": np.stack([0.1 + none, 0.3 * np.sin(np.pi * t), none], axis=-1),
    }
    for name in ("Spine", "Spine1", "Spine2"):
        turns[name] = np.stack([0.04 + none, -0.08 * swing, none], axis=-1)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):  # mirrored turns about y and z change their sign
        turns[f"{side}UpLeg"] = np.stack([-0.2 - 0.35 * sign * swing, none, none], axis=-1)
        turns[f"{side}Leg"] = np.stack([0.5 + 0.35 * sign * swing, none, none], axis=-1)
        turns[f"{side}Foot"] = np.stack([-0.1 * sign * swing, none, none], axis=-1)
        turns[f"{side}Arm"] = np.stack([none, -0.4 * swing, -1.1 * sign + none], axis=-1)
        turns[f"{side}ForeArm"] = np.stack([none, -sign * (0.7 + 0.2 * sign * swing), none], axis=-1)
    root = np.stack([0.03 * swing, 0.53 * stature + 0.02 * bob, 0.5 * t - 0.5], axis=-1)
    return Pose(root, turned(body, turns, frames))


def landmarks(body: Body, stature: float = STATURE) -> Points:
    """Every joint, and two points off the axis of each: enough to see every turn."""
    joints = len(body.names)
    offsets = np.zeros((3 * joints, joints, 3))
    for k, off in enumerate(((0.03, 0.02, 0.03), (-0.02, 0.03, -0.03))):
        offsets[(k + 1) * joints + np.arange(joints), np.arange(joints)] = np.array(off) * stature
    return Points(np.tile(np.arange(joints), 3), offsets)


def ring(views: int, radius: float = 3.5) -> tuple[np.ndarray, np.ndarray]:
    """Cameras from world about a circle: rotations (V, 3, 3) and translations (V, 3)."""
    angles = 0.3 + 2 * np.pi * np.arange(views) / views
    placed = np.stack([look_at((radius * np.sin(a), 1.5, radius * np.cos(a))) for a in angles])
    return placed[:, :3, :3], placed[:, :3, 3]


def imaged(chain: Chain, pose: Pose, sizes: np.ndarray, points: Points, views: int) -> np.ndarray:
    """Normalised image points (V, T, N, 2) of a posed body from the ring of that many views."""
    rotation, translation = ring(views)
    world = locate(chain.place(pose, sizes), points)
    camera = np.einsum("vij,tnj->vtni", rotation, world) + translation[:, None, None]
    return camera[..., :2] / camera[..., 2:]


def noisy(seen: np.ndarray, sd: float, rng: np.random.Generator) -> np.ndarray:
    return seen + rng.normal(0.0, sd, seen.shape)


def dropped(seen: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Leave out a share of the points."""
    return np.where((rng.random(seen.shape[:-1]) < share)[..., None], np.nan, seen)


def outlying(seen: np.ndarray, view: int, share: float, reach: float, rng: np.random.Generator) -> np.ndarray:
    """Throw a share of one view's points anywhere within `reach`."""
    out = seen.copy()
    thrown = rng.random(seen.shape[1:-1]) < share
    out[view][thrown] += rng.uniform(-reach, reach, (int(thrown.sum()), 2))
    return out


def apart(a: Pose, b: Pose, chain: Chain, sizes: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """Distances (T, J) in metres between the joints of two poses."""
    first, second = chain.place(a, sizes), chain.place(b, sizes if other is None else other)
    return np.linalg.norm(first.positions - second.positions, axis=-1)
