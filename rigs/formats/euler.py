"""Euler angles, radians, for the file formats that store them; nowhere else.

An order such as "ZXY" reads as a file's channels do: R = Rz Rx Ry, so the last axis turns first.
"""

import numpy as np
from numpy.typing import ArrayLike

from rigs import quat
from rigs.quat import FloatArray

_LOCKED = 1e-7  # of half a turn's sine or cosine: past it the outer axes are one, to the digits files hold


def from_euler(angles: ArrayLike, order: str) -> FloatArray:
    """Return quaternions (..., 4) of angles (..., n) about the n axes of the order, any n, any axes."""
    angles = np.asarray(angles, float)
    q = quat.identity(*angles.shape[:-1])
    for k, axis in enumerate(order.upper()):
        q = quat.multiply(q, quat.from_rotvec(angles[..., k, None] * np.eye(3)["XYZ".index(axis)]))
    return q


def to_euler(q: ArrayLike, order: str) -> FloatArray:
    """Return angles (T, ..., 3) of unit quaternions (T, ..., 4), frames first; order three different axes.

    The middle angle is within a quarter turn. Where it is a quarter turn (gimbal lock) only the sum or the
    difference of the outer angles is known: the other keeps the value of the frame before.
    Source: Bernardes and Viollet, "Quaternion to Euler angles conversion", 2022.
    """
    q = np.asarray(q, float)
    first, middle, last = ("XYZ".index(axis) + 1 for axis in order.upper())
    parity = (first - middle) * (middle - last) * (last - first) / 2.0
    w, x, y, z = q[..., 0], q[..., last], q[..., middle], -parity * q[..., first]
    a, b, c, d = w - y, x + z, y + w, z - x
    middle_angle = 2.0 * np.arctan2(np.hypot(c, d), np.hypot(a, b)) - np.pi / 2.0
    total = _keep(np.arctan2(b, a), np.hypot(a, b) > _LOCKED)
    difference = _keep(np.arctan2(d, c), np.hypot(c, d) > _LOCKED)
    return np.stack([-parity * (total + difference), middle_angle, total - difference], axis=-1)


def unwrap(angles: ArrayLike) -> FloatArray:
    """Return the same rotations as angles (T, ..., 3) that do not jump by half or full turns.

    (a, b, c) and (a + pi, pi - b, c + pi) are one rotation for every order of three different axes. Whether
    two frames lie closer by keeping or by changing the form does not depend on the form of the first, so
    the running parity of the changes gives every frame's form at once.
    """
    angles = np.asarray(angles, float)
    other = _other_form(angles)
    keep, change = _distance(angles[1:], angles[:-1]), _distance(other[1:], angles[:-1])
    changed = np.zeros(angles.shape[:-1], dtype=bool)
    changed[1:] = np.cumsum(change < keep, axis=0) % 2
    return np.unwrap(np.where(changed[..., None], other, angles), axis=0)


def _other_form(angles: FloatArray) -> FloatArray:
    a, b, c = angles[..., 0], angles[..., 1], angles[..., 2]
    return np.stack([a + np.pi, np.pi - b, c + np.pi], axis=-1)


def _distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the sum (...) over three angles of their difference on the circle."""
    turns = (a - b) / (2.0 * np.pi)
    return np.sum(np.abs(turns - np.round(turns)), axis=-1)


def _keep(angle: FloatArray, known: FloatArray) -> FloatArray:
    """Return angle (T, ...) with unknown frames taking the last known one, or the first to come."""
    if known.all():
        return angle
    frames = np.arange(len(angle)).reshape(-1, *[1] * (angle.ndim - 1))
    latest = np.maximum.accumulate(np.where(known, frames, -1), axis=0)
    source = np.where(latest < 0, np.argmax(known, axis=0), latest)
    return np.take_along_axis(np.where(known.any(axis=0), angle, 0.0), source, axis=0)
