"""How a camera that is held by hand turns, and the straight edges it sees, from what is around the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from calibration.surroundings.edges import Edges, edges_before
from mocap.filming import Film
from mocap.observations import Observations
from rigs import quat

Floats = NDArray[np.float64]

LEAST_AHEAD = 0.2  # cosine off the axis beyond which no still camera sees
FEW = 8  # points
AROUND = 0.15  # of a person's box, around it, that is not looked at
STILL = 0.5  # pixels by which a point of a still camera moves at most
TRIES = 100  # pairs of points from which a turn is guessed
MOST = 0.5  # share of the steps in which a camera that stands is still
LEAST = np.deg2rad(2.0)  # a camera that turns by less stands
NEAR = 1.0  # pixels by which what stands still may miss its place after the turn


@dataclass(frozen=True, eq=False)
class Camerawork:
    """What a camera did: times (K,) s of the frames looked at; turns (K, 4), first camera from this one.

    still: share of the steps in which most of what is around the people does not move; agree (K - 1,): share
    of the points that moved as the turn says, NaN where there were too few; glimpses: times, s, and straight
    edges around the people then, in the camera's axes.
    """

    times: Floats
    turns: Floats
    still: float
    agree: Floats
    glimpses: Sequence[tuple[float, Edges]] = ()

    @property
    def moves(self) -> bool:
        """Whether the camera moves, and not only what is before it."""
        return self.still < MOST and self.range > LEAST

    @property
    def range(self) -> float:
        """Radians between the two directions in which it looked that differ most."""
        axes = quat.to_matrix(self.turns)[..., 2]
        return float(np.arccos(np.clip((axes @ axes.T).min(), -1.0, 1.0)))

    @property
    def agreement(self) -> float:
        """Share of what is around the people, median over time, that moves as before a turning camera."""
        known = self.agree[np.isfinite(self.agree)]
        return float(np.median(known)) if len(known) else 1.0

    @property
    def edges(self) -> Edges | None:
        """All straight edges, in the axes of the still camera of `at`, or of this one, which stands."""
        if not self.glimpses:
            return None
        times, seen = np.array([time for time, _ in self.glimpses]), [edges for _, edges in self.glimpses]
        if self.moves:
            seen = [edges.turned(turn) for edges, turn in zip(seen, self.at(times), strict=True)]
        return reduce(add, (edges.counting(1 / len(seen)) for edges in seen))

    def at(self, times: Floats) -> Floats:
        """Return turns (T, 3, 3) at times (T,) s: a still camera, that looks the mean way, from this one."""
        rows = np.interp(times, self.times, np.arange(len(self.times)))
        low = np.minimum(rows.astype(int), max(len(self.times) - 2, 0))
        high = np.minimum(low + 1, len(self.times) - 1)
        turns = quat.to_matrix(quat.slerp(self.turns[low], self.turns[high], rows - low))
        u, _, vt = np.linalg.svd(turns.mean(axis=0))
        mean = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        return np.asarray(mean.T @ turns)


def watch(film: Film, camera: Camera, boxes: Floats, times: Floats) -> Camerawork:
    """Tell what a camera did from what a film shows around the people.

    Args:
        film: of a video.
        camera: its lens.
        boxes: (T, P, 4) left, top, right and bottom of people, pixels, NaN where there is nobody.
        times: (T,) s of the boxes since the first frame.
    """
    turn = np.array([1.0, 0.0, 0.0, 0.0])
    when, turns, agree, still = [0.0], [turn], list[float](), list[float]()
    near = NEAR * film.pixel / float(camera.K[0, 0])

    def around(points: Floats, time: float) -> NDArray[np.bool_]:
        return _outside(points, boxes[int(np.abs(times - time).argmin())])

    for step in film.steps:
        free = around(step.before, step.times[0])
        before, after = step.before[free], step.after[free]
        share, rotation = np.nan, np.eye(3)
        if len(before) >= FEW:
            rotation, share = _turn(_rays(camera, before), _rays(camera, after), near)
            still.append(float(np.median(np.linalg.norm(after - before, axis=1))) < STILL * film.pixel)
        turn = quat.multiply(turn, quat.from_matrix(rotation))
        when.append(step.times[1])
        turns.append(turn)
        agree.append(share)
    glimpses = [
        (time, edges_before(camera, ends[around(ends.mean(axis=1), time)], film.sharp))
        for time, ends in film.glimpses
    ]
    share = float(np.mean(still)) if still else 1.0
    return Camerawork(np.array(when), np.array(turns), share, np.array(agree), glimpses)


def _outside(points: Floats, people: Floats) -> NDArray[np.bool_]:
    """Which points (N, 2) are not near people (P, 4)."""
    free = np.ones(len(points), bool)
    for box in people[np.isfinite(people).all(axis=1)]:
        margin = AROUND * max(box[2] - box[0], box[3] - box[1])
        free &= ((points < box[:2] - margin) | (points > box[2:] + margin)).any(axis=1)
    return free


def _rays(camera: Camera, points: Floats) -> Floats:
    """Directions (N, 3) of length one of points (N, 2), pixels."""
    flat = camera.undistort(points)
    rays = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))


def _turn(before: Floats, after: Floats, near: float) -> tuple[Floats, float]:
    """The rotation (3, 3) that takes most rays (N, 3) of the later camera onto the earlier, and their share.

    Random sample consensus (Fischler and Bolles 1981) over pairs, then least squares (Kabsch 1976).
    """
    rng = np.random.default_rng(0)
    pairs = np.stack([rng.choice(len(before), 2, replace=False) for _ in range(TRIES)])
    guesses = _fit(before[pairs], after[pairs])
    off = np.linalg.norm(after @ guesses.swapaxes(-1, -2) - before, axis=-1)
    inside = (off < near)[(off < near).sum(axis=1).argmax()]
    for _ in range(3):
        rotation = _fit(before[inside][None], after[inside][None])[0]
        again = np.linalg.norm(after @ rotation.T - before, axis=1) < near
        inside = again if again.sum() >= 2 else inside
    return rotation, float(inside.mean())


def _fit(onto: Floats, rays: Floats) -> Floats:
    """Rotations (K, 3, 3) that take rays (K, N, 3) onto others."""
    u, _, vt = np.linalg.svd(onto.swapaxes(-1, -2) @ rays)
    sign = np.linalg.det(u @ vt)
    u[..., :, 2] *= sign[:, None]
    return np.asarray(u @ vt)


def boxes_of(people: Sequence[Observations]) -> Floats:
    """Left, top, right and bottom (T, P, 4) of people in the first view, pixels; NaN where nobody is seen."""
    out = []
    for seen in people:
        points = seen.pixels[0][:, : len(seen.layout.detector)]
        known = np.isfinite(points)
        low = np.where(known, points, np.inf).min(axis=1)
        high = np.where(known, points, -np.inf).max(axis=1)
        box = np.concatenate([low, high], axis=1)
        out.append(np.where(np.isfinite(box), box, np.nan))
    return np.stack(out, axis=1)


def steadied(seen: Observations, camera: Camera, turns: Floats) -> Observations:
    """Return what a still camera of the same lens would have seen, but for the detector's guess.

    Args:
        seen: one view.
        camera: its lens.
        turns: (T, 3, 3) the still camera from the moving one, see `Camerawork.at`.
    """
    flat = camera.undistort(seen.pixels[0])
    rays = np.concatenate([flat, np.ones((*flat.shape[:2], 1))], axis=2) @ turns.swapaxes(1, 2)
    ahead = rays[..., 2] > LEAST_AHEAD * np.linalg.norm(rays, axis=-1)
    rays[~ahead] = np.nan
    still = replace(camera, camera_from_world=np.eye(4))
    return replace(
        seen,
        pixels=still.project(rays)[None],
        confidence=np.where(ahead, seen.confidence[0], 0.0)[None],
        detected=None,
    )
