"""Takes and BVH files into the scene."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from mocap.people import first_frame, people_in, read_beside, read_motion_of
from mocap.take import Take
from rigs import quat
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.errors import RigError
from rigs.formats.bvh.reading import read_bvh
from rigs.human import human_rig
from rigs.motion import Motion
from rigs.skeleton import Skeleton

from .animating import animate
from .bones import make_armature, read_rest
from .cameras import is_distorted, look_through, make_camera, show_video
from .contacts import write_contacts
from .curves import Curves
from .posing import motion_from_world
from .timing import rate_of, set_range, set_rate
from .views import View, clock_start, read_views


@dataclass
class Imported:
    """What came into the scene, and what is to be said of it."""

    armatures: list[Any] = field(default_factory=list)
    cameras: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_take(context: Any, folder: Path, start: int, with_cameras: bool, with_videos: bool) -> Imported:
    """Import the people and cameras of a take.

    Args:
        context: Blender's.
        folder: the take.
        start: the scene's frame that gets the take's first.
        with_cameras: whether cameras come too,
        with_videos: and their videos.

    Raises:
        mocap.errors.MocapError, rigs.errors.RigError: the take cannot be read, or nobody is in it.
    """
    take = Take.open(folder)
    clips = []
    for person in people_in(take):
        motion = read_motion_of(take, person)
        standing = replace(motion, skeleton=human_rig(motion.skeleton).skeleton)
        clip = Clip(f"{folder.stem} {person}", standing, first=first_frame(take, person))
        clips.append((clip, read_beside(take, person).contacts))
    views = read_views(take) if with_cameras else []  # all is read before anything is made
    out = _put(context, clips, start, folder)
    if views:
        _add_cameras(context, folder, views, out, start, with_videos)
    elif with_cameras:
        out.notes.append("the take has no cameras")
    return out


def import_bvh(context: Any, path: Path, start: int, unit: float | None, up: str) -> Imported:
    """Import a BVH file; `unit` and `up` as `rigs.formats.bvh.reading.read_bvh` has them.

    Raises:
        rigs.errors.RigError: the file cannot be read.
    """
    clip = Clip(path.stem, read_bvh(path, unit, up))
    lowest = float(clip.resting.world()[0][0, :, 1].min())
    old = clip.motion.skeleton
    offsets = old.offsets.copy()
    offsets[0] = (0.0, -lowest, 0.0)
    standing = Skeleton(old.names, old.parents, offsets, old.tips)
    upright = replace(clip, motion=replace(clip.motion, skeleton=standing))
    return _put(context, [(upright, None)], start, path)


def _put(context: Any, clips: list[tuple[Clip, Contacts | None]], start: int, source: Path) -> Imported:
    """Make an armature of each clip, in the scene's rate and range."""
    if not clips:
        raise RigError(f"{source} has no motion: run `mocap capture` again")
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    out, fps = Imported(), clips[0][0].motion.fps
    if len(bpy.data.actions) and rate_of(context.scene) != fps:
        out.notes.append(
            f"the scene now has {float(fps):.5g} frames a second: what moved before has another speed"
        )
    set_rate(context.scene, fps)
    for clip, contacts in clips:
        target = make_armature(clip, clip.name)
        frames = np.arange(len(clip.motion)) + float(start + clip.first)
        curves = Curves(target, clip.name)
        animate(target, curves, read_rest(target), _in_bones(target, clip), frames)
        if contacts is not None:
            write_contacts(target, curves, contacts, frames)
        out.armatures.append(target)
    set_range(context.scene, start, max(clip.first + len(clip.motion) for clip, _ in clips))
    _select(context, out.armatures)
    if context.scene.unit_settings.scale_length != 1.0:
        out.notes.append("the scene's unit scale is not 1: what was imported takes a unit for a metre")
    return out


def _in_bones(target: Any, clip: Clip) -> Motion:
    """A clip's motion in the frames of the bones, which lie along limbs where joints' frames need not."""
    at_rest = read_rest(target)
    row = [clip.motion.skeleton.index(name) for name in at_rest.skeleton.names]
    places, turns = (values[:, row] for values in clip.motion.world())
    bone_from_joint = quat.multiply(quat.conjugate(clip.resting.world()[1][0, row]), at_rest.world)
    return motion_from_world(at_rest.skeleton, places, quat.multiply(turns, bone_from_joint), clip.motion.fps)


def _add_cameras(
    context: Any, folder: Path, views: list[View], out: Imported, start: int, with_videos: bool
) -> None:
    collection = bpy.data.collections.new(f"{folder.stem} cameras")
    context.scene.collection.children.link(collection)
    fps, began = rate_of(context.scene), clock_start(views)
    for view in views:
        camera = make_camera(view, collection)
        out.cameras.append(camera)
        note = show_video(camera, view, began, start, fps) if with_videos else None
        out.notes += [note] if note else []
    bent = [view.name for view in views if is_distorted(view)]
    if bent:
        out.notes.append(
            f"lens distortion is not shown: towards the edges the video is off in {', '.join(bent)}"
        )
    look_through(context.scene, out.cameras[0])


def _select(context: Any, targets: list[Any]) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    for target in targets:
        target.select_set(True)
    context.view_layer.objects.active = targets[0]
