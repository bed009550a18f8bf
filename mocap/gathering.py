"""Who is who and when each view began, the one helped by the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from mocap.clock import partial_views
from mocap.config import CaptureConfig
from mocap.crowd import Crowd, gather, on_clock, one_person
from mocap.crowdsync import synchronise_crowd
from mocap.errors import SyncError
from mocap.gates import require_person
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.seek import Look, seek
from mocap.sync import Synchronised, synchronise
from mocap.timing import trim_offsets
from mocap.video import VideoInfo

Floats = NDArray[np.float64]
Views = Mapping[str, Keypoints2D]
Refine = Callable[[Views], Views]

TOGETHER = 1.5  # deviations of an offset within which views are taken to have begun at once
ROUNDING = 0.1  # of a frame, likewise
TRIMMED_BY = 3  # people by whom offsets are trimmed
LEAST_SD = 1e-4  # seconds


def began(
    config: CaptureConfig,
    keypoints: Mapping[str, Keypoints2D],
    *,
    cameras: Cameras | None = None,
    lenses: Sequence[Camera] | None = None,
) -> Synchronised:
    """Return when each view began, as given or found.

    Calibrated cameras mostly run together: where nothing tells, they are taken to, with a warning; views that
    do not agree are found later. Without a calibration a wrong offset would become a wrong camera.

    Raises:
        SyncError: nothing tells, and there is no calibration.
    """
    try:
        return synchronise_crowd(config.views, keypoints, cameras=cameras, lenses=lenses)
    except SyncError as error:
        if config.calibration is None:
            raise
        return _taken_together(config, keypoints, str(error))


def _trimmed(
    config: CaptureConfig, crowd: Crowd, videos: Sequence[VideoInfo], timed: Synchronised, cameras: Cameras
) -> Synchronised:
    """Found offsets to a part of a frame; views that began within that began together."""
    free = np.array([view.offset is None for view in config.views]) & np.isfinite(timed.sd) & (timed.sd > 0)
    if not free.any():
        return timed
    rates = [v.fps for v in videos]
    heard = np.where(["sound" in source for source in timed.sources], timed.sd, np.inf)
    each = [
        trim_offsets(views, rates, timed.offsets, free, cameras, heard) for views in crowd.views[:TRIMMED_BY]
    ]
    offsets, sd = _weighed(each, timed.offsets, free)
    near = TOGETHER * sd + ROUNDING * timed.frames
    if free.all() and np.all(np.abs(offsets - offsets.mean()) < near):
        offsets = np.zeros(len(offsets))
    return replace(timed, offsets=offsets, sd=np.where(free, sd, timed.sd))


def _weighed(
    each: Sequence[tuple[Floats, Floats]], before: Floats, free: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Offsets (V,) and their deviations by all people, each by how well it tells."""
    if len(each) == 1:
        return each[0]
    held = int(np.argmin(free)) if not free.all() else 0  # the view that holds the clock, with each of them
    gaps = np.stack([offsets - offsets[held] for offsets, _ in each])
    weight = 1 / np.maximum(np.stack([sd for _, sd in each]), LEAST_SD) ** 2
    mean = (gaps * weight).sum(axis=0) / weight.sum(axis=0)
    first = before.min() - mean.min() if free.all() else before[held]
    return np.where(free, mean + first, before), 1 / np.sqrt(weight.sum(axis=0))


def clock_notes(config: CaptureConfig, timed: Synchronised) -> list[str]:
    """Say which offsets were found, in a line; nothing where warnings say more."""
    free = [v for v, view in enumerate(config.views) if view.offset is None]
    if not free or timed.warnings:
        return []
    if len(free) == len(config.views) and not timed.offsets.any():
        return ["the views began together"]
    found = [f"{timed.names[v]} {timed.offsets[v]:.3f} s ({timed.sources[v]})" for v in free]
    return [f"offsets found: {', '.join(found)}"]


def _taken_together(config: CaptureConfig, keypoints: Mapping[str, Keypoints2D], why: str) -> Synchronised:
    views = [replace(view, offset=view.offset or 0.0) for view in config.views]
    warning = f"the views were taken to begin together: {why}"
    return replace(synchronise(views, keypoints), warnings=(warning,))


def gather_and_trim(
    config: CaptureConfig,
    keypoints: Views,
    videos: Sequence[VideoInfo],
    timed: Synchronised,
    cameras: Cameras,
    refine: Refine,
) -> tuple[Crowd, Synchronised]:
    """Return who is who, and offsets to a part of a frame by them; once more if those moved by a frame."""
    crowd = gathered(config, keypoints, timed.offsets, cameras, refine)
    finer = _trimmed(config, crowd, videos, timed, cameras)
    off = finer.offsets - timed.offsets
    if len(crowd.views) > 1 and (np.abs(off - np.median(off)) > timed.frames).any():
        crowd = gathered(config, keypoints, finer.offsets, cameras, refine)
    return crowd, finer


def gathered(
    config: CaptureConfig, keypoints: Views, offsets: Floats, cameras: Cameras | None, refine: Refine
) -> Crowd:
    """Return who is who, each person refined; one person who is alone in all views was before."""
    if one_person(keypoints):
        return Crowd((keypoints,))
    crowd = gather(keypoints, offsets.tolist(), cameras, config.people)
    return replace(crowd, views=tuple(refine(views) for views in crowd.views))


def sought(crowd: Crowd, offsets: Floats, cameras: Cameras, look: Look | None, refine: Refine) -> Crowd:
    """Return everybody, looked for again in the views that lost them (None = they are not), and refined."""
    found = crowd if look is None else seek(crowd, offsets.tolist(), cameras, look)
    return crowd if found is crowd else replace(found, views=tuple(refine(views) for views in found.views))


@dataclass(frozen=True)
class OnClock:
    """People on one clock, the frames [start, stop) when each was there, and what is to be said of them."""

    people: tuple[Observations, ...]
    spans: tuple[tuple[int, int], ...]
    notes: list[str]


def put_on_clock(crowd: Crowd, videos: Sequence[VideoInfo], offsets: Floats) -> OnClock:
    """Put everybody on one clock.

    Raises:
        MocapError: nobody is there, or the views do not overlap in time.
    """
    people, spans = on_clock(crowd, [v.fps for v in videos], offsets.tolist())
    if len(people) == 1:
        require_person(people[0])
    said = partial_views(crowd.views[0], offsets.tolist(), people[0]) if len(videos) > 1 else []
    return OnClock(tuple(people), tuple(spans), [*crowd.left_out, *said])
