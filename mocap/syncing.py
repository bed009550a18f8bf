"""Videos in, offsets out: what `mocap sync` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mocap.cameras import cameras_for, lenses_for
from mocap.config import CaptureConfig
from mocap.crowd import one_person
from mocap.crowdsync import synchronise_crowd
from mocap.detect import DEFAULT
from mocap.detect.run import detect_views
from mocap.errors import SyncError
from mocap.progress import Progress, Quiet
from mocap.refiner import refine_views
from mocap.sync import Synchronised
from mocap.take import Take
from mocap.video import probe, sha256


def sync_views(
    config: CaptureConfig,
    folder: Path,
    *,
    detector: str = DEFAULT,
    workers: int | None = None,
    incomplete: bool = False,
    progress: Callable[[str], Progress] = lambda stage: Quiet(),
) -> Synchronised:
    """Find when each view began. What is detected stays in the folder, for a capture into the same.

    Args:
        config: views, and the calibration if there is one: with it, less motion tells more.
        folder: the take to be; a complete one that is there stays as it is.
        detector: a name of `mocap.detect`.
        workers: detection processes; None = as many as there are processors.
        incomplete: whether videos that cannot be read to their end will do.
        progress: given "detecting" as that begins, answers who follows it.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or offsets that cannot be told.
    """
    if len(config.views) < 2:
        raise SyncError(f"view {config.views[0].name} is alone: there is nothing to be in time with")
    videos = [probe(view.video) for view in config.views]
    cameras = cameras_for(config.calibration, config.views, videos)[0] if config.calibration else None
    lenses = None if cameras is not None else list(lenses_for(config.views, videos)[0])
    views = [{"name": v.name, "video": str(v.video), "sha256": sha256(v.video)} for v in config.views]
    take = Take.create(folder, {"source": config.source and str(config.source), "detector": detector}, views)
    with take.lock():
        keypoints = detect_views(
            config.views,
            detector,
            take=take,
            progress=progress("detecting"),
            workers=workers,
            incomplete=incomplete,
        )
    if one_person(keypoints):
        keypoints = refine_views(keypoints, detector)
    return synchronise_crowd(config.views, keypoints, cameras=cameras, lenses=lenses)
