"""What makes a result meaningless: found before the solve, refused with the reason and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import reproject_error
from mocap.errors import MocapError
from mocap.observations import Observations

Floats = NDArray[np.float64]

SEEN_SHARE = 0.2  # of the frames in which somebody must be seen
CONFIDENT = 0.5
APART = 0.12  # of the person's height in the image: views that miss by more do not see the same thing
REFUSED_SHARE, FLAGGED_SHARE = 0.3, 0.05  # of a view's frames that are apart
STRAIGHT = 0.9  # cosine between trunk and body of a person who stands or lies
NARROW = 25.0  # degrees between the lines of sight of the two views that differ most
# Degrees that a found camera's direction is uncertain. Of 28 clips with known cameras none below 2.5 was more
# than 2.6 degrees off, and all that were more than 3 off lay above 2.9.
FLAGGED_TURN, REFUSED_TURN = 2.2, 2.9
FLAGGED_FOCAL = 6.0  # percent
UNDER_FLOOR = -0.3  # metres: cameras stand on floors, and floors found from feet are off by centimetres
LYING = 55.0  # degrees between the person's axis and up, and between the cameras' up and up


class RefusedError(MocapError):
    """The result would be meaningless; says why and what to do."""


class LyingError(RefusedError):
    """The world's up is not the people's.

    Args:
        axis: 0, 1 or 2 for the world's x, y or z, along which the people stand.
        sign: 1.0, or -1.0 against the axis.
        degrees: between that and the world's up.
    """

    def __init__(self, axis: int, sign: float, degrees: float) -> None:
        self.axis, self.sign = axis, sign
        name = f"{'-' if sign < 0 else ''}{'xyz'[axis]}"
        super().__init__(
            f"the world lies on its side: the person stands along {name}, {degrees:.0f} degrees off its up, y"
        )


@dataclass(frozen=True)
class Agreement:
    """How well the views agree on one person.

    error: (V, T) median reprojection error of the landmarks over the person's height in the image, NaN where
    unseen; apart: (V,) share of each view's frames that miss by more than `APART`.
    """

    error: Floats
    apart: Floats


def require_person(seen: Observations) -> float:
    """Return the share of frames in which enough views (two, or the only one) see somebody.

    Raises:
        RefusedError: there are too few.
    """
    visible = seen.visible().sum(axis=0)
    needed = min(2, len(seen.names))
    share = float((visible >= needed).mean())
    if share < SEEN_SHARE:
        several = f"two of the {len(seen.names)} views at once"
        who, check = (
            (several, ", and check the views' offsets") if needed == 2 else (f"view {seen.names[0]}", "")
        )
        raise RefusedError(
            f"no person: somebody is seen by {who} in {100 * share:.0f} % of the {seen.frames} frames;"
            f" film the whole body, in light{check}"
        )
    return share


def require_trunk(landmarks: Floats, trunk: list[int]) -> None:
    """Refuse landmarks (T, J, 3) whose hips and shoulders, the rows `trunk`, are hardly ever known.

    Raises:
        RefusedError: says in how few frames each is.
    """
    share = np.isfinite(landmarks[:, trunk]).all(axis=-1).mean(axis=0)
    if share.min() < SEEN_SHARE:
        raise RefusedError(
            f"no body: hips and shoulders were placed in {100 * share.min():.0f} % of the {len(landmarks)}"
            " frames; film the whole body, with the cameras well apart, and check the calibration"
        )


def agreement(seen: Observations, cameras: Cameras, landmarks: Floats) -> Agreement:
    """Hold the triangulated landmarks (T, J, 3) against every view."""
    pixels = reproject_error(cameras, landmarks, seen.pixels)
    sure = seen.confidence > CONFIDENT
    trusted = np.where(sure, pixels, np.nan)
    enough = np.isfinite(trusted).sum(axis=2) >= 6
    error = np.full(enough.shape, np.nan)
    error[enough] = np.nanmedian(trusted[enough], axis=-1)
    error /= seen.heights()
    known = np.maximum(enough.sum(axis=1), 1)
    return Agreement(error, (np.nan_to_num(error) > APART).sum(axis=1) / known)


def require_agreement(seen: Observations, found: Agreement) -> list[str]:
    """Return warnings about views that disagree now and then.

    Raises:
        RefusedError: they do so in a large share of the frames.
    """
    apart = dict(zip(seen.names, found.apart.tolist(), strict=True))
    bad = [name for name, share in apart.items() if share > REFUSED_SHARE]
    if len(bad) == 1 and len(seen.names) > 2:
        raise _one_contradicts(bad[0], apart[bad[0]])
    if bad:
        raise _all_contradict(apart, found)
    return [
        f"view {name} contradicts the others in {100 * share:.0f} % of its frames: another person, or no good"
        for name, share in apart.items()
        if share > FLAGGED_SHARE
    ]


def _one_contradicts(name: str, share: float) -> RefusedError:
    return RefusedError(
        f"view {name} contradicts the others in {100 * share:.0f} % of its frames: it sees another person,"
        " its camera has moved since the calibration, or its offset is wrong; mend it or leave it out"
    )


def _all_contradict(apart: dict[str, float], found: Agreement) -> RefusedError:
    typical = 100 * float(np.nanmedian(found.error))
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in apart.items())
    return RefusedError(
        f"the views do not see the same person at the same time (median miss {typical:.0f} % of the person's"
        f" height; frames apart: {shares}): several people, videos that do not start together (give each view"
        " its offset), or a calibration of other cameras"
    )


def weak_geometry(seen: Observations, cameras: Cameras, landmarks: Floats) -> list[str]:
    """Return a warning where all views look along nearly one line, so that depth along it is poorly known.

    Args:
        seen: V views.
        cameras: theirs.
        landmarks: (T, J, 3) m, triangulated.
    """
    where = np.nanmedian(landmarks.reshape(-1, 3), axis=0)
    rays = _unit(np.stack([c.centre for c in cameras]) - where)
    across = np.linalg.norm(np.cross(rays[:, None], rays[None]), axis=-1)
    widest = float(np.rad2deg(np.arcsin(np.clip(across.max(), 0.0, 1.0))))
    if widest >= NARROW:
        return []
    return [
        f"views {', '.join(seen.names)} look along nearly one line, side by side or face to face"
        f" (within {widest:.0f} degrees): depth along it is poorly known; add a camera from another side"
    ]


def require_upright(
    cameras: Cameras, landmarks: Floats, head: int, hips: list[int], ankles: list[int]
) -> None:
    """Refuse a world whose up axis neither the person nor the cameras share.

    A person who lies is fine, as long as the cameras stand as cameras do.

    Args:
        cameras: of the views.
        landmarks: (T, J, 3) m.
        head: row of a landmark of the head.
        hips: rows of both hips.
        ankles: rows of both ankles.

    Raises:
        LyingError: tells along which axis they stand.
    """
    trunk = _unit(landmarks[:, head] - landmarks[:, hips].mean(axis=1))
    stands = _unit(landmarks[:, head] - landmarks[:, ankles].mean(axis=1))
    straight = (trunk * stands).sum(axis=-1) > STRAIGHT
    if straight.sum() < 3:
        return
    person = _unit(np.median(stands[straight], axis=0))
    rig = _unit(-np.mean([c.camera_from_world[1, :3] for c in cameras], axis=0))
    off_person, off_rig = _degrees(person[1]), _degrees(rig[1])
    if off_person > LYING and off_rig > LYING and _degrees(float(person @ rig)) < LYING:
        axis = int(np.argmax(np.abs(rig)))
        raise LyingError(axis, float(np.sign(rig[axis])), off_person)


def require_known_geometry(cameras: Cameras, turn_sd: Floats, focal_sd: Floats) -> list[str]:
    """Return warnings about cameras that were found from people and are not well known.

    Args:
        cameras: V cameras.
        turn_sd: (V,) radians, how well the direction of each is known.
        focal_sd: (V,) relative, how well the focal length of each is known; 0 = given.

    Raises:
        RefusedError: the motion does not determine them; names the worst.
    """
    turns, focal = np.rad2deg(turn_sd), 100 * focal_sd
    worst = int(np.argmax(turns))
    if turns[worst] > REFUSED_TURN:
        raise RefusedError(
            f"view {cameras.names[worst]}: its camera is placed to {turns[worst]:.1f} degrees only:"
            " the person stays on one spot, or is seen too small; walk towards and away from every camera,"
            " turn, and stretch the arms, for 10 seconds"
        )
    out = []
    if turns[worst] > FLAGGED_TURN:
        out.append(
            f"view {cameras.names[worst]}: its camera was placed to {turns[worst]:.1f} degrees only: a person"
            " who walks about and stretches the arms tells more"
        )
    unsure = [f"{n} ({f:.0f} %)" for n, f in zip(cameras.names, focal, strict=True) if f > FLAGGED_FOCAL]
    if unsure:
        out.append(
            f"the focal length of {', '.join(unsure)} was estimated and is not well known: give `intrinsics`,"
            " a field of view in degrees or a calibration file"
        )
    return out


def require_cameras_above(cameras: Cameras) -> None:
    """Refuse found cameras that would stand under the floor.

    Raises:
        RefusedError: names them.
    """
    under = [f"{c.name} ({c.centre[1]:.2f} m)" for c in cameras if c.centre[1] < UNDER_FLOOR]
    if under:
        raise RefusedError(
            f"view {', '.join(under)}: its camera would stand under the floor: the person's feet are not seen"
            " well enough to find it; film the whole body, and stand upright for a moment"
        )


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12))


def _degrees(cosine: float) -> float:
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))
