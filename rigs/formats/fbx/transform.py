"""Where nodes of an FBX scene are in the world: all that a node's properties do to its children.

A node's local matrix is T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1, with what its curves say in T, R and
S. How a parent's scale reaches its children is the node's InheritType: 0 leaves it out of the turn (R r S s),
1 multiplies matrices (R S r s), 2 leaves out the parent's own scale (R r s).
Source: "Computing transformation matrices" and FbxTransform in the documentation of the FBX SDK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.formats import euler
from rigs.formats.fbx.animation import Curves
from rigs.formats.fbx.curves import Curve
from rigs.formats.fbx.scene import Node
from rigs.quat import FloatArray

_ORDERS = ("XYZ", "XZY", "YZX", "YXZ", "ZXY", "ZYX")  # the first turns first


@dataclass(frozen=True, eq=False)
class Place:
    """Where a node is over T frames, or for ever where T is 1.

    position: (T, 3); rotation: (T, 4) wxyz; stretch: (T, 3, 3) its scale and shear, in its own axes:
    world = position + rotate(rotation, stretch @ local); own: (T, 3) its own scale.
    """

    position: FloatArray
    rotation: FloatArray
    stretch: FloatArray
    own: FloatArray


_TOP = Place(np.zeros((1, 3)), quat.identity(1), np.eye(3)[None], np.ones((1, 3)))


def places(nodes: Sequence[Node], curves: Curves, ticks: NDArray[np.int64]) -> dict[Node, Place]:
    """Return where nodes are.

    Args:
        nodes: depth first, with all their ancestors.
        curves: what moves them; nodes that nothing moves stand as their own values have it.
        ticks: times (T,).
    """
    found: dict[Node, Place] = {}
    for node in nodes:
        found[node] = _place(node, found[node.parent] if node.parent else _TOP, _Times(curves, ticks))
    return found


@dataclass(frozen=True, eq=False)
class _Times:
    """Times (T,), ticks, and what moves nodes over them."""

    curves: Curves
    ticks: NDArray[np.int64]

    def of(self, node: Node, name: str, default: float = 0.0) -> FloatArray:
        """Return a property (T, 3), or (1, 3) where nothing moves it."""
        fixed = node.vector(name, default)
        axes = self.curves.get((node.id, name), [None] * 3)
        if not any(isinstance(axis, Curve) for axis in axes):
            return np.array(
                [[f if axis is None else axis for axis, f in zip(axes, fixed, strict=True)]], float
            )
        columns = np.empty((len(self.ticks), 3))
        for column, axis, f in zip(columns.T, axes, fixed, strict=True):
            column[:] = axis.at(self.ticks) if isinstance(axis, Curve) else f if axis is None else axis
        return columns


def _place(node: Node, parent: Place, times: _Times) -> Place:
    turn = _turn(node, times)
    scale = times.of(node, "Lcl Scaling", 1.0)
    at = times.of(node, "Lcl Translation") + _pivoted(node, turn, scale)
    position = parent.position + quat.rotate(parent.rotation, (parent.stretch @ at[..., None])[..., 0])
    return Place(position, quat.multiply(parent.rotation, turn), _stretch(node, parent, turn, scale), scale)


def _turn(node: Node, times: _Times) -> FloatArray:
    """Return the local rotation (T, 4): before, own, after; the first and last only where they are active."""
    own = times.of(node, "Lcl Rotation")
    if not node.integer("RotationActive"):
        return _from_euler(own, 0)
    before, after = (_from_euler(node.vector(name), 0) for name in ("PreRotation", "PostRotation"))
    turn = _from_euler(own, node.integer("RotationOrder"))
    return quat.multiply(quat.multiply(before, turn), quat.conjugate(after))


def _from_euler(degrees: FloatArray, order: int) -> FloatArray:
    """Return rotations (..., 4) of angles (..., 3) about X, Y and Z in one of FBX's orders."""
    axes = _ORDERS[order] if 0 <= order < len(_ORDERS) else _ORDERS[0]
    columns = ["XYZ".index(axis) for axis in axes[::-1]]
    return euler.from_euler(np.radians(degrees)[..., columns], axes[::-1])


def _pivoted(node: Node, turn: FloatArray, scale: FloatArray) -> FloatArray:
    """Return what offsets and pivots add to a node's translation (T, 3)."""
    names = ("RotationOffset", "RotationPivot", "ScalingOffset", "ScalingPivot")
    if not any(name in node.properties for name in names):
        return np.zeros((1, 3))
    offset, pivot, scaling_offset, scaling_pivot = (node.vector(name) for name in names)
    scaled = scaling_offset + scaling_pivot - scale * scaling_pivot - pivot
    return offset + pivot + quat.rotate(turn, scaled)


def _stretch(node: Node, parent: Place, turn: FloatArray, scale: FloatArray) -> FloatArray:
    """Return scale and shear (T, 3, 3) in the node's own axes."""
    own = scale[:, :, None] * np.eye(3)
    inherit = node.integer("InheritType")
    if inherit == 1:
        axes = quat.to_matrix(turn)
        return np.swapaxes(axes, -1, -2) @ parent.stretch @ axes @ own
    if inherit == 2:
        with np.errstate(divide="ignore", invalid="ignore"):
            undone = np.where(parent.own == 0.0, 1.0, 1.0 / parent.own)
        return parent.stretch * undone[:, None, :] @ own
    return parent.stretch @ own
