"""One moment of a motion on several rigs, side by side, rendered by Blender.

    mocap export RIG.glb --rig RIG --root in-place      for each rig
    python scripts/draw_rigs.py PICTURE.png FRAME RIG.glb [RIG.glb ...]

Runs in a Python that has bpy 4.5 (`pip install 'bpy==4.5.*'`), on the processor.
"""

import math
import sys

import bpy

COLOURS = ((0.85, 0.33, 0.25), (0.25, 0.5, 0.85), (0.3, 0.7, 0.4), (0.85, 0.65, 0.2), (0.6, 0.4, 0.75))
APART = 1.15  # metres


def main() -> None:
    """Import, light, render."""
    picture, frame, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for k, file in enumerate(files):
        character(file, COLOURS[k % len(COLOURS)], (k - (len(files) - 1) / 2) * APART)
    bpy.ops.mesh.primitive_plane_add(size=30)
    bpy.context.object.data.materials.append(material((0.8, 0.8, 0.8)))
    light()
    scene = bpy.context.scene
    scene.frame_set(frame)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 64, False
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = 1200, 440
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)


def character(file: str, colour: tuple[float, float, float], x: float) -> None:
    """Import one and put it in its place."""
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=file)
    for new in set(bpy.data.objects) - before:
        if new.parent is None:
            new.location.x += x
        if new.type == "MESH":
            new.hide_render = new.parent is None  # Blender's own shape for bones
            new.data.materials.clear()
            new.data.materials.append(material(colour))


def material(colour: tuple[float, float, float]) -> bpy.types.Material:
    """A matt surface."""
    made = bpy.data.materials.new("matt")
    made.use_nodes = True
    surface = made.node_tree.nodes["Principled BSDF"].inputs
    surface["Base Color"].default_value, surface["Roughness"].default_value = (*colour, 1.0), 0.6
    return made


def light() -> None:
    """A sun, a sky and a camera at the height of a person."""
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    sky = scene.world.node_tree.nodes["Background"].inputs
    sky[0].default_value, sky[1].default_value = (0.9, 0.93, 1.0, 1.0), 0.45
    bpy.ops.object.light_add(type="SUN", rotation=[math.radians(a) for a in (45.0, 15.0, 30.0)])
    bpy.context.object.data.energy = 2.0
    camera = bpy.data.cameras.new("camera")
    camera.lens = 42
    scene.camera = bpy.data.objects.new("camera", camera)
    scene.collection.objects.link(scene.camera)
    scene.camera.location, scene.camera.rotation_euler = (0.0, -7.2, 1.7), (math.radians(84.5), 0.0, 0.0)


if __name__ == "__main__":
    main()
