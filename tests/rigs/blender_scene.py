"""Run by a Python that has bpy: import a scene as Blender's user does and save where every bone is.

    python blender_scene.py clip.glb out.npz RATE RATE_BASE FRAMES

A .glb or USD file with the importer's default settings, into a scene of the rate RATE / RATE_BASE, as glTF
tells no rate. Saves names of armatures, in their order, and for each NAME:bones, NAME:heads (FRAMES, J, 3) in
Blender's world at frames 0 to FRAMES - 1, and NAME:keyed, its first and last frame with a key; and the
scene's rate.
"""

import os
import sys

import bpy
import numpy as np


def main(source: str, target: str, rate: str, base: str, frames: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = int(rate), float(base)
    if source.endswith(".glb"):
        scene.render.fps_base = 1.0 / float(
            base
        )  # Blender 4.5's import multiplies by it, where it should divide
        bpy.ops.import_scene.gltf(filepath=source)
        scene.render.fps_base = float(base)
    else:
        bpy.ops.wm.usd_import(filepath=source)
    armatures = sorted((o for o in bpy.data.objects if o.type == "ARMATURE"), key=lambda o: o.name)
    heads = {armature.name: [] for armature in armatures}
    for frame in range(int(frames)):
        scene.frame_set(frame)
        for armature in armatures:
            heads[armature.name].append([armature.matrix_world @ bone.head for bone in armature.pose.bones])
    found = {f"{name}:heads": np.array(values, dtype=float) for name, values in heads.items()}
    for armature in armatures:
        found[f"{armature.name}:bones"] = np.array([bone.name for bone in armature.pose.bones])
        found[f"{armature.name}:keyed"] = np.array(armature.animation_data.action.frame_range)
    names = np.array([armature.name for armature in armatures])
    np.savez(target, names=names, rate=scene.render.fps / scene.render.fps_base, **found)


if __name__ == "__main__":
    main(*sys.argv[-5:])
    os._exit(0)  # bpy can crash while the interpreter shuts down
