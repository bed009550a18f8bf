"""Add-on for Blender: takes of the mocap program with cameras and contacts, and retargeting.

SPDX-License-Identifier: GPL-3.0-or-later
"""

import bpy

from .operators import ImportMocap, LookThrough, RetargetMocap
from .panel import MocapPanel, add_to_menu

_CLASSES = (ImportMocap, RetargetMocap, LookThrough, MocapPanel)


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    for each in _CLASSES:
        bpy.utils.register_class(each)
    bpy.types.TOPBAR_MT_file_import.append(add_to_menu)


def unregister() -> None:
    """Called by Blender when the add-on is switched off."""
    bpy.types.TOPBAR_MT_file_import.remove(add_to_menu)
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
