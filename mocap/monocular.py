"""One camera: a person's motion from what a single view saw and what a lifter makes of it.

The lifter (`mocap.lift`) says where joints are about the hips; where none was trained for a detector, the
detector's own guess of the depth takes its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from calibration.surroundings.edges import Edges
from mocap.animate import ADULT, Animated
from mocap.errors import MocapError
from mocap.feet import Feet
from mocap.lens import lens_of, lens_told
from mocap.observations import Observations
from mocap.progress import Progress, Quiet
from mocap.single import Single, SingleSettings
from rigs.solving.kinematics import Pose

Floats = NDArray[np.float64]

SEEN = 0.5  # share of the frames in which the person must be seen


def animate_single(
    seen: Observations,
    size: tuple[int, int],
    stature: float | None = None,
    camera: Camera | None = None,
    settings: SingleSettings | None = None,
    *,
    posed: bool = False,
    sized: bool = True,
    fov: float | None = None,
    progress: Progress | None = None,
    feet: Feet = "auto",
    turns: Floats | None = None,
    edges: Edges | None = None,
) -> tuple[Animated, Camera, list[str]]:
    """Solve one person's motion from a single camera that stands, or turns in a known way.

    Args:
        seen: one view, with the detector's 3D guess.
        size: (width, height) of the video, pixels.
        stature: metres, if known.
        camera: the lens, if calibrated; None = from `fov`.
        settings: weights; None = defaults.
        posed: `camera` stands in a world of its own (y up, floor at 0), which is kept. Otherwise the world is
            made: y up as the person stands, floor at 0 under the feet, the person starts at the origin, and
            the camera looks along -z.
        sized: that world's metres are true. Otherwise it was made from somebody else, and a person without a
            stature gets the one with which he stands on its floor.
        fov: horizontal field of view, radians; None = assumed.
        progress: told after each window, of which there are two rounds.
        feet: as for `mocap.animate.animate`.
        turns: (T, 3, 3) a still camera from this one, where this one turns; then the still one is returned.
        edges: straight edges around, in the axes of the camera that is returned; they tell which way is up,
            and the lens where it is assumed. Not asked of a camera that is `posed`.

    Returns:
        The solved person, the camera in the world of the motion, and what was assumed, a line each.

    Raises:
        MocapError: not one view, no 3D guess, or nobody in most frames.
    """
    _require(seen)
    known = camera is not None or fov is not None
    camera, notes = lens_of(seen.names[0], size, camera, fov)
    to_floor = posed and not sized and stature is None
    if stature is None and not to_floor:
        notes.append(f"the person's height was assumed to be {ADULT[0]:.2f} m; give it to get the true size")
    progress = progress or Quiet()
    single = Single(
        seen, camera, stature or ADULT[0], settings or SingleSettings(), progress, feet, posed, turns
    )
    if edges is not None and not posed:
        single, told = single.look_around(edges, known)
        if told is not None and not known:
            notes = [lens_told(camera, told.zoom, told.zoom_sd), *notes[1:]]
    progress.start(2 * seen.frames)
    try:
        pose, drift = _solved(single, posed, to_floor)
    finally:
        progress.done()
    if to_floor:
        notes.append(
            f"the person's height was taken to be {single.stature:.2f} m, to stand on the same floor"
        )
    return single.animated(pose), single.camera, notes + drift


def _solved(single: Single, posed: bool, to_floor: bool) -> tuple[Pose, list[str]]:
    """Solve roughly, find the floor unless the camera is `posed`, solve again; and notes on that."""
    if not posed:
        single.stand_camera()
    rough = single.solve_roughly(single.first())
    if not posed:
        rough = single.level(rough)
    if to_floor:
        rough = single.stand(rough)
    pose = single.solve_with_sizes(rough)
    pose, notes = (pose, []) if posed else single.grounded(single.settle(pose))
    pose = pose if single.feet == "never" else single.plant(pose)
    return (pose if posed else single.centre(pose)), notes


def _require(seen: Observations) -> None:
    if len(seen.names) != 1:
        raise MocapError(
            f"one camera: {len(seen.names)} views were given ({', '.join(seen.names)}); give one"
        )
    if seen.world is None:
        raise MocapError(
            f"view {seen.names[0]}: its detector gives no 3D guess, which one camera needs; use blazepose"
        )
    share = float((np.median(seen.confidence[0], axis=1) > 0).mean()) if seen.frames else 0.0
    if share < SEEN:
        raise MocapError(
            f"view {seen.names[0]}: a person is seen in {100 * share:.0f} % of the {seen.frames} frames, and"
            f" one camera needs {100 * SEEN:.0f} %; cut the clip to where the whole body is in view"
        )
