"""Where the cameras stand, when they filmed, and who is who: as given, made better, or found from people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from calibration.leaveout import LeftOut
from mocap.cameras import cameras_for, lens_of, lenses_for
from mocap.clock import partial_views
from mocap.config import CaptureConfig
from mocap.crowd import Crowd, gather, on_clock, one_after_another, one_person
from mocap.crowdsync import main_people, synchronise_crowd
from mocap.errors import MocapError, SyncError
from mocap.gates import RefusedError, require_cameras_above, require_known_geometry, require_person
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.refining import judge, refine_cameras, typical_heights
from mocap.selfcal import SelfCalibrated, calibrate_from_person
from mocap.sync import Synchronised, synchronise
from mocap.timing import trim_offsets
from mocap.video import VideoInfo

Floats = NDArray[np.float64]
Views = Mapping[str, Keypoints2D]
Refine = Callable[[Views], Views]

TOGETHER = 1.5  # deviations of an offset within which views are taken to have begun at once
PLAIN = 0.01  # of the person's height: cameras that were off by more are shown
ROUNDING = 0.1  # of a frame, likewise
MIXED = 0.05  # of the person's height: one person gives 0.012 to 0.023, two that were mixed up 0.08
SEVERAL = (
    "there are several people, and without a calibration one of them has to be seen most in all views: give a"
    " calibration, or film one person alone to find it"
)
TRIMMED_BY = 3  # people by whom offsets are trimmed
LEAST_SD = 1e-4  # seconds


@dataclass(frozen=True)
class Placed:
    """Views in space and time.

    Args:
        cameras: of the views, world y up in metres; None for a lone view that nobody calibrated.
        lens: of such a lone view, if its intrinsics were given.
        people: all views on one clock, for each person from the one seen most; all of one length.
        spans: frames [start, stop) when each was there.
        offsets: (V,) seconds to add to each view's own times.
        record: "calibration" and "sync" for the quality record.
        notes: what was done, a line each.
        warnings: what is doubtful, a line each.
        given: the cameras as the calibration has them, where they were refined; else None.
        moved: views whose cameras were plainly off there.
    """

    cameras: Cameras | None
    lens: Camera | None
    people: tuple[Observations, ...]
    spans: tuple[tuple[int, int], ...]
    offsets: Floats
    record: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    given: Cameras | None = None
    moved: tuple[str, ...] = ()

    @property
    def seen(self) -> Observations:
        """All views of the person seen most, on one clock."""
        return self.people[0]


def place_views(
    config: CaptureConfig,
    videos: Sequence[VideoInfo],
    keypoints: Mapping[str, Keypoints2D],
    *,
    trust: bool = False,
    refine: Refine = lambda views: views,
) -> Placed:
    """Bring all views into one world and onto one clock.

    Args:
        config: views, calibration if there is one, the subject's height if known.
        videos: what is known of each view's file.
        keypoints: what was detected in each view.
        trust: whether a given calibration is taken as it is.
        refine: betters the keypoints of one person in all views, who is followed through time.

    Raises:
        MocapError, calibration.CalibrationError: something given is wrong, or what is not cannot be found.
    """
    if one_person(keypoints):
        keypoints = refine(keypoints)
    if len(config.views) == 1:
        return _one_view(config, videos, keypoints, refine)
    if config.calibration is None:
        return _found(config, videos, keypoints, refine)
    return _given(config, videos, keypoints, trust, refine)


def _one_view(config: CaptureConfig, videos: Sequence[VideoInfo], keypoints: Views, refine: Refine) -> Placed:
    offsets = _known_offsets(config, fill=0.0)
    crowd = _gathered(config, keypoints, offsets, None, refine)
    seen = _on_clock(crowd, videos, offsets)
    if config.calibration is not None:
        cameras, notes = cameras_for(config.calibration, config.views, videos)
        record, lens = {"calibration": {"from": "file"}}, None
        return Placed(cameras, lens, seen.people, seen.spans, offsets, record, notes + seen.notes)
    lens, notes = lens_of(config.views[0], videos[0])
    record = {"calibration": {"from": "one view"}}
    return Placed(None, lens, seen.people, seen.spans, offsets, record, notes + seen.notes)


def _given(
    config: CaptureConfig, videos: Sequence[VideoInfo], keypoints: Views, trust: bool, refine: Refine
) -> Placed:
    assert config.calibration is not None
    given, notes = cameras_for(config.calibration, config.views, videos)
    timed = _timed(config, keypoints, cameras=given)
    crowd, timed = _together(config, keypoints, videos, timed, given, refine)
    seen = _on_clock(crowd, videos, timed.offsets)
    cameras, held, words = _held_against_people(seen.people, given, trust)
    hid = timed.warnings or len(seen.people) > 1  # a wrong camera may have hidden times, or who is who
    if held.get("refined") and hid:
        again = _timed(config, keypoints, cameras=cameras) if timed.warnings else timed
        crowd, timed = _together(config, keypoints, videos, again, cameras, refine)
        seen = _on_clock(crowd, videos, timed.offsets)
    record = {"calibration": {"from": "file", **held}, "sync": timed.record()}
    notes = notes + _clock_notes(config, timed) + seen.notes + words
    moved = tuple(name for name, move in held.get("moved", {}).items() if move["share"] > PLAIN)
    return Placed(
        cameras,
        None,
        seen.people,
        seen.spans,
        timed.offsets,
        record,
        notes,
        list(timed.warnings),
        given if moved else None,
        moved,
    )


def _held_against_people(
    people: Sequence[Observations], cameras: Cameras, trust: bool
) -> tuple[Cameras, dict[str, Any], list[str]]:
    """Refine a given calibration where that plainly helps; the record of it, and what to say."""
    if trust:
        return cameras, {"trusted": True}, []
    refined, _, _ = refine_cameras(one_after_another(people), cameras)
    record = {
        "refined": refined.helped,
        "left_out_px": _left_out(refined.after if refined.helped else refined.before, cameras),
        "left_out_px_as_given": _left_out(refined.before, cameras),
        "moved": {
            m.name: {
                "px": m.px,
                "share": m.share,
                "degrees": float(np.rad2deg(m.angle)),
                "mm": 1000 * m.distance,
            }
            for m in (refined.moves if refined.helped else ())
        },
    }
    return refined.cameras, record, list(refined.words) if refined.helped else []


def _left_out(found: LeftOut, cameras: Cameras) -> dict[str, Any]:
    """How far each camera saw landmarks from where the others foretell them, for the record."""
    by_camera = dict(zip(cameras.names, found.by_camera, strict=True))
    return {"median": found.median, "mean": found.mean, "p95": found.p95, "by_view": by_camera}


def _found(config: CaptureConfig, videos: Sequence[VideoInfo], keypoints: Views, refine: Refine) -> Placed:
    """Offsets without cameras, cameras with those, and both once more where the offsets were not given."""
    lenses, given, notes = _lenses(config, videos)
    timed = _timed(config, keypoints, lenses=list(lenses))
    main = keypoints if one_person(keypoints) else refine(main_people(keypoints))
    seen = _on_clock(Crowd((main,)), videos, timed.offsets)
    size = (np.array(given), config.subject.height, config.distance)
    found = _from_somebody(seen.people[0], lenses, size, several=not one_person(keypoints))
    crowd, finer = _together(config, keypoints, videos, timed, found.cameras, refine)
    if not np.array_equal(finer.offsets, timed.offsets) or not one_person(keypoints):
        timed = finer
        seen = _on_clock(crowd, videos, timed.offsets)
        found = calibrate_from_person(seen.people[0], lenses, *size)  # estimated lenses are no new start
    if len(seen.people) > 1:
        crowd = _gathered(config, keypoints, timed.offsets, found.cameras, refine)
        seen = _on_clock(crowd, videos, timed.offsets)
    require_cameras_above(found.cameras)
    warnings = require_known_geometry(found.cameras, found.turn_sd, found.focal_sd)
    spread = _spread(found, seen.people[0])
    if not one_person(keypoints):
        _require_one_person(spread, seen.people[0])
    record = {"calibration": {"from": "people", **spread}, "sync": timed.record()}
    notes = notes + _clock_notes(config, timed) + seen.notes + found.notes
    warnings = [*timed.warnings, *warnings]
    return Placed(found.cameras, None, seen.people, seen.spans, timed.offsets, record, notes, warnings)


def _from_somebody(
    seen: Observations, lenses: Cameras, size: tuple[Any, float | None, Any], several: bool
) -> SelfCalibrated:
    """Cameras from the person who is seen most in each view, who has to be the same one."""
    try:
        return calibrate_from_person(seen, lenses, *size)
    except MocapError as error:
        if not several:
            raise
        raise RefusedError(f"{error}; {SEVERAL}") from error


def _require_one_person(spread: dict[str, Any], seen: Observations) -> None:
    """Refuse cameras that were found from a person in one view and another in the next."""
    off = spread.get("left_out_px", {}).get("median", np.nan)
    share = off / float(np.median(typical_heights(seen)))
    if share > MIXED:
        raise RefusedError(
            f"no calibration: found from people, the cameras foretell one another to {100 * share:.0f} % of"
            f" their height only; {SEVERAL}"
        )


def _lenses(config: CaptureConfig, videos: Sequence[VideoInfo]) -> tuple[Cameras, list[bool], list[str]]:
    """As given, from a film of a board, or assumed; which of them are known; and notes."""
    lenses, given, notes = lenses_for(config.views, videos)
    if not any(view.footage for view in config.views):
        return lenses, given, notes
    from mocap.calibrate_board import footage_lenses

    own, said = footage_lenses(config, videos)
    known = [flag or view.name in own for flag, view in zip(given, config.views, strict=True)]
    return Cameras(tuple(own.get(lens.name, lens) for lens in lenses)), known, notes + said


def _timed(
    config: CaptureConfig,
    keypoints: Mapping[str, Keypoints2D],
    *,
    cameras: Cameras | None = None,
    lenses: Sequence[Camera] | None = None,
) -> Synchronised:
    """Offsets as given or found.

    Calibrated cameras mostly run together: where nothing tells, they are taken to, with a warning; views that
    do not agree are found later. Without a calibration a wrong offset would become a wrong camera: refused.
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


def _clock_notes(config: CaptureConfig, timed: Synchronised) -> list[str]:
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


def _together(
    config: CaptureConfig,
    keypoints: Views,
    videos: Sequence[VideoInfo],
    timed: Synchronised,
    cameras: Cameras,
    refine: Refine,
) -> tuple[Crowd, Synchronised]:
    """Who is who, and offsets to a part of a frame by them; once more if those moved by a frame."""
    crowd = _gathered(config, keypoints, timed.offsets, cameras, refine)
    finer = _trimmed(config, crowd, videos, timed, cameras)
    off = finer.offsets - timed.offsets
    if len(crowd.views) > 1 and (np.abs(off - np.median(off)) > timed.frames).any():
        crowd = _gathered(config, keypoints, finer.offsets, cameras, refine)
    return crowd, finer


def _gathered(
    config: CaptureConfig, keypoints: Views, offsets: Floats, cameras: Cameras | None, refine: Refine
) -> Crowd:
    if one_person(keypoints):
        return Crowd((keypoints,))
    crowd = gather(keypoints, offsets.tolist(), cameras, config.people)
    return replace(crowd, views=tuple(refine(views) for views in crowd.views))


@dataclass(frozen=True)
class _OnClock:
    people: tuple[Observations, ...]
    spans: tuple[tuple[int, int], ...]
    notes: list[str]


def _on_clock(crowd: Crowd, videos: Sequence[VideoInfo], offsets: Floats) -> _OnClock:
    people, spans = on_clock(crowd, [v.fps for v in videos], offsets.tolist())
    if len(people) == 1:
        require_person(people[0])
    said = partial_views(crowd.views[0], offsets.tolist(), people[0]) if len(videos) > 1 else []
    return _OnClock(tuple(people), tuple(spans), [*crowd.left_out, *said])


def _known_offsets(config: CaptureConfig, fill: float) -> Floats:
    return np.array([fill if view.offset is None else view.offset for view in config.views])


def _spread(found: SelfCalibrated, seen: Observations) -> dict[str, Any]:
    """How sure the cameras are, for the record."""
    names = found.cameras.names
    return {
        "turn_sd_deg": dict(zip(names, np.rad2deg(found.turn_sd).round(3).tolist(), strict=True)),
        "focal_sd_percent": dict(zip(names, (100 * found.focal_sd).round(3).tolist(), strict=True)),
        **({"left_out_px": _left_out(judge(seen, found.cameras), found.cameras)} if len(names) > 2 else {}),
    }
