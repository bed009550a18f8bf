"""A take's cameras as Blender's, with their videos behind the scene."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from rigs import quat

from .axes import BLENDER_FROM_OURS
from .views import View

_SENSOR = 36.0  # mm: any would do
_BLENDER_LOOKS = np.diag([1.0, -1.0, -1.0, 1.0])  # its cameras look along -z and have y up
_OPACITY = 0.7
_SIZE, _ASPECT, _LENS = "mocap_size", "mocap_pixel_aspect", "mocap_lens_distortion"


def make_camera(view: View, collection: Any) -> Any:
    """Make the camera of a view; what the scene must render for it stands in its custom properties."""
    data = bpy.data.cameras.new(view.name)
    camera = bpy.data.objects.new(view.name, data)
    collection.objects.link(camera)
    (fx, _, cx), (_, fy, cy), _ = view.matrix
    width, height = view.size
    data.sensor_fit, data.sensor_width = "HORIZONTAL", _SENSOR
    data.lens = fx * _SENSOR / width
    data.shift_x = (width / 2.0 - (cx + 0.5)) / width
    data.shift_y = ((cy + 0.5) - height / 2.0) / width * (fx / fy)
    turn = np.eye(4)
    turn[:3, :3] = quat.to_matrix(BLENDER_FROM_OURS)
    camera.matrix_world = Matrix(turn @ np.linalg.inv(view.camera_from_world) @ _BLENDER_LOOKS)
    camera[_SIZE] = [width, height]
    camera[_ASPECT] = [max(1.0, fy / fx), max(1.0, fx / fy)]
    camera[_LENS] = view.distortion.tolist()
    return camera


def show_video(camera: Any, view: View, start: float, first: int, fps: Fraction) -> str | None:
    """Show a view's video behind its camera.

    Args:
        camera: of the view.
        view: the view.
        start: seconds of the take's clock at its first frame.
        first: the scene's frame with the take's first frame.
        fps: of the scene.

    Returns:
        What is to be said, None where all went well.
    """
    if view.video is None:
        return f"{view.name}: its video is not where it was, so there is none behind the camera"
    clip = bpy.data.movieclips.load(str(view.video))
    if not clip.frame_duration:  # it is no video
        bpy.data.movieclips.remove(clip)
        return f"{view.name}: Blender cannot read {view.video.name}"
    clip.frame_start = first - round((start - view.offset) * view.fps)
    background = camera.data.background_images.new()
    background.source, background.clip = "MOVIE_CLIP", clip
    background.alpha, background.display_depth, background.frame_method = _OPACITY, "BACK", "STRETCH"
    camera.data.show_background_images = True
    if view.fps != fps:
        return f"{view.name}: its video has {float(view.fps):.4g} frames a second and runs out of step"
    return None


def is_ours(camera: Any) -> bool:
    """Whether an object is a camera of a take."""
    return camera is not None and camera.type == "CAMERA" and _SIZE in camera


def look_through(scene: Any, camera: Any) -> None:
    """Let a scene render a take's camera as its video is: its pixels, and their shape."""
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = (int(n) for n in camera[_SIZE])
    scene.render.resolution_percentage = 100
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = camera[_ASPECT]


def is_distorted(view: View) -> bool:
    """Whether a view's lens bends lines, which Blender's cameras do not."""
    return bool(np.any(view.distortion))
