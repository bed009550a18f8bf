"""From an armature in motion onto another: read, perform as `rigs` does, write key frames."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.recognition.recognise import recognise
from rigs.retargeting.perform import Performance, perform
from rigs.rig import Rig

from .animating import animate
from .bones import AtRest, read_pose, read_rest
from .contacts import contacts_now, has_contacts
from .curves import Curves
from .posing import motion_from_world
from .rigify import ORIGINAL, controls_of, is_generated, metarig_parents, pose_controls
from .timing import rate_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Character:
    """An armature that is recognised: its rig, its bones at rest and, of a generated rig, their controls."""

    rig: Rig
    at_rest: AtRest
    controls: Mapping[str, str] | None = None

    @property
    def size(self) -> float:
        """How many times as large the rig is as the armature."""
        both = (self.rig.skeleton, self.at_rest.skeleton)
        lengths = [np.linalg.norm(skeleton.offsets[1:], axis=1).sum() for skeleton in both]
        return float(lengths[0] / lengths[1])


def retarget_onto(
    context: Any, source: Any, target: Any, how: Performance, mapped: Mapping[str, str] | None = None
) -> Any:
    """Let an armature do what another does.

    Args:
        context: Blender's.
        source: an armature with an action.
        target: another: of Rigify, before or after generating, or any that is recognised.
        how: feet, hands and root.
        mapped: parts to bones of the target, which go before what is found.

    Returns:
        The target's new action; the one that it had stays in the file.

    Raises:
        RigError: one of the two is not recognised, or the source does not move.
    """
    if source.animation_data is None or source.animation_data.action is None:
        raise RigError(f"armature {source.name!r} has no action; select one that moves first")
    action = source.animation_data.action
    here, there = _character(source, {}), _character(target, mapped or {})
    frames = _frames(action)
    motion, level = _read(context, source, here.at_rest, frames)
    done = perform(_scaled(motion, here.size), here.rig, there.rig, how, level, target.name).motion
    if len(done.skeleton) != len(there.at_rest.skeleton):
        raise RigError(f"armature {target.name!r} has no root bone on the floor; choose hips or in place")
    curves = Curves(target, f"{action.name} on {target.name}")
    if there.controls is not None:
        pose_controls(target, curves, there.at_rest, _scaled(done, 1.0 / there.size), frames, there.controls)
        return curves.action
    rig = there.rig
    moving = {*rig.roles.values(), *rig.twists, *rig.follows}
    if rig.root is not None and how.root == "root":
        moving.add(rig.root)
    _warn_of_constraints(target, moving)
    animate(target, curves, there.at_rest, done, frames, there.size, moving)
    return curves.action


def _character(target: Any, mapped: Mapping[str, str]) -> _Character:
    """Recognise an armature, a generated rig by its metarig's bones as far as controls turn them."""
    if not is_generated(target):
        at_rest = read_rest(target)
        return _Character(_rig(target, at_rest, mapped), at_rest)
    at_rest = read_rest(target, metarig_parents(target), ORIGINAL)
    rig = _rig(target, at_rest, mapped)
    controls = controls_of(target, list(rig.roles.values()))
    roles = {role: name for role, name in rig.roles.items() if name in controls}
    return _Character(replace(rig, roles=roles, twists={}, follows={}), at_rest, controls)


def _warn_of_constraints(target: Any, moving: Collection[str]) -> None:
    """Say which bones will not do what their keys say."""
    bones = (bone for bone in target.pose.bones if bone.name in moving)
    held = [b.name for b in bones if any(not c.mute and c.influence > 0.0 for c in b.constraints)]
    if held:
        log.warning("%s: constraints move %s as well; mute them", target.name, ", ".join(held))


def _frames(action: Any) -> FloatArray:
    first, last = action.frame_range
    return np.arange(np.ceil(first - 1e-3), np.floor(last + 1e-3) + 1.0)


def _rig(target: Any, at_rest: AtRest, mapped: Mapping[str, str]) -> Rig:
    skeleton = at_rest.skeleton
    still = Motion(skeleton, at_rest.rest[None], skeleton.offsets[:1], Fraction(1))
    return recognise(Clip(target.name, still, at_rest.rest), mapped)


def _scaled(motion: Motion, size: float) -> Motion:
    """A motion with all its lengths times `size`."""
    old, moved = motion.skeleton, {j: size * v for j, v in motion.translations.items()}
    skeleton = replace(old, offsets=size * old.offsets, tips={name: size * v for name, v in old.tips.items()})
    return Motion(skeleton, motion.rotations, size * motion.root, motion.fps, moved)


def _read(context: Any, source: Any, at_rest: AtRest, frames: FloatArray) -> tuple[Motion, FloatArray | None]:
    """The source's motion, and the heights of what carries its feet (T, 4) if it knows them."""
    scene, now = context.scene, context.scene.frame_current
    known = has_contacts(source)
    places, turns, level = [], [], []
    for frame in frames:
        scene.frame_set(int(frame))
        seen = source.evaluated_get(context.evaluated_depsgraph_get())
        place, turn = read_pose(seen, at_rest)
        places.append(place)
        turns.append(turn)
        level.append(contacts_now(seen) if known else [])
    scene.frame_set(now)
    turned = quat.continuous(np.array(turns))
    motion = motion_from_world(at_rest.skeleton, np.array(places), turned, rate_of(scene))
    return motion, np.array(level) if known else None
