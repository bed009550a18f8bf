"""Where points of a body are, and how they move when its freedoms and sizes change.

A pose is the root's position (T, 3) and every joint's local rotation (T, J, 4) wxyz. Small changes of a pose
are vectors of D = 3 + R numbers a frame: the root's shift (m, world), then a turn (rad) about each freedom's
axis, applied in the joint's own frame after its rotation. In those coordinates the derivative of a point is
the cross product of the freedom's world axis with the arm from its joint, exact at the current pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.solving.body import Body, Bools, Floats, Ints


@dataclass(frozen=True)
class Pose:
    """A clip's root positions (T, 3) m and local rotations (T, J, 4) wxyz."""

    root: Floats
    rotations: Floats

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, frames: slice) -> Pose:
        return Pose(self.root[frames], self.rotations[frames])

    def at(self, frames: Floats) -> Pose:
        """The poses at `frames` (K,), which may lie between two: root on the line, rotations on the arc."""
        low = np.clip(np.floor(frames).astype(int), 0, len(self) - 1)
        high, part = np.minimum(low + 1, len(self) - 1), np.clip(frames - low, 0.0, 1.0)
        root = self.root[low] + part[:, None] * (self.root[high] - self.root[low])
        return Pose(root, quat.slerp(self.rotations[low], self.rotations[high], part[:, None]))


@dataclass(frozen=True, eq=False)
class Points:
    """Points carried by the bones: p = joint + sum over bones of R_bone @ offset.

    joint: (N,) rows of joints; offsets: (N, J, 3) metres, in each bone's own frame, mostly zero.
    """

    joint: NDArray[np.int64]
    offsets: Floats

    def __len__(self) -> int:
        return len(self.joint)

    @cached_property
    def stiff(self) -> tuple[Ints, Points]:
        """Which points the bones of their own joints carry, and these points."""
        return self._part(self._is_stiff)

    @cached_property
    def loose(self) -> tuple[Ints, Points]:
        """Which points other bones carry too, and these points."""
        return self._part(~self._is_stiff)

    @property
    def _is_stiff(self) -> Bools:
        others = np.arange(self.offsets.shape[1]) != self.joint[:, None]
        return np.asarray(~(self.offsets.any(axis=2) & others).any(axis=1))

    def _part(self, which: Bools) -> tuple[Ints, Points]:
        return np.flatnonzero(which), Points(self.joint[which], self.offsets[which])

    @cached_property
    def bones(self) -> Ints:
        """The bones (N, M) that carry each point, filled up with the joint's own."""
        carried = self.offsets.any(axis=2)
        width = max(int(carried.sum(axis=1).max(initial=0)), 1)
        order = np.argsort(~carried, axis=1, kind="stable")[:, :width]
        return np.where(np.take_along_axis(carried, order, axis=1), order, self.joint[:, None])

    @cached_property
    def parts(self) -> Floats:
        """The offsets (N, M, 3) in the frames of `bones`, filled up with zeros."""
        used = np.arange(self.bones.shape[1]) < self.offsets.any(axis=2).sum(axis=1)[:, None]
        return np.where(used[..., None], np.take_along_axis(self.offsets, self.bones[..., None], axis=1), 0.0)

    def on(self, positions: Floats, rotations: Floats) -> Floats:
        """Where they are (T, N, 3) m on joints at positions (T, J, 3) m that are turned by (T, J, 4) wxyz."""
        arms = quat.rotate(rotations[:, self.bones], self.parts)
        return np.asarray(positions[:, self.joint] + arms.sum(axis=2))


@dataclass(frozen=True, eq=False)
class Posed:
    """A body in a pose: joint positions (T, J, 3) and rotations (T, J, 3, 3) in the world, offsets (J, 3)."""

    chain: Chain
    pose: Pose
    offsets: Floats
    positions: Floats
    rotations: Floats

    @cached_property
    def axes(self) -> Floats:
        """World axes (T, R, 3) of the turning freedoms."""
        body = self.chain.body
        return np.einsum("trij,rj->tri", self.rotations[:, body.freedom_joint], body.freedom_axis)

    @cached_property
    def angles(self) -> Floats:
        """Rotation vectors from rest along each joint's axes of freedom: (T, J, 3) radians."""
        return np.einsum("tji,jik->tjk", quat.to_rotvec(self.pose.rotations), self.chain.axes)

    @cached_property
    def slopes(self) -> Floats:
        """d(angles) / d(turns) of each joint by itself: (T, J, 3, 3)."""
        axes = self.chain.axes
        return axes.swapaxes(1, 2) @ right_jacobian_inverse(quat.to_rotvec(self.pose.rotations)) @ axes

    @cached_property
    def joint_sizes(self) -> Floats:
        """d(joint) / d(sizes): (T, J, 3, G), each joint's from its parent's."""
        body = self.chain.body
        out = np.zeros((*self.positions.shape, len(body.size_names)))
        for j in range(1, len(body.names)):
            p = body.parents[j]
            out[:, j] = out[:, p]
            out[:, j, :, body.size_of[j]] += self.rotations[:, p] @ body.offsets[j]
        return out


class Chain:
    """A body's kinematics: who moves whom.

    `on_path` (J, J): joint k lies on the way from the root to joint j, or is j.
    `moves` (J, R): freedom r shifts joint j; `turns` (J, R): freedom r turns the bone of joint j.
    `axes` (J, 3, 3): each joint's axes of freedom as columns, zero where it has fewer than three;
    `columns` (J, 3): their places in a step, -1 where there is none; `pairs`: joint, a, b where both are.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        self.on_path = on_path = _paths(body)
        below = on_path & ~np.eye(len(body.names), dtype=bool)
        self.moves: Bools = below[:, body.freedom_joint]
        self.turns: Bools = on_path[:, body.freedom_joint]
        self.freedoms = 3 + len(body.freedom_joint)
        self.axes = np.zeros((len(body.names), 3, 3))
        self.columns = np.full((len(body.names), 3), -1)
        for r, (j, axis) in enumerate(zip(body.freedom_joint, body.freedom_axis, strict=True)):
            k = int((self.columns[j] >= 0).sum())
            self.axes[j, :, k], self.columns[j, k] = axis, 3 + r
        together = (self.columns[:, :, None] >= 0) & (self.columns[:, None] >= 0)
        self.pairs = np.nonzero(together)
        self._limbs: dict[Points, tuple[Limb, ...]] = {}

    def place(self, pose: Pose, sizes: Floats) -> Posed:
        """Forward kinematics of `pose` for a body of `sizes` (G,)."""
        offsets = self.body.sized_offsets(sizes)
        local = quat.to_matrix(pose.rotations)
        positions, rotations = np.empty((*local.shape[:2], 3)), np.empty_like(local)
        positions[:, 0], rotations[:, 0] = pose.root, local[:, 0]
        for j in range(1, len(self.body.names)):
            p = self.body.parents[j]
            positions[:, j] = positions[:, p] + rotations[:, p] @ offsets[j]
            rotations[:, j] = rotations[:, p] @ local[:, j]
        return Posed(self, pose, offsets, positions, rotations)

    def move(self, pose: Pose, step: Floats) -> Pose:
        """Apply a small change `step` (T, D) to `pose`."""
        turn = np.einsum("jik,tjk->tji", self.axes, self.by_joint(step))
        turned = quat.multiply(pose.rotations, quat.from_rotvec(turn))
        return Pose(pose.root + step[:, :3], quat.normalise(turned))

    def by_joint(self, values: Floats) -> Floats:
        """Sort values of the freedoms (..., D) by joint: (..., J, 3), filled up with zeros."""
        return np.where(self.columns >= 0, values[..., self.columns], 0.0)

    def limbs(self, points: Points) -> tuple[Limb, ...]:
        """Sort `points` into limbs that the same freedoms move."""
        if points not in self._limbs:
            if len(self._limbs) >= LIMBS_KEPT:
                self._limbs.clear()
            self._limbs[points] = _limbs(self, points)
        return self._limbs[points]


LIMBS_KEPT = 64


@dataclass(frozen=True)
class Limb:
    """Points `rows` (n,) that only the turning `freedoms` (f,) move, their `columns` (3 + f,) in a step.

    moves: (n, f) whether a freedom shifts the point's joint; turns: (M, n, f) whether it turns a bone of it.
    """

    rows: Ints
    freedoms: Ints
    columns: Ints
    moves: Floats
    turns: Floats


def _limbs(chain: Chain, points: Points) -> tuple[Limb, ...]:
    """Join each point to the smallest limb whose freedoms include its own; the longest chains come first."""
    turns = chain.turns[points.bones] & points.parts.any(axis=2)[..., None]
    felt = chain.moves[points.joint] | turns.any(axis=1)
    groups: list[tuple[Bools, list[int]]] = []
    for n in np.argsort(-felt.sum(axis=1), kind="stable"):
        homes = [group for group in groups if not (felt[n] & ~group[0]).any()]
        if homes:
            min(homes, key=lambda group: group[0].sum())[1].append(int(n))
        else:
            groups.append((felt[n], [int(n)]))
    return tuple(_limb(chain, points, turns, np.flatnonzero(f), np.array(rows)) for f, rows in groups)


def _limb(chain: Chain, points: Points, turns: Bools, freedoms: Ints, rows: Ints) -> Limb:
    columns = np.concatenate([np.arange(3), 3 + freedoms])
    moves = chain.moves[points.joint[rows]][:, freedoms].astype(float)
    return Limb(rows, freedoms, columns, moves, turns[rows][..., freedoms].swapaxes(0, 1).astype(float))


def locate(posed: Posed, points: Points) -> Floats:
    """Return the world positions (T, N, 3) of `points`."""
    return posed.positions[:, points.joint] + _arms(posed, points).sum(axis=2)


def derivative(posed: Posed, points: Points) -> Floats:
    """Return d(point) / d(step): (T, N, 3, D), exact at the current pose."""
    out = np.zeros((len(posed.pose), len(points), 3, posed.chain.freedoms))
    for limb in posed.chain.limbs(points):
        out[:, limb.rows[:, None], :, limb.columns] = limb_derivative(posed, points, limb).transpose(
            1, 3, 0, 2
        )
    return out


def limb_derivative(posed: Posed, points: Points, limb: Limb) -> Floats:
    """Return d(point) / d(step) of one limb's points and freedoms only: (T, n, 3, 3 + f)."""
    joint = posed.chain.body.freedom_joint[limb.freedoms]
    pivot = posed.positions[:, joint].transpose(2, 0, 1)[:, :, None]
    start = posed.positions[:, points.joint[limb.rows]].transpose(2, 0, 1)[..., None]
    arm = (start - pivot) * limb.moves
    arms = _arms(posed, points, limb.rows).transpose(2, 3, 0, 1)[..., None]
    for part, turns in zip(arms, limb.turns, strict=True):
        arm += part * turns
    axis = posed.axes[:, limb.freedoms].transpose(2, 0, 1)[:, :, None]
    out = np.zeros((len(posed.pose), len(limb.rows), 3, len(limb.columns)))
    out[..., :3] = np.eye(3)
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        np.subtract(axis[a] * arm[b], axis[b] * arm[a], out=out[:, :, k, 3:])
    return out


def size_derivative(posed: Posed, points: Points) -> Floats:
    """Return d(point) / d(sizes): (T, N, 3, G) for sizes in metres of stature.

    Offsets of the points themselves are held: they follow the stature, not a single bone.
    """
    return posed.joint_sizes[:, points.joint]


def _arms(posed: Posed, points: Points, rows: Ints | slice = slice(None)) -> Floats:
    """World vectors (T, N, M, 3) from the joint, one for each bone that carries the point."""
    return np.einsum("tnmij,nmj->tnmi", posed.rotations[:, points.bones[rows]], points.parts[rows])


def _paths(body: Body) -> Bools:
    """Whether joint k lies on the way from the root to joint j, both included: (J, J)."""
    path = np.eye(len(body.names), dtype=bool)
    for j in range(1, len(body.names)):
        path[j] |= path[body.parents[j]]
    return path


def right_jacobian_inverse(rotvec: Floats) -> Floats:
    """Return d log(exp(rotvec) exp(e)) / d e at e = 0: (..., 3, 3), for rotations of less than a full turn.

    Source: Sola, Deray and Atchuthan, A micro Lie theory (2018), eq. 144.
    """
    angle = np.linalg.norm(rotvec, axis=-1)
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    second = np.where(small, 1.0 / 12.0, (1.0 / safe - 0.5 / np.tan(0.5 * safe)) / safe)
    x = np.zeros((*rotvec.shape, 3))
    x[..., 0, 1], x[..., 0, 2], x[..., 1, 2] = -rotvec[..., 2], rotvec[..., 1], -rotvec[..., 0]
    x = x - np.swapaxes(x, -1, -2)
    return np.eye(3) + 0.5 * x + second[..., None, None] * (x @ x)
