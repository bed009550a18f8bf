"""Joints that move because others do: twist bones share a twist, followers are where their leaders are."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.quat import FloatArray
from rigs.retargeting.pose import WorldPose
from rigs.rig import Rig


def share(pose: WorldPose, rig: Rig) -> None:
    """Turn the twist bones of a rig and put its followers, as the rest of the pose is."""
    share_twists(pose, rig)
    follow(pose, rig)


def share_twists(pose: WorldPose, rig: Rig) -> None:
    """Turn each twist bone by its share of the twist (swing-twist decomposition) about its limb's bone.

    A bone below the joint whose twist it shares, as one of an upper arm, shares its twist against what it
    hangs from; one beside it, as a forearm's shares the hand's, turns with it.
    """
    names = rig.skeleton.names
    for name, twist in rig.twists.items():
        joint, role = rig.skeleton.index(name), rig.skeleton.index(rig.roles[twist.role])
        above = _ancestors(rig, joint)
        carrier = role if role in above else above[0]
        axis = _bone(rig, carrier, _end_of(rig, carrier) if carrier == role else role)
        if axis is None or rig.skeleton.parents[role] < 0:
            continue
        angle = twist.share * _twist(pose, rig, role, carrier, axis)
        local = _turned_into(rig, above[0], carrier, axis)
        turned = quat.multiply(quat.from_rotvec(angle[:, None] * local), rig.rest[names.index(name)])
        pose.local[:, joint] = turned
        pose.refresh(pose.below(joint))


def follow(pose: WorldPose, rig: Rig) -> None:
    """Put joints that follow others where those are, and turned as they are.

    From the root outwards: what hangs from one that follows comes along with it, and then goes its own way.
    """
    index = rig.skeleton.index
    for joint, other in sorted((index(name), index(leader)) for name, leader in rig.follows.items()):
        pose.turn(joint, pose.rotations[:, other].copy())
        pose.put(joint, pose.positions[:, other].copy())


def _twist(pose: WorldPose, rig: Rig, role: int, carrier: int, axis: FloatArray) -> FloatArray:
    """Angle (T,) rad by which a joint is twisted, from rest, about an axis (3,) in the carrier's frame."""
    rest = WorldPose(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1])
    base = carrier if carrier != role else int(rig.skeleton.parents[role])
    now = quat.multiply(quat.conjugate(pose.rotations[:, base]), pose.rotations[:, role])
    then = quat.multiply(quat.conjugate(rest.rotations[:, base]), rest.rotations[:, role])
    turn = (
        quat.multiply(quat.conjugate(then), now)
        if carrier == role
        else quat.multiply(now, quat.conjugate(then))
    )
    angle = 2.0 * np.arctan2(turn[:, 1:] @ axis, turn[:, 0])
    return np.unwrap((angle + np.pi) % (2.0 * np.pi) - np.pi)


def _ancestors(rig: Rig, joint: int) -> list[int]:
    above = [int(rig.skeleton.parents[joint])]
    while above[-1] >= 0:
        above.append(int(rig.skeleton.parents[above[-1]]))
    return above[:-1]


def _end_of(rig: Rig, joint: int) -> int | None:
    """The joint of a role that hangs from this one, through no other role."""
    for name in rig.roles.values():
        other = rig.skeleton.index(name)
        roles = {rig.skeleton.index(n) for n in rig.roles.values()}
        above = _ancestors(rig, other)
        if next((a for a in above if a in roles), None) == joint:
            return other
    return None


def _bone(rig: Rig, joint: int, end: int | None) -> FloatArray | None:
    """Direction (3,) from a joint to another at rest, in the joint's frame."""
    if end is None:
        return None
    rest = WorldPose(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1])
    away = rest.positions[0, end] - rest.positions[0, joint]
    length = float(np.linalg.norm(away))
    return quat.rotate(quat.conjugate(rest.rotations[0, joint]), away / length) if length > 1e-6 else None


def _turned_into(rig: Rig, parent: int, carrier: int, axis: FloatArray) -> FloatArray:
    """An axis (3,) of the carrier's frame in that of a joint below it, at rest."""
    rest = WorldPose(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1]).rotations[0]
    return quat.rotate(quat.conjugate(rest[parent]), quat.rotate(rest[carrier], axis))
