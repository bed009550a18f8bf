"""Left and right that a detector exchanged: found over time and over views, and put back.

Detectors are sure of themselves when they swap sides, so no confidence tells. Two things do: an exchanged
limb jumps in its own view, and its rays miss those of the same limb in the other views. For the arms and the
legs each, a hidden state "swapped" per view and frame is decoded over the whole clip (Viterbi 1967), jointly
for up to `BLOCK` views; more views are decoded in blocks, each given the others, until nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.observations import Observations

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FOLLOWS = {"head": "arms"}  # too narrow to tell by itself
BLOCK = 6  # views decoded jointly: 2^6 states
NOISE = 0.025  # scatter of a landmark, of the person's height in the image
JUMP = 0.04  # movement of a landmark in 1/30 s, likewise
SURE = 9.0  # squared deviations at which a landmark's evidence is full
EVIDENCE = 0.3  # what a frame's view-to-view evidence counts: errors are alike for about three frames
SWAPPED = 0.4  # cost of a swapped frame: sides are right unless something says otherwise
TWIST, TWIST_OF_SEVERAL = 1.5, 3.0  # cost of hips that face away from the shoulders: one view, and several
CHANGE = 6.0  # cost of beginning or ending a swap


@dataclass(frozen=True)
class Swaps:
    """Which frames were exchanged: limb -> (V, T) bool."""

    names: tuple[str, ...]
    swapped: dict[str, Bools]

    def count(self) -> dict[str, dict[str, int]]:
        """Exchanged frames by view and limb, and `whole` where arms and legs are exchanged together."""
        legs, arms = self.swapped["legs"], self.swapped["arms"]
        kinds = {"whole": legs & arms, "legs": legs & ~arms, "arms": arms & ~legs}
        return {name: {k: int(m[v].sum()) for k, m in kinds.items()} for v, name in enumerate(self.names)}


def repair_swaps(seen: Observations, cameras: Cameras | None) -> tuple[Observations, Swaps]:
    """Put exchanged sides back.

    Args:
        seen: what the views saw.
        cameras: the views' cameras, or None when there is one view or no calibration: then only continuity
            over time speaks.

    Returns:
        The repaired observations and what was exchanged.
    """
    arms = _decode(seen, cameras, "arms")
    swaps = Swaps(seen.names, {"legs": _decode(seen, cameras, "legs", _twist(seen, arms)), "arms": arms})
    return exchange(seen, swaps), swaps


def exchange(seen: Observations, swaps: Swaps) -> Observations:
    """Exchange left and right where `swaps` says so; twice is as never."""
    mask = np.zeros(seen.confidence.shape, bool)
    for limb, rows in seen.layout.groups.items():
        source = FOLLOWS.get(limb, limb)
        if source in swaps.swapped:
            mask[:, :, rows] |= swaps.swapped[source][..., None]
    return seen.with_sides(mask)


def _twist(seen: Observations, arms: Bools) -> Floats:
    """Cost (V, T) of legs exchanged in a view: hips that would face away from the shoulders.

    The detector's own 3D guess is held against itself, with the arms put right; those are surer where several
    views tell them.
    """
    if seen.world is None:
        return np.zeros(arms.shape)
    hips, shoulders = (_across(seen, joint) for joint in ("hip", "shoulder"))
    facing = (hips * shoulders).sum(axis=-1) * np.where(arms, -1.0, 1.0)
    return (TWIST if len(seen.names) == 1 else TWIST_OF_SEVERAL) * np.nan_to_num(facing)


def _across(seen: Observations, joint: str) -> Floats:
    """Unit vectors (V, T, 3) from the right to the left joint in the detector's 3D guess, level."""
    left, right = (seen.layout.index(f"{side}_{joint}") for side in ("left", "right"))
    assert seen.world is not None
    line = (seen.world[:, :, left] - seen.world[:, :, right])[..., [0, 2]]
    return np.asarray(line / np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-9))


def _decode(seen: Observations, cameras: Cameras | None, limb: str, lean: Floats | None = None) -> Bools:
    """Decode one limb; `lean` (V, T) is an extra cost of being exchanged."""
    left, right = _pairs(seen, limb)
    size = _heights(seen)
    stay, change = _continuity(seen, left, right, size)
    views = len(seen.names)
    agree = np.zeros((views, views, seen.frames))
    if cameras is not None and views > 1:
        agree = _disagreement(seen, cameras, left, right, size)
    lean = np.zeros((views, seen.frames)) if lean is None else lean
    swapped = np.zeros((views, seen.frames), bool)
    blocks = [list(range(k, min(k + BLOCK, views))) for k in range(0, views, BLOCK)]
    for _ in range(1 if len(blocks) == 1 else 5):
        before = swapped.copy()
        for block in blocks:
            swapped[block] = _viterbi(block, swapped, agree, stay, change, lean)
        if (before == swapped).all():
            break
    return swapped


def _pairs(seen: Observations, limb: str) -> tuple[list[int], list[int]]:
    mirror = seen.layout.mirror
    left = [j for j in seen.layout.groups[limb] if j < mirror[j]]
    return left, [int(mirror[j]) for j in left]


def _heights(seen: Observations) -> Floats:
    """The person's extent in each image (V, T), pixels; where nobody is seen, the view's median."""
    extent = seen.heights()
    typical = [np.nanmedian(row) if np.isfinite(row).any() else 1.0 for row in extent]
    return np.where(np.isfinite(extent), extent, np.array(typical)[:, None])


def _evidence(square: Floats, weight: Floats) -> Floats:
    """Sum over landmarks (last axis) of squared deviations, each held at SURE, weighted by confidence."""
    return (np.minimum(np.where(weight > 0, square, 0.0), SURE) * weight).sum(axis=-1)


def _continuity(seen: Observations, left: list[int], right: list[int], size: Floats) -> tuple[Floats, Floats]:
    """Cost of the landmarks' steps to the next frame if the sides stay, or change: (V, T - 1) each."""
    confidence = np.minimum(seen.confidence[:, :, left], seen.confidence[:, :, right])
    weight = np.minimum(confidence[:, 1:], confidence[:, :-1])
    sd = (JUMP * size[:, 1:] * np.hypot(0.5, 30.0 / float(seen.fps)))[..., None]

    def step(a: list[int], b: list[int]) -> Floats:
        square = ((seen.pixels[:, 1:, a] - seen.pixels[:, :-1, b]) ** 2).sum(axis=-1) / sd**2
        return _evidence(square, weight)

    return step(left, left) + step(right, right), step(left, right) + step(right, left) + CHANGE


def _disagreement(
    seen: Observations, cameras: Cameras, left: list[int], right: list[int], size: Floats
) -> Floats:
    """How much more two views disagree if they name the sides alike than if not: (V, V, T)."""
    views = len(seen.names)
    out = np.zeros((views, views, seen.frames))
    image = np.stack([c.undistort(p) for c, p in zip(cameras, seen.pixels, strict=True)])
    focal = np.array([c.K[0, 0] for c in cameras])
    sd = NOISE * size / focal[:, None]
    for v in range(views):
        for w in range(v):
            essential = _essential(cameras[v].camera_from_world, cameras[w].camera_from_world)

            def cost(a: list[int], b: list[int], v: int = v, w: int = w, e: Floats = essential) -> Floats:
                square = _epipolar_square(e, image[v][:, a], image[w][:, b], sd[v], sd[w])
                return _evidence(square, np.minimum(seen.confidence[v][:, a], seen.confidence[w][:, b]))

            alike = cost(left, left) + cost(right, right)
            crossed = cost(left, right) + cost(right, left)
            out[v, w] = out[w, v] = EVIDENCE * (alike - crossed)
    return out


def _essential(first: Floats, second: Floats) -> Floats:
    """Essential matrix: x_second^T E x_first = 0."""
    relative = second @ np.linalg.inv(first)
    x, y, z = relative[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(cross @ relative[:3, :3])


def _epipolar_square(essential: Floats, a: Floats, b: Floats, sd_a: Floats, sd_b: Floats) -> Floats:
    """Squared Sampson distance of points a, b (T, N, 2) in deviations (Hartley and Zisserman, eq. 11.9)."""
    a1 = np.concatenate([a, np.ones((*a.shape[:-1], 1))], axis=-1)
    b1 = np.concatenate([b, np.ones((*b.shape[:-1], 1))], axis=-1)
    line_b, line_a = a1 @ essential.T, b1 @ essential
    algebraic = (b1 * line_b).sum(axis=-1)
    spread_b = (line_b[..., :2] ** 2).sum(axis=-1) * sd_b[:, None] ** 2
    spread_a = (line_a[..., :2] ** 2).sum(axis=-1) * sd_a[:, None] ** 2
    return np.nan_to_num(algebraic**2 / np.maximum(spread_a + spread_b, 1e-18))


def _viterbi(
    block: list[int], swapped: Bools, agree: Floats, stay: Floats, change: Floats, lean: Floats
) -> Bools:
    """Decode the views of `block` jointly, the others as they are: (len(block), T) bool."""
    state = (np.arange(2 ** len(block))[:, None] >> np.arange(len(block))) & 1  # (S, B)
    cost = _frame_costs(block, state, swapped, agree) + lean[block].T @ state.T
    flip = np.arange(len(state))[:, None] ^ (1 << np.arange(len(block)))  # (S, B)
    frames = swapped.shape[1]
    turned = np.zeros((frames, len(block), len(state)), bool)
    best = cost[0]
    for t in range(1, frames):
        for k, view in enumerate(block):
            kept, changed = best + stay[view, t - 1], best[flip[:, k]] + change[view, t - 1]
            turned[t, k] = changed < kept
            best = np.minimum(kept, changed)
        best = best + cost[t]
    return _trace(int(np.argmin(best)), turned, flip, state)


def _frame_costs(block: list[int], state: NDArray[np.int64], swapped: Bools, agree: Floats) -> Floats:
    """Cost of each joint state in each frame: (T, S)."""
    frames = swapped.shape[1]
    cost = np.repeat(SWAPPED * state.sum(axis=1)[None].astype(float), frames, axis=0)
    sign = 1.0 - 2.0 * state  # +1 as named, -1 exchanged
    outside = [v for v in range(len(swapped)) if v not in block]
    for k, v in enumerate(block):
        for m, w in enumerate(block[:k]):
            cost += 0.5 * agree[v, w][:, None] * (sign[:, k] * sign[:, m])[None]
        for w in outside:
            cost += 0.5 * (agree[v, w] * (1.0 - 2.0 * swapped[w]))[:, None] * sign[:, k][None]
    return cost


def _trace(last: int, turned: Bools, flip: NDArray[np.int64], state: NDArray[np.int64]) -> Bools:
    frames, views = turned.shape[:2]
    out = np.zeros((views, frames), bool)
    current = last
    for t in range(frames - 1, -1, -1):
        out[:, t] = state[current].astype(bool)
        if t:
            for k in range(views - 1, -1, -1):
                if turned[t, k, current]:
                    current = int(flip[current, k])
    return out
