"""Run by a Python that has bpy: import a BVH or FBX as Blender's user does and save where every bone is.

    python blender_read.py clip.bvh out.npz

Default settings but, of BVH, for the scale, centimetres to metres, and the scene taking the file's rate and
length. Saves names and heads (T, J, 3) of the bones of all armatures in Blender's world, where the vertices
(N, 3) of all meshes are in the last frame, the first and the last frame that has a key, fps and fps_base.
The scene's end says less: the import of BVH only ever lengthens it, to a frame past the last key.
"""

import os
import sys

import bpy
import numpy as np


def load(source: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if source.endswith(".fbx"):
        bpy.ops.import_scene.fbx(filepath=source)
    else:
        bpy.ops.import_anim.bvh(
            filepath=source, global_scale=0.01, update_scene_fps=True, update_scene_duration=True
        )


def vertices() -> list:
    now = bpy.context.evaluated_depsgraph_get()
    meshes = [thing.evaluated_get(now) for thing in bpy.data.objects if thing.type == "MESH"]
    return [mesh.matrix_world @ vertex.co for mesh in meshes for vertex in mesh.data.vertices]


def main(source: str, target: str) -> None:
    load(source)
    scene = bpy.context.scene
    armatures = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
    spans = [armature.animation_data.action.frame_range for armature in armatures]
    first, last = round(min(start for start, _ in spans)), round(max(stop for _, stop in spans))
    heads = []
    for frame in range(first, last + 1):
        scene.frame_set(frame)
        heads.append([a.matrix_world @ bone.head for a in armatures for bone in a.pose.bones])
    np.savez(
        target,
        names=np.array([bone.name for a in armatures for bone in a.pose.bones]),
        heads=np.array(heads, dtype=float),
        vertices=np.array(vertices(), dtype=float),
        keyed=np.array([first, last]),
        fps=scene.render.fps,
        fps_base=scene.render.fps_base,
    )


if __name__ == "__main__":
    main(*sys.argv[-2:])
    os._exit(0)  # bpy can crash while the interpreter shuts down
