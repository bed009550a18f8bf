"""The cameras of a capture: read, matched to the views by name, and held against the videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.files import read_calibration
from calibration.footage import match_footage
from mocap.config import CalibrationFile, View
from mocap.errors import ConfigError
from mocap.video import Image, VideoInfo, read_frames

LOOKED_AT = 24  # frames from the start of a video; every eighth is looked at for black bars


def cameras_for(
    calibration: CalibrationFile, views: Sequence[View], videos: Sequence[VideoInfo]
) -> tuple[Cameras, list[str]]:
    """Read a calibration and give the camera of each view, for the pixels of its video.

    Returns:
        The cameras in the order of the views, world y up in metres; and a note for each that was adapted.

    Raises:
        ConfigError: the calibration lacks a view.
        calibration.CalibrationError: it cannot be read, or a video does not fit its camera.
    """
    sizes = {view.name: video.size for view, video in zip(views, videos, strict=True)}
    known = read_calibration(calibration.file, units=calibration.units, up=calibration.up, sizes=sizes)
    missing = [view.name for view in views if view.name not in known.names]
    if missing:
        raise ConfigError(
            f"{calibration.file}: has no camera for view {', '.join(missing)}; its cameras are"
            f" {', '.join(known.names)}: name the views as the cameras"
        )
    fitted, notes = [], []
    for view, video in zip(views, videos, strict=True):
        camera, note = _fitted(known[view.name], video)
        fitted.append(camera)
        notes += [f"{view.name}: {note}"] if note else []
    return Cameras(tuple(fitted)), notes


def axis_in_file(
    calibration: CalibrationFile, sizes: Mapping[str, tuple[int, int]], axis: int, sign: float
) -> str:
    """Say what an axis of our world is called in the calibration's own, such as "z" or "-y".

    Args:
        calibration: the file; `up` says how it was turned into our world, y up.
        sizes: (width, height) of the videos by view.
        axis: 0, 1 or 2.
        sign: 1.0 or -1.0.
    """
    ours, own = (
        read_calibration(calibration.file, units=calibration.units, up=up, sizes=sizes)[0]
        for up in (calibration.up, "y")
    )
    turn = own.camera_from_world[:3, :3].T @ ours.camera_from_world[:3, :3]
    direction = sign * turn[:, axis]
    largest = int(np.argmax(np.abs(direction)))
    return f"{'-' if direction[largest] < 0 else ''}{'xyz'[largest]}"


def _fitted(camera: Camera, video: VideoInfo) -> tuple[Camera, str | None]:
    images = [] if video.size == camera.size else _some_images(video)
    footage = match_footage(camera, video.size, images)
    return footage.camera, footage.note


def _some_images(video: VideoInfo) -> list[Image]:
    frames = read_frames(video.path, 0, min(video.frames or LOOKED_AT, LOOKED_AT))
    return [f.image for f in frames if f.image is not None and f.index % 8 == 0]
