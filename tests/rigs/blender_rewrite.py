"""Run by a Python that has bpy: import an FBX as Blender's user does, and export it again.

    python blender_rewrite.py in.fbx out.fbx '{"axis_up": "Z", "axis_forward": "Y"}'

The last argument holds options of Blender's exporter. Keys are not thinned out.
"""

import json
import os
import sys

import bpy


def main(source: str, target: str, options: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=source)
    spans = [action.frame_range for action in bpy.data.actions]
    bpy.context.scene.frame_start = round(min(start for start, _ in spans))
    bpy.context.scene.frame_end = round(max(stop for _, stop in spans))
    bpy.ops.export_scene.fbx(filepath=target, bake_anim_simplify_factor=0.0, **json.loads(options))


if __name__ == "__main__":
    main(*sys.argv[-3:])
    os._exit(0)  # bpy can crash while the interpreter shuts down
