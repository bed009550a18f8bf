"""Which places of the body the lifter foretells: joint centres, and landmarks where they sit on the body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocap.attach import Attachment
from rigs.solving.body import Body
from rigs.solving.kinematics import Points

SIDES = ("left", "right")
PARTS = ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
JOINTS = tuple(side + part for part in PARTS for side in ("Left", "Right"))
LANDMARKS = (
    "nose",
    *(f"{side}_{name}" for name in ("ear", "pinky", "index", "heel", "foot_index") for side in SIDES),
)
NAMES = JOINTS + LANDMARKS
START = {name: k for k, name in enumerate(JOINTS)} | {
    f"{side}Toe": NAMES.index(f"{side.lower()}_foot_index") for side in ("Left", "Right")
}  # what `rigs.solving.initial.initial_pose` starts from
LIMBS = 12  # of the first points, those that joint errors are reported of
HIPS = (JOINTS.index("LeftUpLeg"), JOINTS.index("RightUpLeg"))
CONTACTS = ("left heel", "left toe", "right heel", "right toe")
SOLES = np.array([1, 3, 0, 2])  # which of them are the points of `rigs.solving.ground.soles`
CONTACT_MIRROR = np.array([2, 3, 0, 1])


def mirror() -> NDArray[np.intp]:
    """Return which point (N,) takes each one's place in a mirror."""
    return np.array([NAMES.index(_other(name)) for name in NAMES])


def points_of(body: Body, attachment: Attachment, stature: float) -> Points:
    """Return the N points on a body of `stature` metres."""
    joint = [body.index(name) for name in JOINTS]
    where = [attachment.names.index(name) for name in LANDMARKS]
    centres = np.zeros((len(JOINTS), len(body.names), 3))
    return Points(
        np.array([*joint, *attachment.joint[where]]),
        np.concatenate([centres, attachment.offsets[where] * stature]),
    )


def _other(name: str) -> str:
    for a, b in (("Left", "Right"), ("Right", "Left"), ("left_", "right_"), ("right_", "left_")):
        if name.startswith(a):
            return b + name.removeprefix(a)
    return name
