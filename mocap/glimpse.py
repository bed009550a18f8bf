"""What is known of landmarks that one view alone sees, and of people whom the image's edge cuts.

Where a view alone sees a hand, nothing tells its depth, and two poses of the arm fit alike. The detector's
own guess of the depth is not exact, but mostly knows which of the two it is: so the solve starts there. Of
somebody who is half out of the image a detector squeezes what it does not see into what it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from mocap.bodyguess import angles_off_axis, facing_the_eye, in_camera_axes, load_guess
from mocap.keypoints import Layout
from mocap.observations import Observations
from mocap.stature import stature_of

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SEEN = 0.5  # confidence of a landmark that its detector takes for seen
EDGE = 0.03  # of the body's height: who comes so near to the image's edge is cut by it
LEGS = 0.1  # of the body's height: joints of legs so far beyond the edge are still guessed well enough
# How far within the image a landmark is, and how far it is off at least (deviation); of the body's height.
DOUBT = ((-0.06, 0.0, 0.03), (0.04, 0.025, 0.0))
WEAK = 0.5  # of a guessed depth's deviation, from which on the images' own is worth a guess
NEAREST = 0.3  # metres before a camera
ARMS = ("elbow", "wrist", "pinky", "index", "thumb")  # what hangs on a trunk whose depth is known
TRUNK = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "hip"))


def without_squeezed(seen: Observations, sizes: Sequence[tuple[int, int]]) -> Observations:
    """Leave out what was hardly seen of a person whom the image's edge cuts.

    Centres of joints of legs that lie within the image stay, and near its edge: they are as good there as
    whole people's. Hidden hands are put onto the trunk, so without them arms of those who are cut come out
    better.

    Args:
        seen: V views of one person.
        sizes: (width, height) of each view's images, pixels.
    """
    low = seen.pixels.min(axis=-1)
    far = np.array(sizes, dtype=np.float64)[:, None, None] - 1 - seen.pixels
    inside = np.fmin(low, far.min(axis=-1))
    tall = np.nan_to_num(seen.heights())[..., None]
    cut = (inside < EDGE * tall).any(axis=-1, keepdims=True)
    legs = [j for j in seen.layout.groups["legs"] if j >= len(seen.layout.detector)]
    gone = cut & (seen.confidence < SEEN)
    gone[:, :, legs] &= (inside <= -LEGS * tall)[:, :, legs]
    pixels = np.where(gone[..., None], np.nan, seen.pixels)
    return replace(seen, pixels=pixels, confidence=np.where(gone, 0.0, seen.confidence))


def with_doubt_at_edges(seen: Observations, sizes: Sequence[tuple[int, int]]) -> Observations:
    """Widen the spread of landmarks that lie beyond the image's edge, or so near to it that they may.

    Whatever is out of the image was not seen, but a detector is sure of it: where it says 1 or 2 per cent of
    the body's height and a confidence of 0.95 and more, it errs by 4 to 5 (held-out people of the pairs).
    Joint centres beside its landmarks know themselves how far they may be off there.

    Args:
        seen: V views of one person.
        sizes: (width, height) of each view's images, pixels.
    """
    if seen.spread is None:
        return seen
    height = seen.heights()[..., None]
    far = np.array(sizes, dtype=np.float64)[:, None, None] - 1 - seen.pixels
    inside = np.minimum(seen.pixels, far).min(axis=-1) / height
    least = np.interp(np.nan_to_num(inside, nan=np.inf), *DOUBT) * height
    least[:, :, len(seen.layout.detector) :] = 0.0
    return replace(seen, spread=np.fmax(seen.spread, np.where(np.isfinite(inside), least, np.nan)))


def with_single_sights(
    seen: Observations, cameras: Cameras, landmarks: Floats, stature: float | None = None
) -> Floats:
    """Place landmarks that one view alone surely sees in line with it, as deep as its detector guesses.

    Args:
        seen: V views of one person.
        cameras: theirs.
        landmarks: (T, J, 3) m, triangulated.
        stature: m, which gives the guess its scale; None = from the landmarks.

    Returns:
        (T, J, 3) m. Landmarks that two views see stay as they are, and all do without a guess.
    """
    if seen.world is None:
        return landmarks
    stature = stature or stature_of(landmarks, seen.layout)
    if not np.isfinite(stature):
        return landmarks
    sure = seen.confidence > SEEN
    views = sure.sum(axis=0)
    known = np.where((views >= 2)[..., None], landmarks, np.nan)
    out = landmarks.copy()
    for v, camera in enumerate(cameras):
        found = _in_line(seen, v, camera, known, stature)
        use = (views == 1) & sure[v] & np.isfinite(found).all(axis=-1)
        out[use] = found[use]
    return out


def guessed_depths(
    seen: Observations, cameras: Cameras, landmarks: Floats, stature: float, image_sd: Floats, rows: Indices
) -> tuple[Floats, Floats] | None:
    """Depths of arms before each view as its detector guesses them, where nothing better tells them.

    Where a view alone sees a hand, or two that face each other, the images tell less of its depth than the
    guess does. That is laid into the depth of the trunk, which is known. Legs and trunk are not asked:
    guessed strides are too short by up to 0.4 m, and held-out people came out worse with them.

    Args:
        seen: V views of one person.
        cameras: theirs.
        landmarks: (T, J, 3) m, triangulated.
        stature: m.
        image_sd: (V, T, N) deviation of what was seen, in undistorted image coordinates; infinite if unseen.
        rows: (N,) the landmarks that are asked.

    Returns:
        (V, T, N) m along the optical axis, NaN where nothing is guessed, and its deviations, m, infinite
        there; None where the detector never guesses.
    """
    if seen.world is None:
        return None
    each = [_depth_in_view(seen, v, camera, landmarks, stature)[:, rows] for v, camera in enumerate(cameras)]
    found, pixels = np.stack(each), seen.pixels[:, :, rows]
    sd = np.broadcast_to(load_guess(seen.layout).sd[rows] * stature, found.shape)
    about = _of_their_like(found, rows, seen.layout)
    weak = _with_their_like(_depth_sd(pixels, cameras, about, image_sd), rows, seen.layout) > WEAK * sd
    weak &= np.isin(rows, _arms(seen.layout))
    depth = np.where((seen.confidence[:, :, rows] > SEEN) & weak, found, np.nan)
    return depth, np.where(np.isfinite(depth), sd, np.inf)


def _arms(layout: Layout) -> list[int]:
    names = [f"{side}_{part}" for side in ("left", "right") for part in ARMS]
    return [layout.index(name) for name in names if name in layout.landmarks]


def _of_their_like(depth: Floats, rows: Indices, layout: Layout) -> Floats:
    """Depths (V, T, N): that of the same place for rows of which nothing is guessed."""
    place, out = {int(row): n for n, row in enumerate(rows)}, depth.copy()
    for one, other in layout.same:
        if one in place and other in place:
            own, guess = depth[..., place[other]], depth[..., place[one]]
            out[..., place[other]] = np.where(np.isfinite(own), own, guess)
    return out


def _with_their_like(sd: Floats, rows: Indices, layout: Layout) -> Floats:
    """Deviations (V, T, N) of rows of which some are the same place: what both together tell."""
    place = {int(row): n for n, row in enumerate(rows)}
    told = sd**-2
    for one, other in layout.same:
        if one in place and other in place:
            told[..., place[one]] += sd[..., place[other]] ** -2
    return np.asarray(told**-0.5)


def _depth_sd(pixels: Floats, cameras: Cameras, depth: Floats, image_sd: Floats) -> Floats:
    """(V, T, N) m, how well all images together tell the depth of landmarks along each view's lines of sight.

    A view that sees a landmark to s metres tells of a direction at an angle a to its own line sin^2 a / s^2.
    """
    rays = np.nan_to_num(
        np.stack([_rays(camera, seen) for camera, seen in zip(cameras, pixels, strict=True)])
    )
    told = np.nan_to_num(1 / (image_sd * np.maximum(depth, NEAREST)) ** 2)
    cosine = np.einsum("utnx,vtnx->uvtn", rays, rays)
    return np.asarray(1 / np.sqrt(np.maximum((told[:, None] * (1 - cosine**2)).sum(axis=0), 1e-12)))


def _rays(camera: Camera, pixels: Floats) -> Floats:
    """Unit vectors (..., 3) in the world towards pixels (..., 2)."""
    image = camera.undistort(pixels)
    local = np.concatenate([image, np.ones((*image.shape[:-1], 1))], axis=-1)
    rays = local @ camera.camera_from_world[:3, :3]
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def _in_line(seen: Observations, view: int, camera: Camera, known: Floats, stature: float) -> Floats:
    """All landmarks (T, J, 3) on one view's lines of sight, its guess laid into the depth of the trunk."""
    image = camera.undistort(seen.pixels[view])
    rotation, translation = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    along = _depth_in_view(seen, view, camera, known, stature)[..., None]
    local = np.concatenate([image * along, along], axis=-1)
    return np.asarray((local - translation) @ rotation)


def _depth_in_view(seen: Observations, view: int, camera: Camera, known: Floats, stature: float) -> Floats:
    """(T, J) m before a view, its guess laid into the depth of the trunk."""
    assert seen.world is not None
    image = camera.undistort(seen.pixels[view])
    rotation, translation = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    depth = _guessed_depth(seen.world[view], image, seen.layout, rotation, stature)
    trunk = [seen.layout.index(name) for name in TRUNK]
    off = known[:, trunk] @ rotation[2] + translation[2] - depth[:, trunk]
    some = np.isfinite(off).any(axis=1)
    shift = np.full((len(off), 1), np.nan)
    shift[some, 0] = np.nanmedian(off[some], axis=1)
    return np.asarray(depth + shift)


def _guessed_depth(world: Floats, image: Floats, layout: Layout, rotation: Floats, stature: float) -> Floats:
    """(T, J) metres along the camera's axis, about the hips."""
    guess = load_guess(layout)
    right, below = angles_off_axis(image, layout)
    tilt = float(np.arctan2(-rotation[2, 1], -rotation[1, 1]))
    shape = in_camera_axes(guess, facing_the_eye(world, right), below, tilt)
    return np.asarray(shape[..., 2] * guess.scale * stature)
