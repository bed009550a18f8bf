"""Axes and unit of an FBX file, turned into ours."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.formats.fbx.graph import Properties, number
from rigs.quat import FloatArray

log = logging.getLogger(__name__)

_CENTIMETRE = 0.01  # metres: a file's unit is so many of these
_SANE = (1e-4, 1e6)  # centimetres in a unit
_AXES = (("CoordAxis", 0), ("UpAxis", 1), ("FrontAxis", 2))  # what is our x, y and z, and their defaults
_MIRROR = np.array([-1.0, 1.0, 1.0])
_MIRROR_WXYZ = np.array([1.0, 1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class Turn:
    """From a file's world to ours.

    unit: metres in one of the file's; rotation: (4,) wxyz, the turn; mirrored: the file's axes are
    left-handed, so that x is reversed before turning.
    """

    unit: float
    rotation: FloatArray
    mirrored: bool

    def __call__(self, positions: FloatArray, rotations: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return positions (T, 3) in metres and rotations (T, 4) in our world."""
        if self.mirrored:
            positions, rotations = positions * _MIRROR, rotations * _MIRROR_WXYZ
        return self.unit * quat.rotate(self.rotation, positions), quat.multiply(self.rotation, rotations)


def turn_of(settings: Properties) -> Turn:
    """Return the turn that a file's GlobalSettings ask for."""
    centimetres = number(settings, "UnitScaleFactor", 1.0)
    if not _SANE[0] <= centimetres <= _SANE[1]:
        log.warning("a unit of %r centimetres is taken for one of 1", centimetres)
        centimetres = 1.0
    matrix = np.zeros((3, 3))
    for row, (name, default) in enumerate(_AXES):
        axis, sign = number(settings, name, default), number(settings, f"{name}Sign", 1)
        if axis in (0, 1, 2):
            matrix[row, int(axis)] = -1.0 if sign < 0 else 1.0
    if abs(np.linalg.det(matrix)) != 1.0:
        log.warning("the axes in the file's settings are not three different ones; it is read as y up")
        matrix = np.eye(3)
    mirrored = bool(np.linalg.det(matrix) < 0)
    turned = matrix * _MIRROR if mirrored else matrix
    return Turn(_CENTIMETRE * centimetres, quat.from_matrix(turned), mirrored)
