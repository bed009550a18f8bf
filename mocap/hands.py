"""Hands of solved people: looked for in the videos where the wrists are, solved, and put on the arms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mocap.animate import Animated
from mocap.camerawork import steadied
from mocap.clock import at_ticks
from mocap.handplace import LEAST, MOST, RATE, SIDES, hand_regions, hand_regions_seen, worth_looking
from mocap.handsight import Sight, Wrist, sight_of
from mocap.handsolve import SolvedHand, solve_hand
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.scene import Wrists
from mocap.solving import Solved
from rigs.motion import Motion
from rigs.solving.graft import graft
from rigs.solving.twist import share_twist

Floats = NDArray[np.float64]

Hands = Literal["auto", "always", "never"]

# Metres that the three joints of a finger are off about the wrist, root mean square, where the hand is seen
# and where it is relaxed: measured on rendered people (`benchmarks/hands.py`).
FINGER_SD = ((0.023, 0.024, 0.032), (0.025, 0.033, 0.054))
# Metres by which the body solved once more may miss wrists that hands show. These err by 13 to 20 mm, others
# by 14 to 18; of 5, 10 and 20 mm, tried on three clips, the second bends elbows best at no cost to wrists.
WRIST_SD = 0.010
FOREARM = 0.5  # of the twist between elbow and hand that the forearm takes

Look = Callable[[Mapping[str, Floats]], Mapping[str, Keypoints2D]]


@dataclass(frozen=True, eq=False)
class Handed:
    """A person's motion with fingers.

    solved: without, but with what hands tell of wrists. seen: (T, 2) whether a view saw the left and right
    hand. joint_sd: (T, J) metres that each joint may be off, if that is known of the body.
    """

    solved: Solved
    motion: Motion
    seen: NDArray[np.bool_]
    joint_sd: Floats | None = None

    def record(self) -> dict[str, Any]:
        """For the quality record: the share of frames in which each hand was seen."""
        return {
            "hands_seen_share": dict(zip(("left", "right"), self.seen.mean(axis=0).tolist(), strict=True))
        }


def with_hands(
    solved: Sequence[Solved],
    keypoints: Mapping[str, Keypoints2D],
    offsets: Floats,
    look: Look,
    mode: Hands = "auto",
    known: bool = False,
) -> list[Handed]:
    """Give people hands.

    Args:
        solved: the people, without.
        keypoints: what was detected in each view, in the order of the cameras; for the times of its frames.
        offsets: (V,) seconds to add to these.
        look: finds hands in all views, given where to look in each (see `mocap.detect.hands.Hands`).
        mode: "auto" looks where hands are large enough to be seen, "always" everywhere and twice as often,
            "never" nowhere.
        known: whether statures were given.

    Returns:
        For each person: fingers solved where they were seen, relaxed elsewhere.
    """
    shift = dict(zip(keypoints, offsets.tolist(), strict=True))
    found = {} if mode == "never" else look(_regions(solved, keypoints, offsets, mode))
    looked = _Looked(found, shift, _least_and_rate(mode)[1])
    return [_handed(one, person, looked, known) for person, one in enumerate(solved)]


@dataclass(frozen=True, eq=False)
class _Looked:
    """Everybody's hands by view, seconds to add to each view's times, and looks a second."""

    views: Mapping[str, Keypoints2D]
    offsets: Mapping[str, float]
    rate: float


def _least_and_rate(mode: Hands) -> tuple[float, float]:
    """The smallest side of a square that is looked at, pixels, and looks a second."""
    return (LEAST, RATE) if mode == "auto" else (0.0, MOST)


def _regions(
    solved: Sequence[Solved], keypoints: Mapping[str, Keypoints2D], offsets: Floats, mode: Hands
) -> dict[str, Floats]:
    """By view, where the hands of all people are in each of its frames (T, P, 2, 4)."""
    least, rate = _least_and_rate(mode)
    out = {}
    for v, (name, view) in enumerate(keypoints.items()):
        people = [_regions_of(one, view, v, float(offsets[v]), least) for one in solved]
        where = np.stack(people, axis=1)
        where[~worth_looking(view.times, rate)] = np.nan
        out[name] = where
    return out


def regions_of_lone_view(
    seen: Observations, keypoints: Mapping[str, Keypoints2D], offset: float, mode: Hands
) -> dict[str, Floats]:
    """Where `with_hands` will look for the hands of one person before one view; no solve is needed for it.

    Args:
        seen: the person, as the solve is given it.
        keypoints: what was detected in the view.
        offset: seconds to add to its times.
        mode: as for `with_hands`; not "never".
    """
    least, rate = _least_and_rate(mode)
    ((name, view),) = keypoints.items()
    where = hand_regions_seen(seen, view.size, _frames_of(view, seen, offset), least)[:, None]
    where[~worth_looking(view.times, rate)] = np.nan
    return {name: where}


def _regions_of(one: Solved, view: Keypoints2D, number: int, offset: float, least: float) -> Floats:
    frames = _frames_of(view, one.seen, offset)
    if len(one.seen.names) == 1:
        return hand_regions_seen(one.seen, view.size, frames, least)
    motion, stature = one.animated.motion, one.animated.stature
    return hand_regions(motion, stature, one.cameras[number], view.size, frames, least)


def _frames_of(view: Keypoints2D, seen: Observations, offset: float) -> Floats:
    """Where frames (T,) of a view lie on the clock of what was seen, in its frames."""
    return np.asarray((view.times + offset - seen.start) * float(seen.fps))


def _handed(one: Solved, person: int, looked: _Looked, known: bool) -> Handed:
    motion, hands = one.animated.motion, []
    positions, rotations = motion.world()
    for side in SIDES:
        hand, arm = (motion.skeleton.index(f"{side}{bone}") for bone in ("Hand", "ForeArm"))
        at, turned, arm_turned = positions[:, hand], rotations[:, hand], rotations[:, arm]
        stature, fps = one.animated.stature, float(motion.fps)
        wrist = Wrist(side == "Left", at, turned, arm_turned, stature, known, fps)
        hands.append(solve_hand(wrist, _sight(one, person, wrist, looked)))
    solved = _with_wrists(one, hands)
    parts = {f"{s}Hand": (hand.skeleton, hand.rotations) for s, hand in zip(SIDES, hands, strict=True)}
    motion = graft(solved.animated.motion, parts)
    for side in SIDES:
        motion = share_twist(motion, f"{side}Hand", FOREARM)
    saw = np.stack([hand.seen for hand in hands], axis=1)
    return Handed(solved, motion, saw, _joint_sd(solved.animated, motion, saw))


def _with_wrists(one: Solved, hands: Sequence[SolvedHand]) -> Solved:
    """The person solved once more with the wrists that several views' hands show."""
    seen = np.stack([hand.seen for hand in hands], axis=1)
    if len(one.cameras) == 1 or one.animated.again is None or not seen.any():
        return one  # a lone view's hands are held against its own wrists, and say nothing of them
    at = np.stack([hand.wrist for hand in hands], axis=1)
    return replace(one, animated=one.animated.again(Wrists(at, np.where(seen, WRIST_SD, np.inf))))


def _joint_sd(body: Animated, whole: Motion, seen: NDArray[np.bool_]) -> Floats | None:
    """How far each joint may be off (T, J): the body's as they were, a finger's about its hand."""
    if body.joint_sd is None:
        return None
    columns = []
    for name in whole.skeleton.names:
        if name in body.motion.skeleton.names:
            columns.append(body.joint_sd[:, body.motion.skeleton.index(name)])
            continue
        side, joint = SIDES.index(name.partition("Hand")[0]), int(name[-1]) - 1
        about = np.where(seen[:, side], FINGER_SD[0][joint], FINGER_SD[1][joint])
        hand = body.motion.skeleton.index(f"{SIDES[side]}Hand")
        columns.append(np.hypot(body.joint_sd[:, hand], about))
    return np.stack(columns, axis=1)


def _sight(one: Solved, person: int, wrist: Wrist, looked: _Looked) -> Sight:
    if not looked.views:
        return Sight.nothing(len(wrist.at))
    shifts = [looked.offsets[name] for name in looked.views]
    found = at_ticks(looked.views, one.seen.times, one.seen.fps, shifts, person)
    if one.turns is not None:
        found = steadied(found, one.cameras[0], one.turns)
    return sight_of(found, one.cameras.select(list(looked.views)), wrist, looked.rate)
