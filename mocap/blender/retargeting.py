"""From an armature in motion onto another: read, perform as `rigs` does, write key frames."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.perform import Performance, perform
from rigs.quat import FloatArray
from rigs.recognise import recognise
from rigs.rig import Rig

from .animating import animate
from .bones import AtRest, read_pose, read_rest
from .contacts import contacts_now, has_contacts
from .curves import Curves
from .posing import motion_from_world
from .rigify import ORIGINAL, controls_of, is_generated, metarig_parents, pose_controls
from .timing import rate_of


def retarget_onto(context: Any, source: Any, target: Any, how: Performance) -> Any:
    """Let an armature do what another does.

    Args:
        context: Blender's.
        source: an armature with an action.
        target: another: of Rigify, before or after generating, or any that is recognised.
        how: feet, hands and root.

    Returns:
        The target's new action; the one that it had stays in the file.

    Raises:
        RigError: one of the two is not recognised, or the source does not move.
    """
    if source.animation_data is None or source.animation_data.action is None:
        raise RigError(f"armature {source.name!r} has no action; select one that moves first")
    fps = rate_of(context.scene)
    frames = _frames(source.animation_data.action)
    at_rest = read_rest(source)
    rig = _rig(source, at_rest, fps)
    motion, level = _read(context, source, at_rest, frames, fps)
    motion = _scaled(motion, _size(rig, at_rest))
    generated = is_generated(target)
    parents = metarig_parents(target) if generated else None
    there = read_rest(target, parents, ORIGINAL if generated else "")
    other = _rig(target, there, fps)
    controls = controls_of(target, list(other.roles.values())) if generated else {}
    if generated:
        other = replace(
            other, roles={r: n for r, n in other.roles.items() if n in controls}, twists={}, follows={}
        )
        controls = {name: c for name, c in controls.items() if name in other.roles.values()}
    done = perform(motion, rig, other, how, level, target.name)
    if len(done.motion.skeleton) != len(there.skeleton):
        raise RigError(f"armature {target.name!r} has no root bone on the floor; choose hips or in place")
    curves = Curves(target, f"{source.animation_data.action.name} on {target.name}")
    size = _size(other, there)
    if generated:
        pose_controls(target, curves, there, _scaled(done.motion, 1.0 / size), frames, controls)
    else:
        moving = {*other.roles.values(), *other.twists, *other.follows}
        only = moving | {other.root} if other.root and how.root == "root" else moving
        animate(target, curves, there, done.motion, frames, size, only)
    return curves.action


def _frames(action: Any) -> FloatArray:
    first, last = action.frame_range
    return np.arange(np.ceil(first - 1e-3), np.floor(last + 1e-3) + 1.0)


def _rig(target: Any, at_rest: AtRest, fps: Fraction) -> Rig:
    skeleton = at_rest.skeleton
    still = Motion(skeleton, at_rest.rest[None], skeleton.offsets[:1], fps)
    return recognise(Clip(target.name, still, at_rest.rest))


def _size(rig: Rig, at_rest: AtRest) -> float:
    """How many times as large a rig is as the armature that it was recognised in."""
    lengths = [float(np.linalg.norm(s.offsets[1:], axis=1).sum()) for s in (rig.skeleton, at_rest.skeleton)]
    return lengths[0] / lengths[1]


def _scaled(motion: Motion, size: float) -> Motion:
    """A motion with all its lengths times `size`."""
    old, moved = motion.skeleton, {j: size * v for j, v in motion.translations.items()}
    skeleton = replace(old, offsets=size * old.offsets, tips={name: size * v for name, v in old.tips.items()})
    return Motion(skeleton, motion.rotations, size * motion.root, motion.fps, moved)


def _read(
    context: Any, source: Any, at_rest: AtRest, frames: FloatArray, fps: Fraction
) -> tuple[Motion, FloatArray | None]:
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
    motion = motion_from_world(at_rest.skeleton, np.array(places), turned, fps)
    return motion, np.array(level) if known else None
