"""The lens of an uncalibrated camera: from its field of view, or assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration.camera import Camera
from mocap.errors import MocapError

ASSUMED_FOCAL = 0.8  # of the long side: 64 degrees; main cameras of phones are 26 mm (69 degrees) less the
# margin that stabilised video crops, webcams 55 to 70 degrees
FIELD_OF_VIEW = (np.deg2rad(5.0), np.deg2rad(150.0))  # what a camera without distortion can have


def camera_with_field_of_view(name: str, size: tuple[int, int], field_of_view: float | None) -> Camera:
    """Make a camera without distortion, at the world's origin, whose axis meets the middle of the image.

    Args:
        name: of the camera.
        size: (width, height) pixels.
        field_of_view: across the width, radians; None = assumed, 64 degrees on the long side.

    Raises:
        MocapError: a field of view that no such lens has.
    """
    focal = ASSUMED_FOCAL * max(size) if field_of_view is None else _focal(name, size[0], field_of_view)
    centre = (np.array(size) - 1) / 2  # pixel centres are at integers
    matrix = np.array([[focal, 0.0, centre[0]], [0.0, focal, centre[1]], [0.0, 0.0, 1.0]])
    return Camera(name, size, matrix, np.zeros(0), np.eye(4))


def lens_of(
    name: str, size: tuple[int, int], camera: Camera | None, field_of_view: float | None
) -> tuple[Camera, list[str]]:
    """Return a camera as given, or made of its field of view, and what was assumed of it.

    Args:
        name: of the view.
        size: (width, height) pixels.
        camera: the calibrated one, if there is one.
        field_of_view: across the width, radians; None = assumed.

    Raises:
        MocapError: a field of view that no such lens has.
    """
    if camera is not None:
        return camera, []
    made = camera_with_field_of_view(name, size, field_of_view)
    if field_of_view is not None:
        return made, []
    return made, [
        f"view {name}: a horizontal field of view of {degrees_across(made):.0f} degrees was assumed;"
        " give `intrinsics` for true depths"
    ]


def degrees_across(camera: Camera, zoom: float = 1.0) -> float:
    """Return the horizontal field of view, degrees, at `zoom` times the focal length, bend aside."""
    return float(np.rad2deg(2 * np.arctan(camera.size[0] / 2 / (zoom * camera.K[0, 0]))))


def lens_told(assumed: Camera, zoom: float, zoom_sd: float) -> str:
    """Say what straight edges told of an assumed lens: `zoom` times its focal length, known to a share."""
    wide, least, most = (degrees_across(assumed, zoom * np.exp(k * zoom_sd)) for k in (0, 1, -1))
    return (
        f"view {assumed.name}: a horizontal field of view of {wide:.0f} degrees ({least:.0f} to {most:.0f})"
        " was read from straight edges around; give `intrinsics` for true depths"
    )


def zoomed(camera: Camera, zoom: float, bend: float) -> Camera:
    """Return the same camera with a focal length `zoom` times as long, and a distortion k1 = `bend`."""
    matrix = camera.K * np.array([[zoom, 1.0, 1.0], [1.0, zoom, 1.0], [1.0, 1.0, 1.0]])
    distortion = np.array([bend, 0.0, 0.0, 0.0]) if bend else np.zeros(0)
    return replace(camera, K=matrix, distortion=distortion)


def _focal(name: str, width: int, field_of_view: float) -> float:
    low, high = FIELD_OF_VIEW
    if not low <= field_of_view <= high:
        raise MocapError(
            f"view {name}: a field of view of {np.rad2deg(field_of_view):g} degrees is not plausible; "
            f"give {np.rad2deg(low):g} to {np.rad2deg(high):g} degrees, or a calibration file for a fisheye"
        )
    return float(width / 2 / np.tan(field_of_view / 2))
