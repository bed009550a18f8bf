"""What the user can call: import, retarget, look through a camera."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import bpy
from bpy_extras.io_utils import ImportHelper

from mocap.errors import MocapError
from rigs.errors import RigError
from rigs.retargeting.perform import Performance

from .cameras import is_ours, look_through
from .importing import Imported, import_bvh, import_take
from .mapfile import read_map_lines
from .retargeting import retarget_onto

_UNITS = {"AUTO": None, "CM": 0.01, "M": 1.0}


class ImportMocap(bpy.types.Operator, ImportHelper):
    """Import a take of the mocap program, by the take.json in its folder, or a BVH file."""

    bl_idname = "import_anim.mocap"
    bl_label = "Import Mocap"
    bl_description = "Import a take of the mocap program, by the take.json in its folder, or a BVH file"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(default="take.json;*.bvh", options={"HIDDEN"})
    start: bpy.props.IntProperty(
        name="Start Frame", default=1, description="Frame that gets the first of the take"
    )
    cameras: bpy.props.BoolProperty(name="Cameras", default=True, description="The cameras of a take")
    videos: bpy.props.BoolProperty(name="Videos", default=True, description="Each camera's video behind it")
    unit: bpy.props.EnumProperty(
        name="BVH Unit",
        items=[
            ("AUTO", "By its Size", "Centimetres if the rest pose is more than 10 units across, else metres"),
            ("CM", "Centimetres", "A unit of the file is a centimetre"),
            ("M", "Metres", "A unit of the file is a metre"),
        ],
    )
    up: bpy.props.EnumProperty(
        name="BVH Up",
        items=[("y", "Y", "The file's upward axis is y"), ("z", "Z", "The file's upward axis is z")],
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import, and say what is to be known of it."""
        path = Path(self.filepath)
        with _refusals(self) as said:
            if path.suffix.lower() == ".bvh":
                done = import_bvh(context, path, self.start, _UNITS[self.unit], self.up)
            else:
                folder = path if path.is_dir() else path.parent
                done = import_take(context, folder, self.start, self.cameras, self.videos)
            _tell(self, done)
        return {"CANCELLED"} if said else {"FINISHED"}


class RetargetMocap(bpy.types.Operator):
    """Let the active armature do what the other selected one does; its feet stand where those stand."""

    bl_idname = "pose.mocap_retarget"
    bl_label = "Retarget to Selected Armature"
    bl_description = (
        "Let the active armature do what the other selected one does; its feet stand where those stand"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    feet: bpy.props.EnumProperty(
        name="Feet",
        items=[
            ("auto", "As the Source", "What stands in the source stands"),
            ("always", "Always", "Also what is only low and slow"),
            ("never", "Never", "Feet go where legs carry them"),
            ("ground", "Ground", "As the source, and the lowest foot is always on the floor"),
        ],
    )
    hands: bpy.props.BoolProperty(name="Hands Reach", description="Hands go where the source's are, to scale")
    root: bpy.props.EnumProperty(
        name="Root",
        items=[
            ("hips", "Hips", "The hips carry the way"),
            ("root", "Root Bone", "A root bone on the floor carries the way"),
            ("in-place", "In Place", "The way is taken out"),
        ],
    )

    map_file: bpy.props.StringProperty(
        name="Map",
        subtype="FILE_PATH",
        description="Where the character is not recognised: a file of `mocap rigs map`, completed",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether two armatures are selected."""
        chosen = [o for o in context.selected_objects if o.type == "ARMATURE"]
        active = context.active_object
        return len(chosen) == 2 and active in chosen

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Retarget, and show the new action."""
        target = context.active_object
        (source,) = (o for o in context.selected_objects if o.type == "ARMATURE" and o != target)
        with _refusals(self) as said:
            mapped = read_map_lines(Path(bpy.path.abspath(self.map_file))) if self.map_file else {}
            how = Performance(self.feet, self.hands, self.root)
            action = retarget_onto(context, source, target, how, mapped)
            self.report({"INFO"}, f"{target.name}: {action.name}")
        return {"CANCELLED"} if said else {"FINISHED"}


class LookThrough(bpy.types.Operator):
    """See and render through the active camera of a take, in its video's size."""

    bl_idname = "view3d.mocap_look_through"
    bl_label = "Look Through Camera"
    bl_description = "See and render through the active camera of a take, in its video's size"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the active object is a camera of a take."""
        return is_ours(context.active_object)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the scene's camera."""
        look_through(context.scene, context.active_object)
        if context.region_data is not None:
            context.region_data.view_perspective = "CAMERA"
        return {"FINISHED"}


class _Heard(logging.Handler):
    """What the packages warn of, as the operator's reports."""

    def __init__(self, operator: bpy.types.Operator) -> None:
        super().__init__(logging.WARNING)
        self._operator = operator

    def emit(self, record: logging.LogRecord) -> None:
        self._operator.report({"WARNING"}, record.getMessage())


@contextmanager
def _refusals(operator: bpy.types.Operator) -> Iterator[list[str]]:
    """Report what is refused as an error of the operator; the list has its message then."""
    said: list[str] = []
    log, heard = logging.getLogger(__package__), _Heard(operator)
    log.addHandler(heard)
    try:
        yield said
    except (MocapError, RigError) as error:
        said.append(str(error))
        operator.report({"ERROR"}, str(error))
    finally:
        log.removeHandler(heard)


def _tell(operator: bpy.types.Operator, done: Imported) -> None:
    people, cameras = len(done.armatures), len(done.cameras)
    operator.report({"INFO"}, f"Armatures: {people}, cameras: {cameras}")
    for note in done.notes:
        operator.report({"WARNING"}, note)
