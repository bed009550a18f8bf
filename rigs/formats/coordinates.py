"""Generalized coordinates of OpenSim's full-body models from a motion: their names, axes and signs.

Positive on either side: hip flexion, adduction and internal rotation; ankle dorsiflexion; subtalar inversion;
arm flexion, adduction and internal rotation; elbow flexion; pronation from palms forward; wrist flexion and
ulnar deviation. Of pelvis and trunk: tilt backward, bending to the right, rotation to the left.

Sources: Rajagopal et al., "Full-Body Musculoskeletal Model for Muscle-Driven Simulation of Human Gait", 2016,
and its Rajagopal2015.osim; Delp et al., 1990, and its gait2392. The order of turns about a hip or shoulder,
flexion first, is that of ISB's recommendation for the hip (Wu et al., 2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import euler
from rigs.formats.from_rest import turned_from_rest
from rigs.formats.hinges import angles_about, hinge_angle
from rigs.formats.opensim import rotations_to_opensim, to_opensim
from rigs.quat import FloatArray


@dataclass(frozen=True)
class Model:
    """What differs between the models.

    hip: the right hip joint in the pelvis, metres; knee: the sign of flexion; arms: whether it has them.
    """

    hip: tuple[float, float, float]
    knee: float
    arms: bool


MODELS = {
    "rajagopal": Model((-0.056276, -0.07849, 0.07726), 1.0, True),
    "gait2392": Model((-0.0707, -0.0661, 0.0835), -1.0, False),
}

_DOWN = np.array([0.0, -1.0, 0.0])
_X, _Z = np.eye(3)[[0, 2]]
_PALMS = np.pi / 2.0  # pronation of a rest pose whose thumbs point forward
# of the right side, in the segment before, when all angles are zero
_ANKLE, _SUBTALAR = np.array([-0.10501, -0.17402, 0.97913]), np.array([0.78718, 0.60475, -0.12095])
_ELBOW, _PRONATION = np.array([0.22605, 0.02227, 0.97386]), np.array([0.05640, 0.99841, 0.00195])
_MIRROR = np.array([-1.0, -1.0, 1.0])  # what the left side's axes are of the right side's
_LEG, _ARM = ("UpLeg", "Leg", "Foot"), ("Arm", "ForeArm", "Hand")


def coordinates(path: object, clip: Clip, model: str) -> dict[str, FloatArray]:
    """Return the coordinates of a model by name, in its order: radians, and metres of pelvis_tx, ty and tz.

    The rest pose stands upright, its feet flat, its thumbs forward; arms and legs may point anywhere. Where
    zero is comes from the bones themselves: a limb that hangs straight down is at zero.

    Args:
        path: the file to be written, for messages.
        clip: T frames of a character whose roles are known, or whose joints have our names.
        model: one of `MODELS`.

    Raises:
        FormatError: a role that the model needs is missing.
    """
    return _Segments(path, clip, MODELS[model]).coordinates()


class _Segments:
    """Rotations (T, 4) of the model's segments, from its zero pose, in OpenSim's world."""

    def __init__(self, path: object, clip: Clip, model: Model) -> None:
        self.model = model
        self.joint = _joints(path, clip, model)
        self.turned = rotations_to_opensim(turned_from_rest(clip))
        self.places = to_opensim(clip.motion.world()[0])
        self.rest = to_opensim(clip.resting.world()[0][0])

    def coordinates(self) -> dict[str, FloatArray]:
        pelvis = self._of("Hips", quat.identity())
        torso = self._of("Chest", quat.identity())
        out = dict(zip(("pelvis_tilt", "pelvis_list", "pelvis_rotation"), _ball(pelvis), strict=True))
        out |= dict(zip(("pelvis_tx", "pelvis_ty", "pelvis_tz"), self._origin(pelvis).T, strict=True))
        for side, sign in (("Right", 1.0), ("Left", -1.0)):
            out |= self._leg(side, sign, pelvis)
        lumbar = _ball(_between(pelvis, torso))
        out |= dict(zip(("lumbar_extension", "lumbar_bending", "lumbar_rotation"), lumbar, strict=True))
        for side, sign in (("Right", 1.0), ("Left", -1.0)) if self.model.arms else ():
            out |= self._arm(side, sign, torso)
        return out

    def _origin(self, pelvis: FloatArray) -> FloatArray:
        """Return where the pelvis is (T, 3): so that the hips of a model of this one's width are in place."""
        left, right = self.joint["LeftUpLeg"], self.joint["RightUpLeg"]
        width = float(np.linalg.norm(self.rest[left] - self.rest[right]))
        hip = np.array(self.model.hip) * [1.0, 1.0, 0.0] * width / (2.0 * self.model.hip[2])
        return 0.5 * (self.places[:, left] + self.places[:, right]) - quat.rotate(pelvis, hip)

    def _leg(self, side: str, sign: float, pelvis: FloatArray) -> dict[str, FloatArray]:
        zero_thigh = self._hanging(f"{side}UpLeg", f"{side}Leg", quat.identity())
        zero_shank = self._hanging(f"{side}Leg", f"{side}Foot", zero_thigh)
        thigh, shank = self._of(f"{side}UpLeg", zero_thigh), self._of(f"{side}Leg", zero_shank)
        foot = _between(shank, self._of(f"{side}Foot", quat.identity()))
        flexion, adduction, rotation = _ball(_between(pelvis, thigh))
        knee = hinge_angle(-_Z, _DOWN, quat.rotate(_between(thigh, shank), _DOWN))
        ankle = angles_about([_sided(_ANKLE, sign), _sided(_SUBTALAR, sign)], foot)
        s = side[0].lower()
        return {
            f"hip_flexion_{s}": flexion,
            f"hip_adduction_{s}": sign * adduction,
            f"hip_rotation_{s}": sign * rotation,
            f"knee_angle_{s}": self.model.knee * np.unwrap(knee),
            f"ankle_angle_{s}": ankle[:, 0],
            f"subtalar_angle_{s}": ankle[:, 1],
        }

    def _arm(self, side: str, sign: float, torso: FloatArray) -> dict[str, FloatArray]:
        zero_upper = self._hanging(f"{side}Arm", f"{side}ForeArm", quat.identity())
        zero_fore = self._hanging(f"{side}ForeArm", f"{side}Hand", zero_upper)
        elbow_axis, pronation_axis = _sided(_ELBOW, sign), _sided(_PRONATION, sign)
        zero_hand = quat.multiply(zero_fore, quat.from_rotvec(_PALMS * pronation_axis))
        upper, fore = self._of(f"{side}Arm", zero_upper), self._of(f"{side}ForeArm", zero_fore)
        flexion, adduction, rotation = _ball(_between(torso, upper))
        elbow = hinge_angle(elbow_axis, _DOWN, quat.rotate(_between(upper, fore), _DOWN))
        bent = quat.multiply(upper, quat.from_rotvec(elbow[:, None] * elbow_axis))
        hand = _between(bent, self._of(f"{side}Hand", zero_hand))
        wrist = angles_about([pronation_axis, _Z, sign * _X], hand)
        s = side[0].lower()
        return {
            f"arm_flex_{s}": flexion,
            f"arm_add_{s}": sign * adduction,
            f"arm_rot_{s}": sign * rotation,
            f"elbow_flex_{s}": np.unwrap(elbow),
            f"pro_sup_{s}": wrist[:, 0],
            f"wrist_flex_{s}": wrist[:, 1],
            f"wrist_dev_{s}": wrist[:, 2],
        }

    def _of(self, role: str, zero: FloatArray) -> FloatArray:
        """Return a segment's rotations, where zero (4,) turns it from the zero pose to the rest pose."""
        return quat.multiply(self.turned[:, self.joint[role]], zero)

    def _hanging(self, start: str, end: str, before: FloatArray) -> FloatArray:
        """Return the shortest turn (4,) from hanging on, as the segment before does, to the bone at rest."""
        bone = self.rest[self.joint[end]] - self.rest[self.joint[start]]
        return quat.multiply(quat.between(quat.rotate(before, _DOWN), bone), before)


def _joints(path: object, clip: Clip, model: Model) -> dict[str, int]:
    """Return joints by role; the last of the spine is the Chest."""
    names = clip.motion.skeleton.names
    roles: Mapping[str, str] = clip.roles or {name: name for name in names}
    spines = [f"Spine{n or ''}" for n in range(len(names)) if f"Spine{n or ''}" in roles]
    sided = [f"{side}{part}" for side in ("Right", "Left") for part in _LEG + _ARM * model.arms]
    for role in ["Hips", "Spine", *sided]:
        if role not in roles:
            raise FormatError(
                f"cannot write {path}: no joint of {clip.name!r} is known as the {role}; "
                "export to a rig whose joints are mapped"
            )
    wanted = {role: roles[role] for role in ["Hips", *sided]} | {"Chest": roles[spines[-1]]}
    return {role: clip.motion.skeleton.index(name) for role, name in wanted.items()}


def _ball(q: FloatArray) -> FloatArray:
    """Return angles (3, T) about z, then x, then y."""
    return euler.unwrap(euler.to_euler(q, "ZXY")).T


def _between(parent: FloatArray, child: FloatArray) -> FloatArray:
    return quat.multiply(quat.conjugate(parent), child)


def _sided(axis: FloatArray, sign: float) -> FloatArray:
    return axis if sign > 0.0 else axis * _MIRROR
