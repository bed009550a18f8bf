"""A motion performed by another character: retargeted, feet planted, twists shared, the root chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.contact import find_contacts
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.retargeting.foothold import feet_of, soles_of
from rigs.retargeting.limb import Limb, eased, reach
from rigs.retargeting.planting import plant_feet
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import hip_height, leg_scale, resting, retarget
from rigs.retargeting.root import RootMotion, carry
from rigs.retargeting.sharing import share
from rigs.rig import Rig

FootLock = Literal["auto", "always", "never", "ground"]
FOOT_LOCKS: tuple[FootLock, ...] = get_args(FootLock)

HIP_HEIGHT = 0.92  # metres, of the people whose standing was learned from
_BACKWARD = np.array([0.0, 0.0, -1.0])  # where elbows point in the rest pose


@dataclass(frozen=True)
class Performance:
    """How a motion is put onto a character.

    foot_lock: "auto": what stands in the source stands; "always": also what is only low and slow; "never":
    feet go where legs carry them; "ground": besides, the lowest foot is always on the floor. hands: whether
    hands go where the source's are, to scale, rather than where arms carry them. root: see
    `rigs.retargeting.root.carry`.
    """

    foot_lock: FootLock = "auto"
    hands: bool = False
    root: RootMotion = "hips"


def perform(
    motion: Motion,
    source: Rig,
    target: Rig,
    how: Performance,
    level: FloatArray | None = None,
    name: str = "character",
    first: int = 0,
) -> Clip:
    """Let a character perform another's motion.

    Args:
        motion: T frames of the source.
        source: who moved.
        target: who shall move.
        how: what is done about feet, hands and the root.
        level: (T, 4) metres of what carries the source's left and right ball, left and right heel, NaN where
            they do not stand; None: to be found.
        name: of the clip.
        first: frame on the clock of all clips on which the motion begins.
    """
    pose = retarget(motion, source, target)
    if how.foot_lock != "never" and len(feet_of(target)) == len(feet_of(source)) == 2:
        _plant(pose, motion, source, target, how.foot_lock, level)
    if how.hands:
        _reach_hands(pose, motion, source, target)
    share(pose, target)
    moved, rig = carry(pose.motion(motion.fps), target, how.root)
    return Clip(name, moved, rig.rest, rig.roles, first)


def find_level(motion: Motion, rig: Rig, lenient: bool = False) -> FloatArray:
    """Return what carries left and right ball, left and right heel (T, 4) m, NaN where they do not stand.

    Judged as of somebody of usual size, so that small characters are not taken for standing.
    """
    where, heights = soles_of(rig, WorldPose.of(motion))
    size = HIP_HEIGHT / hip_height(rig)
    return find_contacts(size * where, size * heights, float(motion.fps), lenient).level / size


def _plant(
    pose: WorldPose, motion: Motion, source: Rig, target: Rig, lock: FootLock, level: FloatArray | None
) -> None:
    fps = float(motion.fps)
    if level is None or lock == "always":
        level = find_level(motion, source, lenient=lock == "always")
    level = leg_scale(source, target) * level
    if lock == "ground":
        _put_down(pose, target)
        level = np.where(np.isfinite(level), 0.0, np.nan)
    plant_feet(pose, target, level, fps)


def _put_down(pose: WorldPose, rig: Rig) -> None:
    """Move the whole body up or down, frame by frame, so that its lowest sole is on the floor."""
    points, heights = soles_of(rig, pose)
    hips = rig.skeleton.index(rig.roles["Hips"])
    lowest = (points[..., 1] - heights).min(axis=1)
    pose.put(hips, pose.positions[:, hips] - lowest[:, None] * np.array([0.0, 1.0, 0.0]))


def _reach_hands(pose: WorldPose, motion: Motion, source: Rig, target: Rig) -> None:
    """Put wrists where the source's are from its hips, to scale."""
    here, scale = WorldPose.of(motion), leg_scale(source, target)
    start, end = (r.skeleton.index(r.roles["Hips"]) for r in (source, target))
    for side in ("Left", "Right"):
        wrist, arm = source.roles.get(f"{side}Hand"), _arm(target, side)
        if wrist is not None and arm is not None:
            away = here.positions[:, source.skeleton.index(wrist)] - here.positions[:, start]
            reach(pose, arm, eased(pose, arm, pose.positions[:, end] + scale * away))


def _arm(rig: Rig, side: str) -> Limb | None:
    parts = [rig.roles.get(side + part) for part in ("Arm", "ForeArm", "Hand")]
    if None in parts:
        return None
    upper, middle, end = (rig.skeleton.index(str(name)) for name in parts)
    backward = quat.rotate(quat.conjugate(resting(rig).rotations[0, upper]), _BACKWARD)
    return Limb(upper, middle, end, backward)
