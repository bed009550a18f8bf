"""Detection in all views, side by side in processes, kept in the take."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mocap.config import View
from mocap.detect import DEFAULT, detector, looks
from mocap.detect.base import Sought
from mocap.detect.cover import Cover
from mocap.detect.crew import Crew
from mocap.detect.parts import Parts, detection_key, keypoints_file, read_keypoints
from mocap.detect.worker import PLACED, Job
from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D
from mocap.progress import Progress, Quiet
from mocap.take import Take
from mocap.video import probe, sha256

_log = logging.getLogger(__name__)


def detect_views(
    views: Sequence[View],
    detector_name: str = DEFAULT,
    *,
    take: Take,
    progress: Progress | None = None,
    workers: int | None = None,
    incomplete: bool = False,
    alone: bool = False,
    crew: Crew | None = None,
) -> dict[str, Keypoints2D]:
    """Find the keypoints in all views; what the take already has for the same videos is not done again.

    Args:
        views: the views, names differing.
        detector_name: a key of `mocap.detect.DETECTORS`.
        take: a take that is being captured (and locked); the results go to `views/NAME.keypoints.npz`.
        progress: told of every few frames.
        workers: processes; None = one for each view, but no more than there are processors.
        incomplete: whether the frames of a video that cannot be read to its end will do.
        alone: whether there is one person, and nobody else need be looked for.
        crew: processes that are there for the take; None = made, and ended.

    Returns:
        The keypoints by name of the view, in the order of the views.

    Raises:
        MocapError: a view cannot be read, the detector cannot run, a process was killed, the disk is full.
            What was found until then is kept, and the next call goes on there.
    """
    jobs = [_job(view, detector_name, take, incomplete, alone) for view in views]
    return _done(jobs, progress or Quiet(), workers, crew)


def detect_placed(
    what: str,
    views: Sequence[View],
    regions: Mapping[str, NDArray[np.float64]],
    *,
    take: Take,
    progress: Progress | None = None,
    workers: int | None = None,
    incomplete: bool = False,
    crew: Crew | None = None,
    covers: Mapping[str, Cover] | None = None,
) -> dict[str, Keypoints2D]:
    """Look where places of people are known, in all views; kept and resumed as by `detect_views`.

    Where there are fewer views than processes, several share a view, each for a part of the clip.

    Args:
        what: is looked for: a key of `mocap.detect.worker.PLACED`.
        views: the views, names differing.
        regions: by view, (T, P, L, 4), see there; views without any are not looked at.
        take: a take that is being captured (and locked); the results go to `views/NAME.WHATN.keypoints.npz`.
        progress: told of every few frames.
        workers: processes.
        incomplete: whether the frames of a video that cannot be read to its end will do.
        crew: as for `detect_views`.
        covers: by view, what is painted over, see there; nothing where there is none.

    Returns:
        Keypoints by name of the view, of those that were looked at; P as given.

    Raises:
        MocapError: as by `detect_views`.
    """
    worth = [view for view in views if np.isfinite(regions[view.name]).any()]
    shares = max(1, (workers or processors()) // max(len(worth), 1))
    jobs = {
        view.name: _placed_jobs(
            what,
            view,
            regions[view.name],
            (covers or {}).get(view.name, Cover.nothing()),
            take,
            incomplete,
            shares,
        )
        for view in worth
    }
    every = [job for parts in jobs.values() for job in parts]
    found = _done(every, progress or Quiet(), workers, crew)
    for places in (job.regions for job in every):
        take.remove(str(places))  # they are written anew by whoever asks again
    return {name: joined([found[job.view] for job in parts]) for name, parts in jobs.items()}


def _done(
    jobs: Sequence[Job], progress: Progress, workers: int | None, crew: Crew | None
) -> dict[str, Keypoints2D]:
    """Do what the take does not have yet; the results by the jobs' names."""
    missing = [job for job in jobs if not _kept(job)]
    if missing:
        lengths = {job.view: probe(job.video).frames for job in missing}
        known = [n for n in lengths.values() if n is not None]
        missing.sort(key=lambda job: -(lengths[job.view] or 0))  # the longest first
        _do(missing, sum(known) if len(known) == len(missing) else None, progress, workers, crew)
    return {job.view: read_keypoints(job.take, job.view) for job in jobs}


def look_again(
    views: Sequence[View],
    sought: Mapping[str, Sought],
    detector_name: str = DEFAULT,
    *,
    take: Take,
    progress: Progress | None = None,
    workers: int | None = None,
    alone: bool = False,
    crew: Crew | None = None,
) -> dict[str, Keypoints2D]:
    """Look once more where people are known to be; nothing is done again for what is sought as before.

    Args:
        views: all views.
        sought: by name of the view, for those in which somebody is.
        detector_name: a key of `mocap.detect.DETECTORS`.
        take: as for `detect_views`; the results go to `views/NAME.again.keypoints.npz`.
        progress: told of every few frames.
        workers: processes.
        alone: as for `detect_views`.
        crew: as for `detect_views`.

    Returns:
        By name of the view, what was seen in its frames from the first in which somebody is sought to the
        last; nothing if this detector cannot be told where to look.

    Raises:
        MocapError: as `detect_views`.
    """
    looked = [view for view in views if len(sought.get(view.name, ())) and looks(detector_name, view.video)]
    jobs = [_job(view, detector_name, take, True, alone, sought[view.name]) for view in looked]
    missing = [job for job in jobs if not _kept(job)]
    if missing:
        missing.sort(key=lambda job: -len(job.sought or ()))
        frames = sum(last - first + 1 for first, last in (job.sought.span for job in missing if job.sought))
        _do(missing, frames, progress or Quiet(), workers, crew)
    return {view.name: read_keypoints(take, job.view) for view, job in zip(looked, jobs, strict=True)}


def _do(
    jobs: Sequence[Job], total: int | None, progress: Progress, workers: int | None, crew: Crew | None
) -> None:
    progress.start(total)
    try:
        with Crew(jobs[0].take) if crew is None else nullcontext(crew) as at_work:
            at_work.do(jobs, workers or processors(), progress)
    finally:
        progress.done()


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _job(
    view: View, detector_name: str, take: Take, incomplete: bool, alone: bool, sought: Sought | None = None
) -> Job:
    version = detector(detector_name, view.video, alone).version + (sought.key if sought else "")
    key = detection_key(sha256(view.video), detector_name, version)
    name = f"{view.name}.again" if sought else view.name
    return Job(name, view.video, detector_name, take, key, incomplete, alone, sought)


def _placed_jobs(
    what: str,
    view: View,
    regions: NDArray[np.float64],
    cover: Cover,
    take: Take,
    incomplete: bool,
    shares: int,
) -> list[Job]:
    """Jobs that look at about as many places each, one part of the clip after the other."""
    looked = np.cumsum(np.isfinite(regions).all(axis=-1).sum(axis=(1, 2)))
    part = np.minimum(shares * (looked - 1) // max(int(looked[-1]), 1), shares - 1)
    jobs = []
    for share in range(shares):
        own = np.where((part == share)[:, None, None, None], regions, np.nan)
        name = f"{view.name}.{what}{share + 1}"
        places = f"views/{name}.regions.npz"
        take.write_arrays(places, regions=own, strokes=cover.strokes, owners=cover.owners)
        asked = hashlib.sha256(own.tobytes() + cover.key).hexdigest()
        version = f"{PLACED[what](own, cover).version} {asked}"
        key = detection_key(sha256(view.video), what, version)
        jobs.append(Job(name, view.video, what, take, key, incomplete, regions=places))
    return jobs


def joined(parts: Sequence[Keypoints2D]) -> Keypoints2D:
    """What several saw who looked at parts of the same clip."""

    def first_known(arrays: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
        there = [a for a in arrays if a is not None]
        return reduce(lambda a, b: np.where(np.isfinite(a), a, b), there) if there else None

    points = first_known([p.points for p in parts])
    assert points is not None
    confidence = np.max([p.confidence for p in parts], axis=0)
    world, centres = (first_known([getattr(p, name) for p in parts]) for name in ("world", "centres"))
    return replace(parts[0], points=points, confidence=confidence, world=world, centres=centres)


def _kept(job: Job) -> bool:
    try:
        return (
            job.take.has(keypoints_file(job.view))
            and Parts(job.take, job.view, job.key, "").read() is not None
        )
    except MocapError as error:
        _log.warning("view %s: its keypoints are detected again: %s", job.view, error)
        return False
