"""Motion of one character put onto another.

Each joint turns in the world as its counterpart does, from rest pose to rest pose (the closed form of the VRM
specification, `normalised = W L^-1 q W^-1`, written with world rotations). Limbs whose rest poses point
elsewhere, as in an A-pose, are first turned the shortest way, so that in every frame they point as the
source's do. Hips move by as much as legs are longer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.retargeting.pose import WorldPose
from rigs.rig import Rig

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
FLAT_FOOT = np.deg2rad((5.0, 60.0))  # from ankle to ball, below the horizon, on a foot that stands
RAISED = np.deg2rad(27.0)  # the usual, of a foot that hangs at rest when it is put down
_ALIGNED = {"Arm": "ForeArm", "ForeArm": "Hand", "UpLeg": "Leg", "Leg": "Foot"}  # role: where its bone ends
_SPINE = re.compile(r"Spine\d*$")
_NECK = re.compile(r"Neck\d*$")


def retarget(motion: Motion, source: Rig, target: Rig) -> WorldPose:
    """Put a motion onto another character.

    Args:
        motion: T frames of the source's joints.
        source: what moves: its rest pose and roles.
        target: what shall move. Joints without a counterpart stay as they rest on what they hang from.

    Returns:
        The target's pose, its hips moved, its feet not yet planted.

    Raises:
        RigError: the motion is not of the source's joints.
    """
    turns = _turns(motion, source, target)
    pose = _posed(turns, target, len(motion))
    pose.put(target.skeleton.index(target.roles["Hips"]), _hips(motion, source, target, pose))
    return pose


def leg_scale(source: Rig, target: Rig) -> float:
    """Return how many times as long the target's legs are, from the floor to between the hips."""
    return hip_height(target) / hip_height(source)


def hip_height(rig: Rig) -> float:
    """Return the height (m) of the hip joints over the floor when the character stands."""
    return float(_between_hips(rig, standing(rig))[0, 1])


def resting(rig: Rig) -> WorldPose:
    """Return the rest pose of a rig, one frame."""
    return WorldPose(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1])


def standing(rig: Rig) -> WorldPose:
    """Return the rest pose of a rig with feet that hang, as in some, put down flat; one frame."""
    pose, joints = resting(rig), _joints(rig)
    floor = pose.positions[0, :, 1].min()
    raised = False
    for side in ("Left", "Right"):
        foot, toe = joints.get(f"{side}Foot"), joints.get(f"{side}ToeBase")
        if foot is None or toe is None:
            continue
        bone = pose.positions[0, toe] - pose.positions[0, foot]
        length = float(np.linalg.norm(bone))
        if length < 1e-6 or FLAT_FOOT[0] <= np.arcsin(-bone[1] / length) <= FLAT_FOOT[1]:
            continue
        flat = np.array([0.0, -np.sin(RAISED), np.cos(RAISED)])
        pose.turn(foot, quat.multiply(quat.between(bone, flat), pose.rotations[:, foot]))
        raised = True
    if raised:
        parts = [joints[role] for role in joints if role.endswith(("Foot", "ToeBase"))]
        pose.root = pose.root + (floor - pose.positions[0, parts, 1].min()) * np.array([0.0, 1.0, 0.0])
        pose.refresh(range(len(rig.skeleton)))
    return pose


def _turns(motion: Motion, source: Rig, target: Rig) -> dict[str, FloatArray]:
    """How each of the target's roles is turned in the world from its rest pose: role -> (T, 4)."""
    rest, moving = standing(source), WorldPose.of(motion)
    found = {
        role: quat.multiply(moving.rotations[:, j], quat.conjugate(rest.rotations[:, j]))
        for role, j in _joints(source).items()
    }
    found |= _shared(_SPINE, found, found["Hips"], target)
    found |= _shared(_NECK, found, found[_last(_SPINE, found) or "Hips"], target)
    aligned = _alignment(source, target)
    return {
        role: quat.multiply(found[role], aligned.get(role, quat.identity(1)))
        for role in target.roles
        if role in found
    }


def _shared(
    kind: re.Pattern[str], found: Mapping[str, FloatArray], below: FloatArray, target: Rig
) -> dict[str, FloatArray]:
    """Spread the bend of a column of joints over as many as the target has."""
    have = sorted((r for r in found if kind.match(r)), key=_rank)
    want = sorted((r for r in target.roles if kind.match(r)), key=_rank)
    if not have or not want or len(have) == len(want):
        return dict(zip(want, (found[r] for r in have), strict=False)) if have else {}
    stations = np.stack([below, *(found[r] for r in have)])
    out = {}
    for k, role in enumerate(want, start=1):
        at = k * len(have) / len(want)
        low = min(int(at), len(have) - 1)
        out[role] = quat.slerp(stations[low], stations[low + 1], np.full(len(below), at - low))
    return out


def _rank(role: str) -> int:
    return int(re.sub(r"\D", "", role) or 0)


def _last(kind: re.Pattern[str], found: Mapping[str, FloatArray]) -> str | None:
    return max((r for r in found if kind.match(r)), key=_rank, default=None)


def _alignment(source: Rig, target: Rig) -> dict[str, FloatArray]:
    """World rotations (1, 4) by role that lay the target's resting limbs along the source's."""
    a, b = _Resting(source), _Resting(target)
    out: dict[str, FloatArray] = {}
    for side in ("Left", "Right"):
        above = quat.identity(1)
        for part, end in _ALIGNED.items():
            above = quat.identity(1) if part in ("Arm", "UpLeg") else above
            above = _laid(a.bone(side + part, side + end), b.bone(side + part, side + end), above)
            out[side + part] = above
            if part == "ForeArm":
                out |= _hand_alignment(a, b, side, above)
        ends = (f"{side}Foot", f"{side}ToeBase")
        foot = _foot_alignment(a.bone(*ends), b.bone(*ends))
        out |= {f"{side}Foot": foot, f"{side}ToeBase": foot}
    return out


def _hand_alignment(a: _Resting, b: _Resting, side: str, forearm: FloatArray) -> dict[str, FloatArray]:
    """Palms are laid on each other where both have knuckles, then fingers along each other."""
    hand = forearm
    if (here := a.palm(side)) is not None and (there := b.palm(side)) is not None:
        hand = quat.from_matrix(here @ there.T)[None]
    out = {f"{side}Hand": hand}
    for finger in FINGERS:
        above = hand
        for k in (1, 2, 3):
            role, end = f"{side}Hand{finger}{k}", f"{side}Hand{finger}{k + 1}"
            above = _laid(a.bone(role, end), b.bone(role, end), above)
            out[role] = above
    return out


def _laid(here: FloatArray | None, there: FloatArray | None, above: FloatArray) -> FloatArray:
    """Turn a target's bone (3,) along the source's, beginning as what it hangs from is turned."""
    if here is None or there is None:
        return above
    return quat.multiply(quat.between(quat.rotate(above, there), here), above)


def _foot_alignment(here: FloatArray | None, there: FloatArray | None) -> FloatArray:
    """Turn standing feet to one heading; each slopes by its own anatomy."""
    if here is None or there is None:
        return quat.identity(1)
    flat = np.array([1.0, 0.0, 1.0])
    return quat.between(there * flat, here * flat)[None]


class _Resting:
    """Directions in the rest pose of a rig."""

    def __init__(self, rig: Rig) -> None:
        pose = standing(rig)
        self._joints = _joints(rig)
        self._at, self._turned, self._rig = pose.positions[0], pose.rotations[0], rig

    def bone(self, role: str, end: str) -> FloatArray | None:
        """From one role's joint to another's (3,), or else to its tip; None if there is neither."""
        start = self._joints.get(role)
        if start is None:
            return None
        if end in self._joints:
            bone = self._at[self._joints[end]] - self._at[start]
        else:
            tip = self._rig.skeleton.tips.get(self._rig.skeleton.names[start])
            if tip is None:
                return None
            bone = quat.rotate(self._turned[start], tip)
        return bone if np.linalg.norm(bone) > 1e-6 else None

    def palm(self, side: str) -> FloatArray | None:
        """Axes (3, 3) of a hand as columns: along it, across the knuckles, square to both."""
        along = self.bone(f"{side}Hand", f"{side}HandMiddle1")
        index, pinky = (self._joints.get(f"{side}Hand{f}1") for f in ("Index", "Pinky"))
        if along is None or index is None or pinky is None:
            return None
        x = along / np.linalg.norm(along)
        z = np.cross(x, self._at[index] - self._at[pinky])
        if np.linalg.norm(z) < 1e-6:
            return None
        z /= np.linalg.norm(z)
        return np.stack([x, np.cross(z, x), z], axis=1)


def _posed(turns: Mapping[str, FloatArray], target: Rig, frames: int) -> WorldPose:
    """Turn the target's joints, from the root outwards."""
    skeleton, rest = target.skeleton, standing(target)
    local = np.repeat(rest.local, frames, axis=0)
    pose = WorldPose(skeleton, local, np.repeat(skeleton.offsets[:1], frames, axis=0))
    for role, joint in sorted(_joints(target).items(), key=lambda item: item[1]):
        if role in turns:
            pose.turn(joint, quat.multiply(turns[role], rest.rotations[:, joint]))
    return pose


def _hips(motion: Motion, source: Rig, target: Rig, pose: WorldPose) -> FloatArray:
    """Where the target's hips joint is (T, 3): what is between its hips moves as the source's, to scale."""
    middle = leg_scale(source, target) * _between_hips(source, WorldPose.of(motion))
    here = pose.positions[:, target.skeleton.index(target.roles["Hips"])]
    return middle - (_between_hips(target, pose) - here)


def _between_hips(rig: Rig, pose: WorldPose) -> FloatArray:
    """The point between the hip joints (T, 3); the hips' own if legs are unknown."""
    joints = _joints(rig)
    legs = [joints[r] for r in ("LeftUpLeg", "RightUpLeg") if r in joints]
    return np.asarray(pose.positions[:, legs if len(legs) == 2 else [joints["Hips"]]].mean(axis=1))


def _joints(rig: Rig) -> dict[str, int]:
    """Role to joint."""
    return {role: rig.skeleton.index(name) for role, name in rig.roles.items()}
