"""Whether a video shows the pixels that its camera was calibrated for, and the camera for those it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from calibration.errors import FootageError

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

# Black bars after H.264: the brightest value of 99 % of a line stayed below 25 over whole videos, its median
# below 7; the line at the edge of the picture rang up to 70. Limited-range black read as is would be 16.
_BLACK_NEARLY_ALL = 40
_BLACK_HALF = 20
_SLACK = 2.0  # px by which a bar may differ from what the sizes say: one ringing line and one of rounding
_SIMPLE = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True, eq=False)
class Footage:
    """A camera that fits the pixels of a video.

    Args:
        camera: the camera, for frames of the video's own size.
        note: what had to be changed, in one sentence to be shown to the user; None = nothing.
    """

    camera: Camera
    note: str | None


def match_footage(
    camera: Camera, size: tuple[int, int], images: Sequence[Image], rotation: int | None = None
) -> Footage:
    """Hold a video against its calibration, and adapt the camera to the frames that the video has.

    Understood: the same frames; turned frames; scaled ones; ones put between black bars; ones cropped at the
    centre along one axis, at a simple scale (1, 1/2, 2/3, ...). Frames of equal size are left alone.

    Args:
        camera: as calibrated.
        size: (width, height) of the video's frames, pixels.
        images: some frames of the video, spread over it, (height, width, 3) RGB, to look for black bars;
            may be empty when the sizes have the same shape.
        rotation: degrees clockwise by which the video is turned against the frames of the calibration: 0, 90,
            180 or 270; None = find out.

    Raises:
        FootageError: the sizes cannot be reconciled safely; names both and says what to do.
    """
    if rotation is not None and rotation not in (0, 90, 180, 270):
        raise FootageError(f"camera {camera.name!r}: rotation: must be 0, 90, 180 or 270, got {rotation}")
    quarters = _quarters(camera, size) if rotation is None else rotation // 90
    turned = camera
    for _ in range(quarters):
        turned = _turned_clockwise(turned)
    fitted = _fitted(turned, size, images)
    notes = [f"turned by {90 * quarters} degrees clockwise"] if quarters else []
    notes += [fitted.note] if fitted.note else []
    if not notes:
        return fitted
    sizes = f"video {_times(size)}, calibrated at {_times(camera.size)}"
    return Footage(fitted.camera, f"{sizes}: {' and '.join(notes)}; the camera was adapted")


def _fitted(camera: Camera, size: tuple[int, int], images: Sequence[Image]) -> Footage:
    """The camera for a video that is upright: same, scaled, boxed or cropped."""
    if camera.size == size:
        return Footage(camera, None)
    if _same_shape(camera.size, size):
        scale = size[0] / camera.size[0], size[1] / camera.size[1]
        return Footage(_resampled(camera, size, scale, (0.0, 0.0)), f"scaled by {scale[0]:.4g}")
    if not len(images):
        raise _refusal(camera, size, "no frame was given in which black bars could be looked for")
    return _boxed(camera, size, images) or _cropped(camera, size)


def _same_shape(calibrated: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether one scale maps one onto the other, but for rounding to whole (or even) pixels."""
    scale = max(size[0] / calibrated[0], size[1] / calibrated[1])
    return abs(size[0] - scale * calibrated[0]) < _SLACK and abs(size[1] - scale * calibrated[1]) < _SLACK


def _resampled(
    camera: Camera, size: tuple[int, int], scale: tuple[float, float], shift: tuple[float, float]
) -> Camera:
    """Scale the picture about its upper left *corner*, then shift it; pixel centres are at integers."""
    change = np.diag([scale[0], scale[1], 1.0])
    change[:2, 2] = 0.5 * np.array(scale) - 0.5 + shift
    return replace(camera, size=size, K=change @ camera.K)


def _boxed(camera: Camera, size: tuple[int, int], images: Sequence[Image]) -> Footage | None:
    """The whole picture, scaled, between two black bars; None without bars on the axis that has room."""
    scale = min(size[0] / camera.size[0], size[1] / camera.size[1])
    room = size[0] - scale * camera.size[0], size[1] - scale * camera.size[1]
    axis = int(room[1] > room[0])
    before, after = _bars(images, axis)
    if before + after < room[axis] - 2 * _SLACK:
        return None
    start = _picture_start(camera, size, room[axis], before, after)
    shift = (start, 0.0) if axis == 0 else (0.0, start)
    sides = ("left and right", "above and below")[axis]
    note = f"scaled by {scale:.4f} between black bars of {before} and {after} px {sides}"
    return Footage(_resampled(camera, size, (scale, scale), shift), note)


def _picture_start(camera: Camera, size: tuple[int, int], room: float, before: int, after: int) -> float:
    """Where the picture begins: in the middle if the bars allow it, else behind the first bar."""
    half = 0.5 * room
    reaches = before >= half - _SLACK and after >= half - _SLACK
    if reaches and min(before, after) <= half + _SLACK:
        return half
    if not reaches and abs(before + after - room) <= 2 * _SLACK:
        return before + 0.5 * (room - before - after)
    raise _refusal(
        camera,
        size,
        f"its black bars are {before} and {after} px, the calibration leaves {room:.1f} px for both",
    )


def _bars(images: Sequence[Image], axis: int) -> tuple[int, int]:
    """Lines that are black in every frame, from both ends; axis 0 counts columns, 1 rows."""
    planes = [image[..., channel] for image in images for channel in range(3)]
    brightest = reduce(np.maximum, planes)
    lines = brightest if axis == 1 else brightest.T
    nearly_all, half = np.percentile(lines, [99, 50], axis=1)
    lit = np.flatnonzero((nearly_all > _BLACK_NEARLY_ALL) | (half > _BLACK_HALF))
    if not lit.size:
        return len(lines), len(lines)
    return int(lit[0]), int(len(lines) - 1 - lit[-1])


def _cropped(camera: Camera, size: tuple[int, int]) -> Footage:
    """The middle of the picture: one side whole at a simple scale, the other cut on both ends."""
    scale = max(size[0] / camera.size[0], size[1] / camera.size[1])
    near = min(_SIMPLE, key=lambda simple: abs(simple - scale))
    if abs(near - scale) * max(camera.size) >= 1.0:
        raise _refusal(
            camera, size, "there are no black bars, and it is no crop of one side at a simple scale"
        )
    cut = near * camera.size[0] - size[0], near * camera.size[1] - size[1]
    axis = int(cut[1] > cut[0])
    shift = (-0.5 * cut[0], 0.0) if axis == 0 else (0.0, -0.5 * cut[1])
    note = f"taken as the middle of the picture, {cut[axis] / 2:g} px cut from either {('side', 'end')[axis]}"
    if near != 1.0:
        note = f"scaled by {near:.4g} and {note}"
    return Footage(_resampled(camera, size, (near, near), shift), note)


def _quarters(camera: Camera, size: tuple[int, int]) -> int:
    """Quarter turns clockwise from calibrated to video frames, decided by which way is up."""
    width, height = camera.size
    if width == height or _same_shape(camera.size, size) or not _same_shape((height, width), size):
        return 0
    up = camera.camera_from_world[:2, 1]  # the world's up in the picture: x right, y down
    if np.hypot(*up) > 0.7 and abs(up[0]) > 2 * abs(up[1]):
        return 1 if up[0] < 0 else 3  # what points left points up after a clockwise turn
    raise _refusal(
        camera,
        size,
        "it is turned by a quarter, and the calibration does not say which way: give rotation 90 or 270",
    )


def _turned_clockwise(camera: Camera) -> Camera:
    """The camera for frames turned by 90 degrees clockwise: pixel (u, v) becomes (height - 1 - v, u)."""
    K, width, height = camera.K, *camera.size
    if K[0, 1] != 0:
        raise FootageError(f"camera {camera.name!r}: K: frames of a camera with skew cannot be turned")
    turned = np.diag([K[1, 1], K[0, 0], 1.0])
    turned[:2, 2] = height - 1 - K[1, 2], K[0, 2]
    quarter = np.eye(4)
    quarter[:2, :2] = [[0.0, -1.0], [1.0, 0.0]]
    distortion = camera.distortion.copy()
    if camera.model == "pinhole" and len(distortion):
        # The tangential pull is q r^2 + 2 x (q . x) with q = (p2, p1): q turns with the picture.
        distortion[2:4] = camera.distortion[3], -camera.distortion[2]
    return replace(
        camera,
        size=(height, width),
        K=turned,
        distortion=distortion,
        camera_from_world=quarter @ camera.camera_from_world,
    )


def _refusal(camera: Camera, size: tuple[int, int], why: str) -> FootageError:
    return FootageError(
        f"camera {camera.name!r}: the video is {_times(size)}, the calibration {_times(camera.size)}: {why}; "
        "calibrate with frames of the video's size, or use the video as it left the camera"
    )


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
