"""Run by a Python that has bpy: use the add-on as Blender's user does, and save where everything is.

    python blender_addon.py mocap_blender.zip folder character.npz out.npz

The folder holds take/ and walk.bvh; the character is an armature to build, as an FBX importer leaves it: y up
in centimetres, under an object that is turned and scaled. BLENDER_USER_RESOURCES names an empty folder.
"""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler

PREFIX = "mixamorig:"
MODES = ("QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE")


def main(extension: str, folder: str, character: str, out: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(filepath=extension, repo="user_default", enable_on_install=True)
    bpy.ops.preferences.addon_enable(module="rigify")
    found: dict[str, object] = {}
    bpy.ops.import_anim.mocap(filepath=str(Path(folder) / "take" / "take.json"), start=11)
    take(found)
    source = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o.name.endswith(" 1"))
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    choose(metarig)
    bpy.ops.pose.rigify_generate()  # before it moves: the metarig's pose would become the rig's rest
    both(found, "metarig", source, metarig)
    both(found, "rigify", source, next(o for o in bpy.data.objects if o.name == "rig"))
    mixamo = built(character)
    both(found, "mixamo", source, mixamo)
    choose(source, mixamo)
    found["refused_map"] = refused(bpy.ops.pose.mocap_retarget, map_file=str(Path(folder) / "map.yaml"))
    bpy.ops.import_anim.mocap(filepath=str(Path(folder) / "walk.bvh"))
    found |= {f"bvh_{key}": value for key, value in moving(bpy.context.object).items()}
    found |= {f"bvh_{key}": value for key, value in scene_says().items()}
    found["refused"] = refused(bpy.ops.import_anim.mocap, filepath=str(Path(folder) / "nothing.bvh"))
    before = len(bpy.data.objects)
    damaged = str(Path(folder) / "damaged" / "take.json")
    found["refused_take"] = refused(bpy.ops.import_anim.mocap, filepath=damaged)
    found["refused_take_left"] = len(bpy.data.objects) - before
    np.savez(out, **found)


def take(found: dict[str, object]) -> None:
    """What the import of a take made."""
    scene = bpy.context.scene
    found |= scene_says()
    for target in [o for o in bpy.data.objects if o.type == "ARMATURE"]:
        person = target.name[-1]
        found |= {f"person{person}_{key}": value for key, value in moving(target).items()}
        markers = target.animation_data.action.pose_markers
        found[f"person{person}_markers"] = np.array([f"{m.frame} {m.name}" for m in markers])
    for camera in [o for o in bpy.data.objects if o.type == "CAMERA"]:
        choose(camera)
        bpy.ops.view3d.mocap_look_through()
        scene.frame_set(20)
        size = np.array([scene.render.resolution_x, scene.render.resolution_y])
        target = bpy.data.objects["take 1"].evaluated_get(bpy.context.evaluated_depsgraph_get())
        seen = [world_to_camera_view(scene, camera, bone.head) for bone in target.pose.bones]
        found[f"{camera.name}_seen"] = np.array([[x, 1.0 - y] for x, y, _ in seen]) * size
        found[f"{camera.name}_clips"] = np.array(
            [b.clip.frame_start for b in camera.data.background_images if b.clip is not None]
        )


def scene_says() -> dict[str, object]:
    scene = bpy.context.scene
    said = (scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end)
    return {"scene": np.array(said, float)}


def moving(target: bpy.types.Object) -> dict[str, np.ndarray]:
    """Names, frames (T,), and heads (T, J, 3) and contacts (T, 4) where it has them, in Blender's world."""
    scene = bpy.context.scene
    first, last = target.animation_data.action.frame_range
    frames = np.arange(round(first), round(last) + 1)
    heads, contacts = [], []
    for frame in frames:
        scene.frame_set(int(frame))
        seen = target.evaluated_get(bpy.context.evaluated_depsgraph_get())
        heads.append([seen.matrix_world @ bone.head for bone in seen.pose.bones])
        contacts.append(
            [seen.get(f"contact_{s}", 0.0) for s in ("LeftBall", "RightBall", "LeftHeel", "RightHeel")]
        )
    names = np.array([bone.name for bone in target.pose.bones])
    return {"names": names, "frames": frames, "heads": np.array(heads), "contacts": np.array(contacts)}


def choose(*targets: bpy.types.Object) -> None:
    """Select; the last is active."""
    bpy.ops.object.select_all(action="DESELECT")
    for target in targets:
        target.select_set(True)
    bpy.context.view_layer.objects.active = targets[-1]


def both(found: dict[str, object], name: str, source: bpy.types.Object, target: bpy.types.Object) -> None:
    """Retarget with feet left alone and with feet that stand."""
    for feet in ("never", "auto"):
        choose(source, target)
        bpy.ops.pose.mocap_retarget(feet=feet)
        found |= {f"{name}_{feet}_{key}": value for key, value in moving(target).items()}


def built(character: str) -> bpy.types.Object:
    rows = np.load(character)
    armature = bpy.data.armatures.new("character")
    target = bpy.data.objects.new("character", armature)
    bpy.context.collection.objects.link(target)
    target.rotation_euler, target.scale = Euler((np.pi / 2, 0.0, 0.0)), (0.01, 0.01, 0.01)
    choose(target)
    bpy.ops.object.mode_set(mode="EDIT")
    columns = [rows[key] for key in ("names", "parents", "heads", "tails", "rolls")]
    for name, parent, head, tail, roll in zip(*columns, strict=True):
        bone = armature.edit_bones.new(PREFIX + str(name))
        bone.head, bone.tail, bone.roll = 100 * head, 100 * tail, roll
        if parent:
            bone.parent = armature.edit_bones[PREFIX + str(parent)]
    bpy.ops.object.mode_set(mode="OBJECT")
    for k, bone in enumerate(target.pose.bones):
        bone.rotation_mode = MODES[k % len(MODES)]
        bone.location = (3.0, 0.0, 1.0)  # somebody's pose, which the new action must not inherit
    return target


def refused(call: Callable[..., object], **arguments: object) -> str:
    try:
        call(**arguments)
    except RuntimeError as error:
        return str(error).strip()
    return ""


if __name__ == "__main__":
    try:
        main(*sys.argv[-4:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # bpy can crash while the interpreter shuts down
