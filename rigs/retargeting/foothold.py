"""A character's feet: the leg that carries each, and the points of its sole that stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.quat import FloatArray
from rigs.retargeting.limb import Limb
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import standing
from rigs.rig import Rig

HEEL_BACK, HEEL_DOWN = 0.3, 0.8  # of the foot's length and of the ankle's height: the heel from the ankle
NO_TOE = 1.6  # ankle heights: how far before the ankle the ball is, of feet without one


@dataclass(frozen=True, eq=False)
class Foot:
    """A leg, and points of its foot.

    ball_joint: the joint that carries the ball; ball, heel, tip: (3,) metres in the frames of that joint, of
    the ankle and of the ball's joint; heights: (3,) metres of the three above the floor when the foot stands.
    """

    limb: Limb
    ball_joint: int
    ball: FloatArray
    heel: FloatArray
    tip: FloatArray
    heights: FloatArray

    def points(self, pose: WorldPose) -> FloatArray:
        """Where ball, heel and tip are: (T, 3, 3) m."""
        where = []
        for joint, offset in (
            (self.ball_joint, self.ball),
            (self.limb.end, self.heel),
            (self.ball_joint, self.tip),
        ):
            where.append(pose.positions[:, joint] + quat.rotate(pose.rotations[:, joint], offset))
        return np.stack(where, axis=1)


def feet_of(rig: Rig) -> list[Foot]:
    """Return left and right foot of a rig; none if it has not both legs to the ankle."""
    return [foot for side in ("Left", "Right") if (foot := _foot(rig, side))]


def soles_of(rig: Rig, pose: WorldPose) -> tuple[FloatArray, FloatArray]:
    """Return left and right ball, left and right heel (T, 4, 3) m, and their heights (4,) m standing."""
    feet = feet_of(rig)
    points = [foot.points(pose) for foot in feet]
    where = np.stack([p[:, k] for k in (0, 1) for p in points], axis=1)
    return where, np.array([foot.heights[k] for k in (0, 1) for foot in feet])


def _foot(rig: Rig, side: str) -> Foot | None:
    """Measure a foot on the rest pose, in which it stands on the floor."""
    names, skeleton = rig.roles, rig.skeleton
    parts = [names.get(side + part) for part in ("UpLeg", "Leg", "Foot")]
    if None in parts:
        return None
    upper, middle, end = (skeleton.index(str(name)) for name in parts)
    pose = standing(rig)
    at, turned = pose.positions[0], pose.rotations[0]
    toe = names.get(f"{side}ToeBase")
    ball_joint = skeleton.index(toe) if toe else end
    ankle = at[end]
    ball = at[ball_joint] if toe else ankle + ankle[1] * np.array([0.0, -HEEL_DOWN, NO_TOE])
    ahead = (ball - ankle) * np.array([1.0, 0.0, 1.0])
    heel = ankle - HEEL_BACK * ahead - np.array([0.0, HEEL_DOWN * ankle[1], 0.0])
    tip = skeleton.tips.get(skeleton.names[ball_joint])
    tip = ball if tip is None or not toe else ball + quat.rotate(turned[ball_joint], tip)
    return Foot(
        limb=Limb(upper, middle, end, _back(turned[upper], np.array([0.0, 0.0, 1.0]))),
        ball_joint=ball_joint,
        ball=_back(turned[ball_joint], ball - at[ball_joint]),
        heel=_back(turned[end], heel - ankle),
        tip=_back(turned[ball_joint], tip - at[ball_joint]),
        heights=np.array([ball[1], heel[1], tip[1]]),
    )


def _back(turn: FloatArray, v: FloatArray) -> FloatArray:
    """Return a world vector (3,) in a frame that is turned by `turn`."""
    return quat.rotate(quat.conjugate(turn), v)
