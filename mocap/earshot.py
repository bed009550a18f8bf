"""Offsets of views from the sound that they share, with what the sound's own way is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.sound import SHARP, SPEED, Lag, Sound, lags_of

Floats = NDArray[np.float64]
Views = tuple[int, int]

FURTHER = 5.0  # metres by which one camera of a set stands further from a sound than another, at most
ABOUT = 1.5  # metres that people, who make the sounds, are from the place where they are most of the time
CONTRADICTS = 0.03  # seconds: what is left of a lag once all are put together; 10 m of sound


@dataclass(frozen=True, eq=False)
class Heard:
    """What sound says of V views.

    Args:
        offsets: (V,) s to add to each view's times; NaN for views that heard nothing in common with others.
        sd: (V,) s.
        lags: the clear lags between pairs.
        mute: (V,) whether a view has no sound at all.
    """

    offsets: Floats
    sd: Floats
    lags: dict[Views, Lag]
    mute: NDArray[np.bool_]


def hear(sounds: Mapping[int, Sound], views: int, travel: Floats | None = None) -> Heard:
    """Put the lags between all pairs of sounds together.

    Args:
        sounds: by number of the view; views without sound are missing.
        views: V.
        travel: (V,) seconds that sound takes to each view, from where people are; None = unknown, and then
            the offsets are only known to what `FURTHER` allows.
    """
    lags = _consistent(lags_of(sounds), views)
    members = _largest(lags, views)
    offsets = np.full(views, np.nan)
    offsets[members] = _offsets(lags, views)[members]
    unknown = FURTHER / np.sqrt(3) if travel is None else ABOUT
    if travel is not None:
        offsets += travel
    sd = np.where(np.isfinite(offsets), np.hypot(SHARP, unknown / SPEED), np.inf)
    return Heard(offsets, sd, lags, np.array([v not in sounds for v in range(views)]))


def travel_times(cameras: Cameras, people: Floats, tall: float) -> Floats | None:
    """Seconds that sound takes to each camera from the middle of where people are seen.

    Args:
        cameras: V.
        people: (V, 2) typical pixel of people in each view, NaN where there are none.
        tall: how tall people are in the images, pixels.

    Returns:
        (V,), or None where the place cannot be told: views disagree on it by half a person, since they see
        different people, say.
    """
    place, error = triangulate(cameras, people[:, None], scale_px=tall / 4)
    if not np.isfinite(place).all() or error[0] > tall / 2:
        return None
    return np.array([float(np.linalg.norm(c.centre - place[0])) for c in cameras]) / SPEED


def _offsets(lags: Mapping[Views, Lag], views: int) -> Floats:
    """Least squares offsets (V,) of all lags, mean 0 in every group that hangs together."""
    rows, right = np.zeros((len(lags), views)), np.zeros(len(lags))
    for k, ((v, w), lag) in enumerate(lags.items()):
        rows[k, v], rows[k, w], right[k] = 1.0, -1.0, lag.seconds
    return np.asarray(np.linalg.lstsq(rows, right, rcond=None)[0]) if lags else np.zeros(views)


def _consistent(lags: dict[Views, Lag], views: int) -> dict[Views, Lag]:
    """Without the lags that the others contradict, the worst first."""
    while lags:
        offsets = _offsets(lags, views)
        missed = {p: abs(lag.seconds - offsets[p[0]] + offsets[p[1]]) for p, lag in lags.items()}
        worst = max(missed, key=lambda p: missed[p])
        if missed[worst] < CONTRADICTS:
            break
        lags = {p: lag for p, lag in lags.items() if p != worst}
    return lags


def _largest(lags: Mapping[Views, Lag], views: int) -> list[int]:
    """The largest group of views that lags hold together; empty if there is no lag."""
    group = list(range(views))
    for v, w in lags:
        old, new = group[w], group[v]
        group = [new if g == old else g for g in group]
    largest = max(group, key=group.count)
    members = [v for v in range(views) if group[v] == largest]
    return members if len(members) > 1 else []
