"""The cameras of a capture: read, matched to the views by name, and held against the videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.files import read_calibration
from calibration.footage import match_footage
from mocap.config import CalibrationFile, CaptureConfig, View
from mocap.errors import ConfigError
from mocap.lens import camera_with_field_of_view
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
        camera, said = _in_place(known[view.name], view, video)
        fitted.append(camera)
        notes += said
    return Cameras(tuple(fitted)), notes


def lens_of(view: View, video: VideoInfo) -> tuple[Camera | None, list[str]]:
    """Read a view's own intrinsics, for the pixels of its video; no file, no camera.

    Returns:
        The camera, in no particular place; and a note if it was adapted.

    Raises:
        ConfigError: the file has several cameras, none of them named as the view.
        calibration.CalibrationError: it cannot be read, or the video does not fit it.
    """
    if view.intrinsics is None:
        return None, []
    known = read_calibration(view.intrinsics, sizes={view.name: video.size}, poses=False)
    if view.name not in known.names and len(known) > 1:
        raise ConfigError(
            f"{view.intrinsics}: has no camera for view {view.name}; its cameras are {', '.join(known.names)}"
        )
    camera, note = _fitted(known[view.name] if view.name in known.names else known[0], video)
    return camera, [f"{view.name}: {note}"] if note else []


def check_cameras(config: CaptureConfig, videos: Sequence[VideoInfo]) -> None:
    """Read what is given of the cameras, before anything long begins.

    Raises:
        ConfigError, MocapError, calibration.CalibrationError: see the other functions here.
    """
    if config.calibration is not None:
        cameras_for(config.calibration, config.views, videos)
    else:
        lenses_for(config.views, videos)


def lenses_for(views: Sequence[View], videos: Sequence[VideoInfo]) -> tuple[Cameras, list[bool], list[str]]:
    """Give each view its lens: from its own intrinsics or field of view, else one that is assumed.

    Returns:
        The cameras, in no particular place; whether each lens was given; and notes.

    Raises:
        ConfigError, MocapError, calibration.CalibrationError: see `lens_of` and `camera_with_field_of_view`.
    """
    lenses, given, notes = [], [], []
    for view, video in zip(views, videos, strict=True):
        known, said = lens_of(view, video)
        made = camera_with_field_of_view(view.name, video.size, view.fov)
        lenses.append(replace(known, name=view.name) if known is not None else made)
        given.append(known is not None or view.fov is not None)
        notes += said
    return Cameras(tuple(lenses)), given, notes


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


def _in_place(camera: Camera, view: View, video: VideoInfo) -> tuple[Camera, list[str]]:
    """The view's camera from the calibration; its own intrinsics, where it has them, go before."""
    if view.fov is not None:
        raise ConfigError(
            f"view {view.name}: has a field of view beside a calibration: leave one of them out"
        )
    lens, notes = lens_of(view, video)
    if lens is not None:
        return replace(lens, name=camera.name, camera_from_world=camera.camera_from_world), notes
    fitted, note = _fitted(camera, video)
    return fitted, [f"{view.name}: {note}"] if note else []


def _fitted(camera: Camera, video: VideoInfo) -> tuple[Camera, str | None]:
    images = [] if video.size == camera.size else _some_images(video)
    footage = match_footage(camera, video.size, images)
    return footage.camera, footage.note


def _some_images(video: VideoInfo) -> list[Image]:
    frames = read_frames(video.path, 0, min(video.frames or LOOKED_AT, LOOKED_AT))
    return [f.image for f in frames if f.image is not None and f.index % 8 == 0]
