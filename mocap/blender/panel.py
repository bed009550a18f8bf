"""The tab "mocap" in the 3D view's sidebar, and the entry in the File menu."""

import bpy

from .operators import ImportMocap, LookThrough, RetargetMocap


class MocapPanel(bpy.types.Panel):
    """Import, retarget, look through a take's camera."""

    bl_idname = "VIEW3D_PT_mocap"
    bl_label = "Mocap"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "mocap"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the buttons, and say what each wants."""
        column = self.layout.column()
        column.operator(ImportMocap.bl_idname, icon="IMPORT")
        column.separator()
        column.label(text="Select the mocap, then the character:")
        column.operator(RetargetMocap.bl_idname, icon="ARMATURE_DATA")
        column.separator()
        column.operator(LookThrough.bl_idname, icon="VIEW_CAMERA")


def add_to_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draw the entry of File > Import."""
    menu.layout.operator(ImportMocap.bl_idname, text="Mocap Take or BVH (take.json, .bvh)")
