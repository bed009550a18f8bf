"""Run by a Python that has bpy: import a BVH as Blender's user does and save where every bone is.

    python blender_read.py clip.bvh out.npz

Default settings (forward -Z, up Y) but for the scale, centimetres to metres, and the scene taking the file's
rate and length. Saves names, heads (T, J, 3) in Blender's world, the first and the last frame that has a key,
fps and fps_base. The scene's end says less: the import only ever lengthens it, to a frame past the last key.
"""

import os
import sys

import bpy
import numpy as np


def main(source: str, target: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(
        filepath=source, global_scale=0.01, update_scene_fps=True, update_scene_duration=True
    )
    scene, armature = bpy.context.scene, bpy.context.object
    first, last = (round(frame) for frame in armature.animation_data.action.frame_range)
    heads = []
    for frame in range(first, last + 1):
        scene.frame_set(frame)
        heads.append([armature.matrix_world @ bone.head for bone in armature.pose.bones])
    np.savez(
        target,
        names=np.array([bone.name for bone in armature.pose.bones]),
        heads=np.array(heads, dtype=float),
        keyed=np.array([first, last]),
        fps=scene.render.fps,
        fps_base=scene.render.fps_base,
    )


if __name__ == "__main__":
    main(*sys.argv[-2:])
    os._exit(0)  # bpy can crash while the interpreter shuts down
