"""A first pose from joint positions, in closed form: where the whole-clip solve starts.

Directions of bones come from the points; the roll of a limb comes from the plane of its hinge, weighted over
time by how bent the limb is, so a straight limb keeps the roll it had before and after.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from rigs import quat
from rigs.solving.body import Body, Floats
from rigs.solving.kinematics import Pose

SPINE = ("Spine", "Spine1", "Spine2")
OUTLIER_SECONDS = (
    0.25  # of the median filter; rays that nearly meet at infinity, sides exchanged for a moment
)
ROLL_SECONDS = 0.3  # over which a limb's roll is averaged
MOST_BENT = 2.6  # rad, of an elbow or a knee
ROLL_AT_REST = 0.02  # weight of "no roll" against sin^2 of the hinge's bend


def fill_gaps(values: Floats) -> Floats:
    """Fill NaN in (T, ...) by linear interpolation over time, held at the ends; all NaN stays NaN."""
    flat = values.reshape(len(values), -1).copy()
    frames = np.arange(len(values))
    for column in flat.T:
        known = np.isfinite(column)
        if known.any() and not known.all():
            column[~known] = np.interp(frames[~known], frames[known], column[known])
    return flat.reshape(values.shape)


def steady(values: Floats, fps: float) -> Floats:
    """Fill the gaps of (T, ...) and take out outliers shorter than an eighth of a second (median filter)."""
    width = 2 * round(OUTLIER_SECONDS / 2 * fps) + 1
    return np.asarray(
        median_filter(fill_gaps(values), size=(width, *[1] * (values.ndim - 1)), mode="nearest")
    )


def initial_pose(body: Body, points: Mapping[str, Floats], fps: float) -> Pose:
    """Pose a body from joint positions.

    Args:
        body: with the names of `definitions/human.yaml`.
        points: joint name -> (T, 3) m, world, y up; NaN or missing where unknown. Hips and shoulders are
            needed: LeftUpLeg, RightUpLeg, LeftArm, RightArm; `LeftToe`, `RightToe` mark the tips of the feet.
        fps: frames a second.

    Returns:
        The pose; joints without points are at rest.
    """
    known = {name: fill_gaps(value) for name, value in points.items() if np.isfinite(value).any()}
    hips = (known["LeftUpLeg"] + known["RightUpLeg"]) / 2
    chest = (known["LeftArm"] + known["RightArm"]) / 2
    rotations = quat.identity(len(hips), len(body.names))
    unturned = quat.conjugate(_trunk_at_rest(body))
    pelvis = quat.multiply(_frame(known["LeftUpLeg"] - known["RightUpLeg"], chest - hips), unturned)
    thorax = quat.multiply(_frame(known["LeftArm"] - known["RightArm"], chest - hips), unturned)
    third = quat.from_rotvec(quat.to_rotvec(quat.multiply(quat.conjugate(pelvis), thorax)) / 3)
    rotations[:, 0] = pelvis
    for name in SPINE:
        rotations[:, body.index(name)] = third
    for side in ("Left", "Right"):
        _limb(body, rotations, thorax, known, [side + n for n in ("Arm", "ForeArm", "Hand")], fps)
        shin = _limb(body, rotations, pelvis, known, [side + n for n in ("UpLeg", "Leg", "Foot")], fps)
        _foot(body, rotations, shin, known, side)
    left, right = (body.offsets[body.index(n)] for n in ("LeftUpLeg", "RightUpLeg"))
    width = np.median(np.linalg.norm(known["LeftUpLeg"] - known["RightUpLeg"], axis=-1))
    centre = (left + right) / 2 * width / np.linalg.norm(left - right)
    return Pose(hips - quat.rotate(pelvis, centre), rotations)


def _trunk_at_rest(body: Body) -> Floats:
    """The frame (4,) of hips and shoulders in the rest pose, where the trunk leans a little."""
    at = np.zeros_like(body.offsets)
    for j in range(1, len(body.names)):
        at[j] = at[body.parents[j]] + body.offsets[j]
    left, right, hip = (at[body.index(n)] for n in ("LeftArm", "RightArm", "LeftUpLeg"))
    return _frame(left - right, (left + right) / 2 - hip * [0.0, 1.0, 1.0])


def _frame(left: Floats, up: Floats) -> Floats:
    """Rotation whose x is `left` and whose y is as near `up` as can be: (T, 4)."""
    x = _unit(left)
    z = _unit(np.cross(x, up))
    return quat.from_matrix(np.stack([x, np.cross(z, x), z], axis=-1))


def _limb(
    body: Body, rotations: Floats, parent: Floats, known: Mapping[str, Floats], names: list[str], fps: float
) -> Floats:
    """Pose a two-bone limb below world rotation `parent`; returns the lower bone's world rotation."""
    upper, lower, end = (body.index(n) for n in names)
    if any(n not in known for n in names[:2]):
        return parent
    along = quat.rotate(quat.conjugate(parent), known[names[1]] - known[names[0]])
    swing = quat.between(np.broadcast_to(body.offsets[lower], along.shape), along)
    if names[2] not in known:
        rotations[:, upper] = swing
        return quat.multiply(parent, swing)
    hinge = body.freedom_axis[np.argmax(body.freedom_joint == lower)]
    bone = quat.multiply(parent, swing)
    below = quat.rotate(quat.conjugate(bone), _unit(known[names[2]] - known[names[1]]))
    along_rest = _unit(body.offsets[lower])
    roll = _roll(np.cross(along_rest, below), hinge, along_rest, fps)
    twist = quat.from_rotvec(roll[:, None] * along_rest)
    rotations[:, upper] = quat.multiply(swing, twist)
    below = quat.rotate(quat.conjugate(twist), below)
    bend = _bend(body.offsets[end], below, hinge)
    rotations[:, lower] = quat.from_rotvec(bend[:, None] * hinge)
    return quat.multiply(quat.multiply(parent, rotations[:, upper]), rotations[:, lower])


def _roll(normal: Floats, hinge: Floats, axis: Floats, fps: float) -> Floats:
    """Angle about `axis` that turns `hinge` onto the bend's normal (T, 3), steady where nearly straight."""
    side = np.cross(axis, hinge)
    vector = np.stack([normal @ hinge, normal @ side], axis=-1)
    weighted = vector * np.linalg.norm(vector, axis=-1, keepdims=True)
    smooth = gaussian_filter1d(weighted, max(ROLL_SECONDS * fps, 0.5), axis=0, mode="nearest")
    return np.arctan2(smooth[:, 1], smooth[:, 0] + ROLL_AT_REST)


def _bend(rest: Floats, below: Floats, hinge: Floats) -> Floats:
    """Angle about `hinge` that turns the lower bone's rest direction nearest `below`, not past straight."""
    across = np.cross(hinge, _unit(rest))
    angle = np.arctan2(below @ across, below @ _unit(rest))
    off = np.angle(np.exp(1j * (angle - MOST_BENT / 2)))  # of the middle: folded up is near, straight is not
    return np.clip(off + MOST_BENT / 2, 0.0, MOST_BENT)


def _foot(body: Body, rotations: Floats, shin: Floats, known: Mapping[str, Floats], side: str) -> None:
    ankle, toe = known.get(f"{side}Foot"), known.get(f"{side}Toe")
    if ankle is None or toe is None:
        return
    foot, ball = body.index(f"{side}Foot"), body.index(f"{side}ToeBase")
    tip = body.offsets[ball] + body.tips[f"{side}ToeBase"]
    along = quat.rotate(quat.conjugate(shin), toe - ankle)
    rotations[:, foot] = quat.between(np.broadcast_to(tip, along.shape), along)


def _unit(v: Floats) -> Floats:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
