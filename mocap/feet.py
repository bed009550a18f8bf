"""What feet do in a motion: when heels and balls stand, on what, and the terms that keep the solve to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.contact import Contacts, find_contacts
from rigs.motion import Motion
from rigs.solving.body import Body, load_body
from rigs.solving.ground import soles
from rigs.solving.kinematics import Chain, Points, Pose, locate
from rigs.solving.terms import Held, Stood, Term

Floats = NDArray[np.float64]

Feet = Literal["auto", "always", "never", "ground"]
FEET: tuple[Feet, ...] = get_args(Feet)

HOLD_SD = 0.004  # m/s of a standing point
HEIGHT_SD = 0.006  # metres: how far the plants of one person differ in height
USUAL_SD = 0.004  # of stature: of the height of standing balls, from person to person
SEEN_SD = 0.005  # of stature: of a person's own as solved
FEW = 0.2  # seconds of plants that tell nothing of a person's own height
FAST, FAST_SPAN = 0.45, 0.2  # m/s, over so many seconds: a step
ELSEWHERE = 0.15  # metres from the beginning to the end of a plant that hides a step
# m/s, over so many seconds: a heel that rolls off its place, or onto it, and is not held then. From 0.07 to
# 0.2 m/s feet come out alike, contacts best at 0.1.
ROLLING, ROLLING_SPAN = 0.1, 0.1
UNSURE = 1e-4  # times its full hold, what a plant holds with at the very edge
LOWEST = 0.5  # of the height of a standing sole: below that none goes
# What heights and speeds of soles say is right where they are known to this share of stature. Of held-out
# people seen by two views, or by changing ones, it is too sure where they are known less, else not enough.
KNOWN, LEAST_TRUST, MOST_TRUST = 0.0223, 0.2, 1.7
TOE_BEND = np.deg2rad(65.0)  # most that toes bend up


@dataclass(frozen=True, eq=False)
class Stance:
    """How a person's feet stand: contacts, and heights (4,) m of the soles' points on what they stand on.

    edge: seconds within its ends in which a plant is not sure yet; there it holds by ever less.
    """

    contacts: Contacts
    standing: Floats
    edge: float = 0.0

    def where(self, seen: NDArray[np.bool_]) -> Stance:
        """The same, but that no point stands in frames in which it is not `seen` (T, 4)."""
        return replace(self, contacts=Contacts(np.where(seen, self.contacts.level, np.nan)))

    def terms(self, points: Points, start: int, stop: int, fps: float, frame_weight: float) -> list[Term]:
        """Return the terms for frames [start, stop) of the points of `rigs.solving.ground.soles`.

        Balls have a height when they stand; heels do not, as a shoe's heel is as high as it likes.
        """
        level = self.contacts.level[start:stop]
        hold = np.isfinite(level[1:] + level[:-1]) * self._sure(fps)[start : stop - 1] * frame_weight
        height = level + np.where(np.arange(len(points)) < 2, self.standing, np.nan)
        return [
            Held(points, hold, HOLD_SD, fps),
            Stood(points, height, LOWEST * self.standing, HEIGHT_SD, frame_weight),
        ]

    def _sure(self, fps: float) -> Floats:
        """By how much plants hold from each frame to the next (T - 1, 4): one, and less at their edges."""
        sure = np.ones((len(self.contacts.level) - 1, len(self.standing)))
        if self.edge == 0.0:
            return sure
        for plant in self.contacts.plants:
            inside = np.arange(plant.stop - plant.start - 1)
            first = inside + (len(sure) if plant.start == 0 else 0)
            last = inside[::-1] + (len(sure) if plant.stop == len(sure) + 1 else 0)
            within = np.minimum(first, last) / (self.edge * fps)
            sure[plant.start : plant.stop - 1, plant.point] = UNSURE ** np.maximum(1 - within, 0.0)
        return sure


def find_stance(
    body: Body,
    stature: float,
    sizes: Floats,
    pose: Pose,
    fps: float,
    feet: Feet,
    doubt: Floats,
    told: Floats | float = 0.0,
) -> Stance:
    """Find when and on what the feet of a solved person stand.

    Args:
        body: of the person.
        stature: metres.
        sizes: (G,) metres of stature.
        pose: T frames, solved without plants.
        fps: frames a second.
        feet: "always" is lenient.
        doubt: (T, J) m that each joint may be off.
        told: (T, 4) log odds of standing that are known besides.
    """
    points, standing = soles(body, stature)
    positions = locate(Chain(body).place(pose, sizes), points)
    trust = np.clip(KNOWN * stature / doubt[:, points.joint], LEAST_TRUST, MOST_TRUST)
    contacts = find_contacts(positions, standing, fps, feet == "always", trust, told)
    contacts = Contacts(np.where(rolling(positions, fps), np.nan, contacts.level))
    seen = positions[:, :2, 1][contacts.level[:, :2] == 0]
    if len(seen) > FEW * fps:
        standing[:2] = _own_height(standing[0], float(np.median(seen)))
    return Stance(contacts, standing)


def rolling(positions: Floats, fps: float) -> NDArray[np.bool_]:
    """Whether each sole (T, 4) is a heel that rolls: a plant that goes on meanwhile would drag the leg along.

    Args:
        positions: (T, 4, 3) m of the soles, y up.
        fps: frames a second.
    """
    heels = np.arange(4) >= 2
    return np.asarray((_speeds(positions, ROLLING_SPAN, fps) > ROLLING) & heels)


def between_steps(contacts: Contacts, positions: Floats, fps: float) -> NDArray[np.bool_]:
    """Whether each sole (T, 4) is fast within a plant that ends elsewhere than it began: it is two.

    Args:
        contacts: T frames.
        positions: (T, 4, 3) m of the soles, y up.
        fps: frames a second.
    """
    flat = positions[..., [0, 2]]
    fast = _speeds(flat, FAST_SPAN, fps) > FAST
    out = np.zeros(fast.shape, bool)
    for plant in contacts.plants:
        path = flat[plant.frames, plant.point]
        end = max(1, len(path) // 4)
        if np.linalg.norm(path[-end:].mean(axis=0) - path[:end].mean(axis=0)) > ELSEWHERE:
            out[plant.frames, plant.point] = fast[plant.frames, plant.point]
    return out


def with_own_heels(standing: Floats, positions: Floats, contacts: Contacts, fps: float) -> Floats:
    """Heights (4,) m of standing soles; of heels their own, when the foot stands flat on the floor.

    Shoes raise heels as much as they like, and where an ankle is in a foot differs from person to person.

    Args:
        standing: (4,) m, of the soles.
        positions: (T, 4, 3) m of the soles in the solved motion, y up.
        contacts: when they stand.
        fps: frames a second.
    """
    flat = (contacts.level[:, :2] == 0) & (contacts.level[:, 2:] == 0)
    above = positions[:, 2:, 1] - standing[2:]
    out = standing.copy()
    for foot in range(2):
        own = np.arange(2) == foot
        for frames in (flat & own, flat):  # the other foot's will do if this one hardly stands flat
            if frames.sum() > FEW * fps:
                out[2 + foot] += np.median(above[frames])
                break
    return out


def _speeds(paths: Floats, span: float, fps: float) -> Floats:
    """(T, N) m/s of paths (T, N, D) m, over `span` s about each frame."""
    frames, half = np.arange(len(paths)), max(1, round(span / 2 * fps))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(paths) - 1)
    way = np.linalg.norm(paths[after] - paths[before], axis=-1)
    return np.asarray(way * fps / np.maximum(after - before, 1)[:, None])


def _own_height(usual: float, seen: float) -> float:
    """Height (m) of a person's balls standing: what is usual and what was solved, by their certainty.

    Shoes differ, and a detector sees each person's feet a little too high or low; all his plants alike.
    """
    share = USUAL_SD**2 / (USUAL_SD**2 + SEEN_SD**2)
    return max(usual + share * (seen - usual), LOWEST * usual)


def put_down(motion: Motion, stature: float) -> Motion:
    """Move the whole body up or down in every frame so that the lowest sole is on the floor."""
    _, standing = soles(load_body(), stature)
    above = (soles_of(motion, stature)[..., 1] - standing).min(axis=1)
    root = motion.root - above[:, None] * (0.0, 1.0, 0.0)
    return Motion(motion.skeleton, motion.rotations, root, motion.fps)


def bend_toes(motion: Motion, stature: float) -> Motion:
    """Bend toes up by as little as keeps their tips off the floor (y = 0), as they bend on it.

    The solve holds toes straight: a detector's one point on them does not tell their bend from the foot's
    pitch. Of a toe with forward axis f and upward axis u, bent by a, the tip is f_y cos a + u_y sin a of its
    length above the ball.
    """
    positions, rotations = motion.world()
    lowest = LOWEST * soles(load_body(), stature)[1][0]
    bent = motion.rotations.copy()
    for name in ("LeftToeBase", "RightToeBase"):
        toe = motion.skeleton.index(name)
        forward, up = (quat.rotate(rotations[:, toe], axis)[:, 1] for axis in ((0, 0, 1.0), (0, 1.0, 0)))
        least = (lowest - positions[:, toe, 1]) / np.linalg.norm(motion.skeleton.tips[name])
        reach = np.maximum(np.hypot(forward, up), 1e-9)
        angle = np.arcsin(np.clip(least / reach, -1.0, 1.0)) - np.arctan2(forward, up)
        angle = np.where(forward < least, np.clip(angle, 0.0, TOE_BEND), 0.0)
        bent[:, toe] = quat.multiply(bent[:, toe], quat.from_rotvec(np.outer(angle, (-1.0, 0, 0))))
    return Motion(motion.skeleton, bent, motion.root, motion.fps)


def soles_of(motion: Motion, stature: float) -> Floats:
    """Return where soles are in a motion of our body: (T, 4, 3) m, as ordered by `rigs.solving.ground`."""
    points, _ = soles(load_body(), stature)
    return points.on(*motion.world())
