"""Where the cameras stand, when they filmed, and who is who: as given, made better, or found from people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from calibration.leaveout import LeftOut
from mocap.cameras import cameras_for, lens_of, lenses_for
from mocap.config import CaptureConfig
from mocap.crowd import Crowd, one_after_another, one_person
from mocap.crowdsync import main_people
from mocap.errors import MocapError
from mocap.gates import RefusedError, require_cameras_above, require_known_geometry
from mocap.gathering import (
    Refine,
    Views,
    began,
    clock_notes,
    gather_and_trim,
    gathered,
    put_on_clock,
    sought,
)
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.refining import judge, refine_cameras, typical_heights
from mocap.seek import Look
from mocap.selfcal import SelfCalibrated, calibrate_from_person
from mocap.video import VideoInfo

Floats = NDArray[np.float64]

PLAIN = 0.01  # of the person's height: cameras that were off by more are shown
MIXED = 0.05  # of the person's height: one person gives 0.012 to 0.023, two that were mixed up 0.08
SEVERAL = (
    "there are several people, and without a calibration one of them has to be seen most in all views: give a"
    " calibration, or film one person alone to find it"
)


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

    def thinned(self, every: int) -> Placed:
        """The same at every so manieth tick."""
        people = tuple(
            replace(seen.each(lambda values: values[:, ::every]), fps=seen.fps / every)
            for seen in self.people
        )
        spans = tuple((-(-start // every), -(-stop // every)) for start, stop in self.spans)
        return replace(self, people=people, spans=spans)


def place_views(
    config: CaptureConfig,
    videos: Sequence[VideoInfo],
    keypoints: Mapping[str, Keypoints2D],
    *,
    trust: bool = False,
    refine: Refine = lambda views: views,
    look: Look | None = None,
) -> Placed:
    """Bring all views into one world and onto one clock.

    Args:
        config: views, calibration if there is one, the subject's height if known.
        videos: what is known of each view's file.
        keypoints: what was detected in each view.
        trust: whether a given calibration is taken as it is.
        refine: betters the keypoints of one person in all views, who is followed through time.
        look: looks again where people must be, see `mocap.seek`; None = nobody is sought.

    Raises:
        MocapError, calibration.CalibrationError: something given is wrong, or what is not cannot be found.
    """
    if one_person(keypoints):
        keypoints = refine(keypoints)
    if len(config.views) == 1:
        return _one_view(config, videos, keypoints, refine)
    if config.calibration is None:
        return _found(config, videos, keypoints, refine, look)
    return _given(config, videos, keypoints, trust, refine, look)


def _one_view(config: CaptureConfig, videos: Sequence[VideoInfo], keypoints: Views, refine: Refine) -> Placed:
    offsets = _known_offsets(config, fill=0.0)
    crowd = gathered(config, keypoints, offsets, None, refine)
    seen = put_on_clock(crowd, videos, offsets)
    if config.calibration is not None:
        cameras, notes = cameras_for(config.calibration, config.views, videos)
        record, lens = {"calibration": {"from": "file"}}, None
        return Placed(cameras, lens, seen.people, seen.spans, offsets, record, notes + seen.notes)
    lens, notes = lens_of(config.views[0], videos[0])
    record = {"calibration": {"from": "one view"}}
    return Placed(None, lens, seen.people, seen.spans, offsets, record, notes + seen.notes)


def _given(
    config: CaptureConfig,
    videos: Sequence[VideoInfo],
    keypoints: Views,
    trust: bool,
    refine: Refine,
    look: Look | None,
) -> Placed:
    assert config.calibration is not None
    given, notes = cameras_for(config.calibration, config.views, videos)
    timed = began(config, keypoints, cameras=given)
    crowd, timed = gather_and_trim(config, keypoints, videos, timed, given, refine)
    seen = put_on_clock(crowd, videos, timed.offsets)
    cameras, held, words = _held_against_people(seen.people, given, trust)
    hid = timed.warnings or len(seen.people) > 1  # a wrong camera may have hidden times, or who is who
    if held.get("refined") and hid:
        again = began(config, keypoints, cameras=cameras) if timed.warnings else timed
        crowd, timed = gather_and_trim(config, keypoints, videos, again, cameras, refine)
        seen = put_on_clock(crowd, videos, timed.offsets)
    seen = put_on_clock(sought(crowd, timed.offsets, cameras, look, refine), videos, timed.offsets)
    record = {"calibration": {"from": "file", **held}, "sync": timed.record()}
    notes = notes + clock_notes(config, timed) + seen.notes + words
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


def _found(
    config: CaptureConfig,
    videos: Sequence[VideoInfo],
    keypoints: Views,
    refine: Refine,
    look: Look | None,
) -> Placed:
    """Offsets without cameras, cameras with those, and both once more where the offsets were not given."""
    lenses, given, notes = _lenses(config, videos)
    timed = began(config, keypoints, lenses=list(lenses))
    main = keypoints if one_person(keypoints) else refine(main_people(keypoints))
    seen = put_on_clock(Crowd((main,)), videos, timed.offsets)
    size = (np.array(given), config.subject.height, config.distance)
    found = _from_somebody(seen.people[0], lenses, size, several=not one_person(keypoints))
    crowd, finer = gather_and_trim(config, keypoints, videos, timed, found.cameras, refine)
    if not np.array_equal(finer.offsets, timed.offsets) or not one_person(keypoints):
        timed = finer
        seen = put_on_clock(crowd, videos, timed.offsets)
        found = calibrate_from_person(seen.people[0], lenses, *size)  # estimated lenses are no new start
    if len(seen.people) > 1:
        crowd = gathered(config, keypoints, timed.offsets, found.cameras, refine)
    seen = put_on_clock(sought(crowd, timed.offsets, found.cameras, look, refine), videos, timed.offsets)
    require_cameras_above(found.cameras)
    warnings = require_known_geometry(found.cameras, found.turn_sd, found.focal_sd)
    spread = _spread(found, seen.people[0])
    if not one_person(keypoints):
        _require_one_person(spread, seen.people[0])
    record = {"calibration": {"from": "people", **spread}, "sync": timed.record()}
    notes = notes + clock_notes(config, timed) + seen.notes + found.notes
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
