"""Cameras from the moving person alone: the body for a start, robust bundle adjustment for the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from calibration.adjust.bundle import Bundle, adjust
from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import FOCAL, ROTATION
from calibration.align import Move
from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.animate import ADULT
from mocap.attach import load_attachment
from mocap.bodybundle import GUESSED_SIZE, KNOWN_SIZE, adjust_on_body
from mocap.bodystart import start_cameras
from mocap.config import Distance
from mocap.errors import MocapError
from mocap.observations import Observations
from mocap.stature import stature_of
from mocap.swaps import repair_swaps
from mocap.world import stand_world
from rigs.solving.body import load_body

Floats = NDArray[np.float64]

ROUNDS = ((6.0, 10), (3.0, 15), (2.0, 15))  # robust scale in deviations, and steps
POINTS = 2500  # of the bundle; more bring nothing, as a detector's errors are alike from frame to frame
LEAST_POINTS = 200
SIZE_OFF = 0.06  # by which height and distance may disagree: three deviations of a stature from bones
SCALE_PX = 0.02  # of the person's height: see `pipeline.ROBUST_PX`
STEADY = 0.05  # seconds over which the velocity of a landmark is taken
PIXEL = 0.7  # what a landmark scatters by itself, pixels
FOCAL_SD = 0.12  # of the natural logarithm of an assumed focal length
FOREIGN = 0.4  # metres by which the bodies of a view miss those of another that sees the same person
ALIKE = 25.0  # observations that count as one: a detector errs alike in neighbouring frames and landmarks


@dataclass(frozen=True)
class SelfCalibrated:
    """Cameras found from people.

    cameras: metres, y up, floor at 0; turn_sd (V,) radians (about the worst axis) and focal_sd (V,) relative:
    how sure they are;
    notes: what was assumed.
    """

    cameras: Cameras
    turn_sd: Floats
    focal_sd: Floats
    notes: list[str]


def calibrate_from_person(
    seen: Observations,
    lenses: Cameras,
    given: NDArray[np.bool_],
    stature: float | None = None,
    distance: Distance | None = None,
) -> SelfCalibrated:
    """Find where the cameras stand from one person whom they all film.

    Args:
        seen: V views of one person on one clock, with the detector's 3D guess.
        lenses: V cameras; only their intrinsics are used.
        given: (V,) whether a view's intrinsics are known; the focal length of the others is estimated.
        stature: metres; None = a typical adult's, and the scale is as good as that.
        distance: between two cameras; it goes before the stature.

    Raises:
        MocapError: the views do not see the same person, or too little of them.
    """
    once, _ = repair_swaps(seen, None)
    cameras, misfit = start_cameras(once, lenses, stature or ADULT[0])
    _require_same_person(seen, misfit)
    bundle = settle(seen, cameras, _freedom(np.ones_like(given)))
    repaired, _ = repair_swaps(seen, bundle.cameras)
    known = KNOWN_SIZE if stature else GUESSED_SIZE
    body = adjust_on_body(repaired, bundle.cameras, _freedom(given), stature=stature or ADULT[0], size=known)
    cameras, size = _stood(seen, body.cameras, stature or ADULT[0], distance)
    return SelfCalibrated(
        cameras,
        body.sd[:, ROTATION].max(axis=1),
        body.sd[:, FOCAL.start],
        _scale_notes(size, stature, distance),
    )


def settle(
    seen: Observations,
    cameras: Cameras,
    freedom: Freedom,
    rounds: tuple[tuple[float, int], ...] = ROUNDS,
    tolerance: float = 1e-4,
) -> Bundle:
    """Adjust cameras and landmarks from wide to narrow; left and right are put back anew in each round.

    Args:
        seen: V views of one person.
        cameras: where to start.
        freedom: what of the cameras may move.
        rounds: robust scale in deviations, and most steps.
        tolerance: relative fall of the cost at which a round ends.

    Raises:
        MocapError: hardly a landmark is seen by two views at once.
    """
    unsure = np.sqrt(ALIKE)
    for robust, steps in rounds:
        repaired, _ = repair_swaps(seen, cameras)
        given = evidence(repaired, triangulated(repaired, cameras, robust / 2))
        bundle = adjust(
            cameras,
            given.points,
            given.pixels,
            given.sd * unsure,
            freedom,
            robust=robust / unsure,
            velocity=given.velocity,
            steps=steps,
            tolerance=tolerance,
        )
        cameras = bundle.cameras
    return bundle


def triangulated(seen: Observations, cameras: Cameras, wide: float = 1.0) -> Floats:
    """Return the landmarks in space (T, J, 3), robustly; `wide` times the usual scale."""
    scale = max(float(np.nanmedian(seen.heights())) * SCALE_PX, 2.0) * max(wide, 1.0)
    return triangulate(cameras, seen.pixels, seen.confidence**2, scale_px=scale)[0]


@dataclass(frozen=True)
class Evidence:
    """What a bundle is made from: points (S, 3) m; pixels and their velocity (V, S, 1, 2) px, px/s; sd px."""

    points: Floats
    pixels: Floats
    velocity: Floats
    sd: Floats


def evidence(seen: Observations, landmarks: Floats) -> Evidence:
    """Choose landmarks evenly over the clip that two views or more saw, and weigh them.

    Args:
        seen: V views, sides put right.
        landmarks: (T, J, 3) m, triangulated.

    Raises:
        MocapError: hardly a landmark is seen by two views at once.
    """
    sd = _scatter(seen)
    usable = np.isfinite(landmarks).all(axis=-1) & (np.isfinite(sd).sum(axis=0) >= 2)
    rows = np.flatnonzero(usable)
    if len(rows) < LEAST_POINTS:
        raise MocapError(
            f"no calibration: {len(rows)} landmarks were seen by two views at once, and it takes"
            f" {LEAST_POINTS}; film one person, whole, in all views"
        )
    rows = rows[:: max(1, len(rows) // POINTS)]
    views = len(seen.names)
    flat, velocity = sd.reshape(views, -1)[:, rows], _velocity(seen).reshape(views, -1, 2)[:, rows]
    known = np.isfinite(flat)
    pixels = np.where(known[..., None], seen.pixels.reshape(views, -1, 2)[:, rows], np.nan)
    return Evidence(
        landmarks.reshape(-1, 3)[rows],
        pixels[:, :, None],
        velocity[:, :, None],
        np.where(known, flat, 1.0)[..., None],
    )


def _scatter(seen: Observations) -> Floats:
    """(V, T, J) pixels that each landmark may be off; infinite where it says nothing."""
    attachment = load_attachment(seen.layout, load_body())
    sd = np.full(seen.confidence.shape, np.inf)
    heights = np.nan_to_num(seen.heights(), nan=1.0)[..., None]
    confidence = seen.confidence[:, :, attachment.rows]
    usual = attachment.scatter(confidence) * attachment.sd * heights
    if seen.spread is not None:
        usual = np.where(confidence > 0, seen.spread[:, :, attachment.rows], np.inf)
    sd[:, :, attachment.rows] = np.hypot(usual, PIXEL)
    return sd


def _velocity(seen: Observations) -> Floats:
    """(V, T, J, 2) pixels a second, over a few frames; NaN where unknown."""
    if seen.frames < 2:
        return np.full(seen.pixels.shape, np.nan)
    smooth = gaussian_filter1d(seen.pixels, STEADY * float(seen.fps), axis=1, mode="nearest")
    return np.asarray(np.gradient(smooth, axis=1) * float(seen.fps))


def _freedom(given: NDArray[np.bool_]) -> Freedom:
    """All poses but the first, and the focal lengths that nobody gave."""
    freedom = Freedom.of(len(given))
    freedom.sd[0, : FOCAL.start] = 0.0
    freedom.sd[:, FOCAL] = np.where(given, 0.0, FOCAL_SD)[:, None]
    return freedom


def _stood(
    seen: Observations, cameras: Cameras, stature: float, distance: Distance | None
) -> tuple[Cameras, float]:
    """In metres, upright and on the floor, where the person starts; and the person's stature by that."""
    repaired, _ = repair_swaps(seen, cameras)
    landmarks = triangulated(repaired, cameras)
    size = stature_of(triangulated(repaired.as_detected(), cameras), seen.layout)
    if distance is None:
        scale = stature / size
    else:
        first, second = (cameras[name].centre for name in distance.between)
        scale = distance.metres / float(np.linalg.norm(first - second))
    grow = Move(np.eye(3), np.zeros(3), scale)
    cameras, landmarks = grow.cameras(cameras), grow.points(landmarks)
    stand = stand_world(cameras, landmarks, seen.layout, scale * size, float(seen.fps))
    return stand.cameras(cameras), scale * size


def _scale_notes(size: float, stature: float | None, distance: Distance | None) -> list[str]:
    if distance is None:
        said = f"the person's height was assumed to be {ADULT[0]:.2f} m, which sets the scale: give it"
        return [] if stature else [said]
    if stature and abs(size / stature - 1) > SIZE_OFF:
        return [
            f"by the given distance of {distance.metres:g} m between {' and '.join(distance.between)} the"
            f" person is {size:.2f} m tall, not {stature:.2f} m: measure both again"
        ]
    return []


def _require_same_person(seen: Observations, misfit: Floats) -> None:
    blind = [n for n, off in zip(seen.names, misfit, strict=True) if np.isinf(off)]
    if blind:
        raise MocapError(
            f"no calibration: view {', '.join(blind)} sees nobody together with the others;"
            " film one person, whole, in all views at once"
        )
    foreign = [f"{n} ({off:.2f} m)" for n, off in zip(seen.names, misfit, strict=True) if off > FOREIGN]
    if foreign:
        raise MocapError(
            f"no calibration: the body in view {', '.join(foreign)} does not move as in the others: it"
            " follows another person, or the videos do not start together; leave it out or give its offset"
        )
