"""Contacts of heels and balls of feet with what they stand on: from how points move to plants.

Everything here takes positions over time only, so a solved body and a retargeted one are judged alike. Points
come in the order of `rigs.solving.ground.soles`: left ball, right ball, left heel, right heel.

A solved foot that stands still shows 40 to 70 mm/s of noise, as much as one that creeps, so no threshold on a
speed tells them apart. Heights, and speeds over spans of up to a quarter of a second before and after,
weighed together by logistic regression, do (`definitions/contact.yaml`, by `scripts/fit_contacts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rigs.data import load_data
from rigs.solving.body import Bools, Floats

KINDS = ("ball", "ball", "heel", "heel")
PARTNER = (2, 3, 0, 1)  # the other point of the same foot
OTHER_FOOT = ((1, 3), (0, 2), (1, 3), (0, 2))
AROUND = (-2 / 15, 0.0, 2 / 15)  # seconds at which heights are looked at
SPANS = (
    (-1 / 30, 1 / 30),
    (-0.1, 0.0),
    (0.0, 0.1),
    (-4 / 15, 0.0),
    (0.0, 4 / 15),
)  # s over which speeds are taken
LOWEST, HIGHEST = -0.1, 0.3  # metres; beyond them a height says no more
SLOWEST = 0.03  # m/s added before the logarithm: what a solved point shows at rest
EVIDENCE_RATE = 30.0  # frames a second that count as independent
SWITCH = 1.0  # log odds that a change of contact has to bring
LEAN = 0.8  # log odds for standing: a plant that is missed slides, a false one holds what hardly moves
LENIENT = 3.0  # log odds added where feet are to be planted whenever they are low and slow
CARRYING = 0.25  # seconds for which nobody stays up without the floor, but for leaps, in which feet move
# Metres up to which a plant is on the floor: of balls that stand 95 % are solved below 0.02 m; heels roll.
ON_FLOOR = (0.03, 0.03, 0.06, 0.06)

# What stands in a motion whose plants are held: it is slower than this (m/s), as taken over this time (s)
# before and after, and this near to what it stands on (metres): 0.03, and what it may be solved too high by.
SLOW, SLOW_SPAN, NEAR = 0.1, 1 / 30, 0.033
TOES = 0.08  # metres by which feet on their toes lift their balls, at most


@dataclass(frozen=True)
class Plant:
    """Point `point` stands in frames [start, stop)."""

    point: int
    start: int
    stop: int

    @property
    def frames(self) -> slice:
        """Its frames."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, eq=False)
class Contacts:
    """When points stand, and on what: level (T, N) m, the height of what carries each; NaN where nothing."""

    level: Floats

    @property
    def down(self) -> Bools:
        """Whether each point stands (T, N)."""
        return np.isfinite(self.level)

    @property
    def plants(self) -> list[Plant]:
        """All plants, by point, then by time."""
        return plants(self.down)


def find_contacts(
    positions: Floats,
    standing: Floats,
    fps: float,
    lenient: bool = False,
    trust: Floats | None = None,
    told: Floats | float = 0.0,
) -> Contacts:
    """Decide when feet stand, on the floor (y = 0) or on what else carries them.

    A point that is still above the floor stands on something if for part of that time the floor holds nothing
    of the body: so stairs and platforms are found, and a foot held still in the air beside a standing one is
    not taken for a plant, nor one that is low and still for so long that its height can be told.

    Args:
        positions: (T, 4, 3) metres, y up, in the order of `rigs.solving.ground.soles`.
        standing: (4,) metres, heights of the points above what they stand on.
        fps: frames a second.
        lenient: plant feet whenever they are low and slow.
        trust: (T, 4) how far heights and speeds may be believed; 1, as in the clips that the weights were
            fitted on, if None. They say that much less, and heights may be that much further off.
        told: (T, 4) log odds of standing that are known besides.
    """
    extra = told + (LENIENT if lenient else LEAN)
    trust = np.ones(positions.shape[:2]) if trust is None else trust
    heights = positions[..., 1] - standing
    low = heights * np.minimum(trust, 1.0)
    down = decode(evidence(positions, heights, fps) * trust + extra, fps)
    for plant in plants(down):
        if np.median(low[plant.frames, plant.point]) > ON_FLOOR[plant.point]:
            down[plant.frames, plant.point] = False
    level = np.where(down, 0.0, np.nan)
    lone = ~down.any(axis=1)
    for plant in plants(decode(evidence(positions, None, fps) * trust + told + LEAN, fps) & ~down):
        height = float(np.median(heights[plant.frames, plant.point]))
        if (
            np.median(low[plant.frames, plant.point]) > ON_FLOOR[plant.point]
            and _longest(lone[plant.frames]) >= CARRYING * fps
        ):
            level[plant.frames, plant.point] = height
    return Contacts(level)


def standing_still(positions: Floats, standing: Floats, held: Contacts, fps: float) -> Contacts:
    """When points stand in a motion in which plants are held: low and slow, held or not.

    A plant may hold a point that keeps still above what others stand on, and miss the frames around it.
    Who turns on his toes holds a ball of the foot still, and its heel never comes down to it: that ball does
    not stand.

    Args:
        positions: (T, 4, 3) metres, y up, in the order of `rigs.solving.ground.soles`.
        standing: (4,) metres, heights of the points above what they stand on.
        held: the plants.
        fps: frames a second.
    """
    frames, last = np.arange(len(positions)), len(positions) - 1
    before, after = np.maximum(frames - SLOW_SPAN * fps, 0), np.minimum(frames + SLOW_SPAN * fps, last)
    way = np.linalg.norm(_at(positions, after) - _at(positions, before), axis=-1)
    slow = way < SLOW * np.maximum(after - before, 1e-6)[:, None] / fps
    heights, level = positions[..., 1] - standing, np.nan_to_num(held.level)
    for plant in (plant for plant in held.plants if KINDS[plant.point] == "ball"):
        on = level[plant.frames, plant.point]
        above = heights[plant.frames, PARTNER[plant.point]] - on
        if on.max() < TOES and above.min() > NEAR:
            level[plant.frames, plant.point] = 0.0
    return Contacts(np.where(slow & (heights - level < NEAR), level, np.nan))


def evidence(positions: Floats, heights: Floats | None, fps: float) -> Floats:
    """Return log odds (T, 4) that each point stands, frame by frame.

    Args:
        positions: (T, 4, 3) metres, y up.
        heights: (T, 4) metres above where each point would be if it stood; None = judge by speeds alone.
        fps: frames a second.
    """
    table = _weights()
    odds = np.zeros(positions.shape[:2])
    for point, kind in enumerate(KINDS):
        weights = table[kind if heights is not None else f"still_{kind}"]
        odds[:, point] = features(positions, heights, fps, point) @ weights[1:] + weights[0]
    return odds


def features(positions: Floats, heights: Floats | None, fps: float, point: int) -> Floats:
    """Return what the evidence of a point is weighed from, (T, F); arguments as for `evidence`."""
    columns = _speeds(positions[:, point], fps) + _speeds(positions[:, PARTNER[point]], fps)
    if heights is not None:
        columns += _heights(np.clip(heights, LOWEST, HIGHEST), point, fps)
    values = np.stack(columns, axis=1)
    return np.concatenate([values, values**2], axis=1)


def decode(odds: Floats, fps: float, switch: float = SWITCH) -> Bools:
    """Turn log odds (T, N) into contacts (T, N): the likeliest course in which every change costs `switch`.

    Two states a point, decoded as a whole (Viterbi 1967), so a weak frame inside a plant does not end it.
    """
    gain = odds * min(1.0, EVIDENCE_RATE / fps)
    best = np.stack([np.zeros(odds.shape[1]), gain[0]])
    came = np.zeros((len(odds), 2, odds.shape[1]), bool)
    for t in range(1, len(odds)):
        came[t] = best[::-1] - switch > best
        best = np.where(came[t], best[::-1] - switch, best)
        best[1] += gain[t]
    state = best[1] > best[0]
    down = np.zeros(odds.shape, bool)
    for t in range(len(odds) - 1, -1, -1):
        down[t] = state
        state = state ^ np.where(state, came[t, 1], came[t, 0])
    return down


def plants(down: Bools) -> list[Plant]:
    """Return the plants in contacts (T, N), by point, then by time."""
    return [Plant(point, *run) for point in range(down.shape[1]) for run in _runs(down[:, point])]


def _runs(flags: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _longest(flags: Bools) -> int:
    return max((stop - start for start, stop in _runs(flags)), default=0)


def _speeds(path: Floats, fps: float) -> list[Floats]:
    """Logarithms of horizontal and vertical speed of a point (T, 3) over the spans, pushed into the clip."""
    columns, last = [], len(path) - 1
    for before, after in SPANS:
        width = min((after - before) * fps, last)
        start = np.clip(np.arange(len(path)) + before * fps, 0, last - width)
        speed = (_at(path, start + width) - _at(path, start)) * fps / max(width, 1e-6)
        columns.append(np.log(np.hypot(speed[:, 0], speed[:, 2]) + SLOWEST))
        columns.append(np.log(np.abs(speed[:, 1]) + SLOWEST))
    return columns


def _heights(heights: Floats, point: int, fps: float) -> list[Floats]:
    """Heights of the point and its partner around each frame, and how far it is above the other foot."""
    frames = np.arange(len(heights))
    columns = [_at(heights[:, p], frames + s * fps) for s in AROUND for p in (point, PARTNER[point])]
    return [*columns, heights[:, point] - heights[:, OTHER_FOOT[point]].min(axis=1)]


def _at(values: Floats, frames: Floats) -> Floats:
    """Values (T, ...) at `frames` (K,), between them if need be, held at the ends."""
    frames = np.clip(frames, 0, len(values) - 1)
    low = np.floor(frames + 1e-9).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    part = np.maximum(frames - low, 0.0).reshape(-1, *[1] * (values.ndim - 1))
    return values[low] + part * (values[high] - values[low])


@lru_cache
def _weights() -> dict[str, NDArray[np.float64]]:
    return {kind: np.array(row, float) for kind, row in load_data("contact")["weights"].items()}
