"""How a character stands at rest: which way is up and forward, and whether in a T-pose or an A-pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.rig import Rig
from rigs.solving.body import Floats

T_POSE = np.radians(22.0)  # arms hang less than this below the horizontal
A_POSE = np.radians(75.0)  # and less than this in an A-pose
_AXES = np.concatenate([np.eye(3), -np.eye(3)])
_CLEARLY = 0.3  # cosine
_NEAR_AXIS = np.cos(np.radians(35.0))


@dataclass(frozen=True)
class Stand:
    """The frame of a standing body: unit vectors (3,) up, to its left and forward.

    straight: 0 to 1, how much it looks like a T- or A-pose; backward: its toes say that left is right.
    """

    up: Floats
    left: Floats
    forward: Floats
    straight: float
    backward: bool

    @property
    def turn(self) -> FloatArray:
        """The rotation (4,) that stands it upright, facing +z."""
        return quat.conjugate(quat.from_matrix(np.stack([self.left, self.up, self.forward], axis=1)))


def find_stand(at: Mapping[str, Floats]) -> Stand:
    """Return how a body stands whose parts are at these places (3,), by our names.

    Up is from the feet over the hips to the head, left as the names of legs and arms say. Both are taken to
    be along an axis where one is near.
    """
    feet = (at["LeftFoot"] + at["RightFoot"]) / 2.0
    up = _nearest_axis(_unit(_unit(at["Hips"] - feet) + _unit(_top(at) - at["Hips"])))
    pairs = [at[f"Left{part}"] - at[f"Right{part}"] for part in ("UpLeg", "Arm", "Foot")]
    across = np.sum([_unit(pair) for pair in pairs], axis=0)
    left = _nearest_axis(_unit(across - up * (across @ up)))
    left = _unit(left - up * (left @ up))
    forward = np.cross(left, up)
    backward = float(_toes(at) @ forward) < -_CLEARLY
    return Stand(up, left, forward, _straightness(at, up, left), backward)


def _top(at: Mapping[str, Floats]) -> Floats:
    return at["Head"] if "Head" in at else at["Neck"]


def _toes(at: Mapping[str, Floats]) -> Floats:
    """Where toes point from the feet; nowhere where there are none."""
    sides = [side for side in ("Left", "Right") if f"{side}ToeBase" in at]
    toes = [_unit(at[f"{side}ToeBase"] - at[f"{side}Foot"]) for side in sides]
    return np.mean(toes, axis=0) if toes else np.zeros(3)


def _straightness(at: Mapping[str, Floats], up: Floats, left: Floats) -> float:
    """How much a pose looks like a T- or A-pose: straight limbs, upright, both sides alike. 0 to 1."""
    top = _top(at)
    marks = [float(_unit(top - at["Hips"]) @ up)]
    height = float(np.linalg.norm(top - (at["LeftFoot"] + at["RightFoot"]) / 2.0)) or 1.0
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        thigh, shin = at[f"{side}Leg"] - at[f"{side}UpLeg"], at[f"{side}Foot"] - at[f"{side}Leg"]
        upper, fore = at[f"{side}ForeArm"] - at[f"{side}Arm"], at[f"{side}Hand"] - at[f"{side}ForeArm"]
        marks += [-float(_unit(thigh) @ up), -float(_unit(shin) @ up), float(_unit(thigh) @ _unit(shin))]
        marks += [float(_unit(upper) @ _unit(fore))]
        marks += [_outward(upper, sign * left, up), _outward(fore, sign * left, up)]
    for part in ("Hand", "ForeArm", "Foot", "Leg"):
        one, other = at[f"Left{part}"] - at["Hips"], at[f"Right{part}"] - at["Hips"]
        unlike = one - (other - 2.0 * left * (other @ left))
        marks.append(1.0 - 4.0 * float(np.linalg.norm(unlike)) / height)
    return float(np.clip(marks, 0.0, 1.0).mean())


def _outward(bone: Floats, outward: Floats, up: Floats) -> float:
    """1 for an arm to the side or obliquely down, less the more it is in front, behind, above or close."""
    bone = _unit(bone)
    across = bone - outward * (bone @ outward) - up * (bone @ up)
    raised, close = max(0.0, float(bone @ up)), max(0.0, 0.2 - float(bone @ outward))
    return 1.0 - float(np.linalg.norm(across)) - raised - close


def pose_kind(rig: Rig) -> str:
    """Return "T-pose", "A-pose" or "other", after how far the arms hang below the horizontal."""
    positions = resting_positions(rig)
    angles = []
    for side in ("Left", "Right"):
        if not {f"{side}Arm", f"{side}Hand"} <= set(rig.roles):
            return "other"
        arm = positions[rig.roles[f"{side}Hand"]] - positions[rig.roles[f"{side}Arm"]]
        flat = float(np.hypot(arm[0], arm[2]))
        angles.append(float(np.arctan2(-arm[1], flat)))
    if max(abs(angle) for angle in angles) < T_POSE:
        return "T-pose"
    return "A-pose" if min(angles) > 0.0 and max(angles) < A_POSE else "other"


def resting_positions(rig: Rig) -> dict[str, Floats]:
    """Return where every joint of a rig is at rest, (3,) metres, by name."""
    motion = Motion(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1], Fraction(1))
    return dict(zip(rig.skeleton.names, motion.world()[0][0], strict=True))


def _nearest_axis(direction: Floats) -> Floats:
    """A direction, or the axis that it is near to."""
    best = _AXES[int(np.argmax(_AXES @ direction))]
    return best if best @ direction > _NEAR_AXIS else direction


def _unit(v: Floats) -> Floats:
    length = float(np.linalg.norm(v))
    return v / length if length > 1e-9 else np.zeros_like(v)
