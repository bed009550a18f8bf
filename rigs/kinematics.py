"""Where points of a body are, and how they move when its freedoms and sizes change.

A pose is the root's position (T, 3) and every joint's local rotation (T, J, 4) wxyz. Small changes of a pose
are vectors of D = 3 + R numbers a frame: the root's shift (m, world), then a turn (rad) about each freedom's
axis, applied in the joint's own frame after its rotation. In those coordinates the derivative of a point is
the cross product of the freedom's world axis with the arm from its joint, exact at the current pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.body import Body, Bools, Floats


@dataclass(frozen=True)
class Pose:
    """A clip's root positions (T, 3) m and local rotations (T, J, 4) wxyz."""

    root: Floats
    rotations: Floats

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, frames: slice) -> Pose:
        return Pose(self.root[frames], self.rotations[frames])


@dataclass(frozen=True)
class Points:
    """Points carried by the bones: p = joint + sum over bones of R_bone @ offset.

    joint: (N,) rows of joints; offsets: (N, J, 3) metres, in each bone's own frame, mostly zero.
    """

    joint: NDArray[np.int64]
    offsets: Floats

    def __len__(self) -> int:
        return len(self.joint)


@dataclass(frozen=True)
class Posed:
    """A body in a pose: world joint positions (T, J, 3), world rotations (T, J, 3, 3), sized offsets (J, 3)."""

    chain: Chain
    pose: Pose
    offsets: Floats
    positions: Floats
    rotations: Floats


class Chain:
    """A body's kinematics: who moves whom.

    `moves` (J, R): freedom r shifts joint j; `turns` (J, R): freedom r turns the bone of joint j.
    `path` (J, J): joint k's offset lies on the way from the root to joint j.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        self.path = _paths(body)
        above = self.path.copy()
        np.fill_diagonal(above, False)
        above[:, 0] = True
        above[0, 0] = False
        self.moves: Bools = above[:, body.freedom_joint]
        self.turns: Bools = self.moves | (np.arange(len(body.names))[:, None] == body.freedom_joint)
        self.freedoms = 3 + len(body.freedom_joint)

    def place(self, pose: Pose, sizes: Floats) -> Posed:
        """Forward kinematics of `pose` for a body of `sizes` (G,)."""
        offsets = self.body.sized_offsets(sizes)
        local = quat.to_matrix(pose.rotations)
        positions, rotations = np.empty(local.shape[:2] + (3,)), np.empty_like(local)
        positions[:, 0], rotations[:, 0] = pose.root, local[:, 0]
        for j in range(1, len(self.body.names)):
            p = self.body.parents[j]
            positions[:, j] = positions[:, p] + rotations[:, p] @ offsets[j]
            rotations[:, j] = rotations[:, p] @ local[:, j]
        return Posed(self, pose, offsets, positions, rotations)

    def move(self, pose: Pose, step: Floats) -> Pose:
        """Apply a small change `step` (T, D) to `pose`."""
        turn = np.zeros((*pose.rotations.shape[:2], 3))
        for r, (joint, axis) in enumerate(zip(self.body.freedom_joint, self.body.freedom_axis, strict=True)):
            turn[:, joint] += step[:, 3 + r, None] * axis
        return Pose(pose.root + step[:, :3], quat.multiply(pose.rotations, quat.from_rotvec(turn)))


def locate(posed: Posed, points: Points) -> Floats:
    """Return the world positions (T, N, 3) of `points`."""
    return posed.positions[:, points.joint] + _arms(posed, points).sum(axis=2)


def derivative(posed: Posed, points: Points) -> Floats:
    """Return d(point) / d(step): (T, N, 3, D), exact at the current pose."""
    chain = posed.chain
    joint = chain.body.freedom_joint
    pivot = posed.positions[:, joint]
    axis = np.einsum("trij,rj->tri", posed.rotations[:, joint], chain.body.freedom_axis)
    arm = (posed.positions[:, points.joint, None] - pivot[:, None]) * chain.moves[points.joint][
        None, :, :, None
    ]
    bones = np.flatnonzero(points.offsets.any(axis=(0, 2)))
    carried = _arms(posed, points, bones)
    arm += np.einsum("tnbi,br->tnri", carried, chain.turns[bones].astype(float), optimize=True)
    out = np.zeros((len(arm), len(points), 3, chain.freedoms))
    out[..., :3] = np.eye(3)
    _cross_into(out[..., 3:], axis[:, None], arm)
    return out


def size_derivative(posed: Posed, points: Points) -> Floats:
    """Return d(point) / d(sizes): (T, N, 3, G) for sizes in metres of stature.

    Offsets of the points themselves are held: they follow the stature, not a single bone.
    """
    body = posed.chain.body
    unit = np.einsum("tjik,jk->tji", posed.rotations[:, body.parents], body.offsets)
    groups = (body.size_of[:, None] == np.arange(len(body.size_names))) * 1.0
    on_path = posed.chain.path[points.joint].astype(float)
    return np.einsum("nj,tji,jg->tnig", on_path, unit, groups, optimize=True)


def _cross_into(out: Floats, axis: Floats, arm: Floats) -> None:
    """Write axis x arm into out (T, N, 3, R) from (T, 1, R, 3) and (T, N, R, 3)."""
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        out[:, :, k] = axis[..., a] * arm[..., b] - axis[..., b] * arm[..., a]


def _arms(posed: Posed, points: Points, bones: NDArray[np.int64] | None = None) -> Floats:
    """World vectors (T, N, B, 3) from the joint, one for each bone that carries the point."""
    bones = np.flatnonzero(points.offsets.any(axis=(0, 2))) if bones is None else bones
    return np.einsum("tbij,nbj->tnbi", posed.rotations[:, bones], points.offsets[:, bones], optimize=True)


def _paths(body: Body) -> Bools:
    path = np.eye(len(body.names), dtype=bool)
    path[0, 0] = False
    for j in range(1, len(body.names)):
        path[j] |= path[body.parents[j]]
    return path
