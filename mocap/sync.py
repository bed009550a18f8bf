"""When each view began: from what was heard and from how people move, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from calibration.sync.offsets import APART, Offsets, find_offsets
from calibration.sync.tracks import Track
from mocap.config import View
from mocap.earshot import Heard, hear, travel_times
from mocap.errors import SyncError
from mocap.keypoints import Keypoints2D
from mocap.sound import Sound, read_sound
from mocap.synctracks import height, tracks_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEAR_SOUND = 0.15  # seconds about what was heard, in which motion is searched if it does not decide by itself
MOVES = 0.05  # squared deviations of a landmark by which other lags fit worse where somebody moves
CONFLICT = 0.03  # seconds between sound and motion beyond their deviations that is worth a warning
DRIFTS = 0.25  # of a frame that the ends of a clip are off because of clocks that differ


@dataclass(frozen=True, eq=False)
class Synchronised:
    """When V views began.

    Args:
        names: of the views.
        offsets: (V,) s to add to each view's own times.
        sd: (V,) s; 0 for offsets that were given.
        sources: what each is from: "given", "sound", "motion", "sound and motion", "alone"; or
            "nobody seen": the offset is then unknown and does not matter, its deviation infinite.
        frames: (V,) s, the duration of a frame of each view.
        drift: (V,) s of offset gained a second against the other views, 0 where the clip does not tell.
        warnings: lines.
    """

    names: tuple[str, ...]
    offsets: Floats
    sd: Floats
    sources: tuple[str, ...]
    frames: Floats
    drift: Floats
    warnings: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """A table for people: one line a view."""
        wide = max(len("view"), *(len(n) for n in self.names))
        head = f"{'view':<{wide}}  {'offset s':>9} {'frames':>8} {'± frames':>8}  from"
        rows = zip(self.names, self.offsets, self.sd, self.sources, self.frames, strict=True)
        return [
            head,
            *(f"{n:<{wide}}  {o:9.4f} {o / f:8.2f} {s / f:8.2f}  {source}" for n, o, s, source, f in rows),
        ]

    def known(self) -> dict[str, float]:
        """Offsets in seconds by view, of those in which somebody is seen."""
        rows = zip(self.names, self.offsets, self.sd, strict=True)
        return {name: float(offset) for name, offset, sd in rows if np.isfinite(sd)}

    def record(self) -> dict[str, Any]:
        """For the quality record, by view."""
        rows = zip(self.names, self.offsets, self.sd, self.sources, self.drift, strict=True)
        return {
            n: {"offset_s": float(o), "sd_s": float(s), "from": source, "drift_s_per_s": float(d)}
            for n, o, s, source, d in rows
        }


def synchronise(
    views: Sequence[View],
    keypoints: Mapping[str, Keypoints2D],
    *,
    cameras: Cameras | None = None,
    lenses: Sequence[Camera | None] | None = None,
    sounds: Mapping[int, Sound] | None = None,
) -> Synchronised:
    """Find when each view began, from sound and motion; offsets in the views are taken as given.

    The earliest view gets the offset 0, unless some are given.

    Args:
        views: V views.
        keypoints: by name of the view; without cameras only the first person counts.
        cameras: of the views, if their places are known.
        lenses: of the views, if only they are known; None = from the field of view, or assumed.
        sounds: by number of the view; None = read from the videos.

    Raises:
        SyncError: when a view began cannot be told.
    """
    given = np.array([np.nan if view.offset is None else view.offset for view in views])
    frames = np.array([_frame(keypoints[view.name]) for view in views])
    if len(views) < 2 or np.isfinite(given).all():
        return _as_given(views, given, frames)
    if sounds is None:
        found = {v: read_sound(view.video) for v, view in enumerate(views)}
        sounds = {v: sound for v, sound in found.items() if sound is not None}
    heard = hear(sounds, len(views), None if cameras is None else _travel(cameras, views, keypoints))
    tracks = tracks_of(views, keypoints, cameras, lenses)
    moved = find_offsets(tracks, cameras, known=given)
    if not moved.accepted.all() and np.isfinite(heard.offsets).sum() > 1:
        moved = _nearby(tracks, cameras, given, heard, moved)
    return _combined(views, [keypoints[view.name] for view in views], given, heard, moved)


def _frame(seen: Keypoints2D) -> float:
    return float(np.median(np.diff(seen.times))) if len(seen) > 1 else float("nan")


def _travel(cameras: Cameras, views: Sequence[View], keypoints: Mapping[str, Keypoints2D]) -> Floats | None:
    middle, tall = np.full((len(views), 2), np.nan), np.full(len(views), np.nan)
    for v, view in enumerate(views):
        points = keypoints[view.name].points
        seen = points[np.isfinite(points).all(axis=-1)]
        if len(seen):
            middle[v], tall[v] = np.median(seen, axis=0), height(points[:, 0])
    return travel_times(cameras, middle, float(np.nanmedian(tall))) if np.isfinite(tall).any() else None


def _nearby(
    tracks: Sequence[Track], cameras: Cameras | None, given: Floats, heard: Heard, moved: Offsets
) -> Offsets:
    """What motion says near what was heard; only for views that it does not hold apart by itself."""
    about = _anchored(heard, given, moved)
    if not np.isfinite(about).all():
        return moved
    near = find_offsets(tracks, cameras, known=given, near=about, within=NEAR_SOUND)
    return near if near.accepted.sum() > moved.accepted.sum() else moved


def _anchored(heard: Heard, given: Floats, moved: Offsets) -> Floats:
    """What was heard (V,) s, shifted as a whole onto given offsets, or else onto those from motion."""
    for known in (given, moved.seconds):
        gap = known - heard.offsets
        if np.isfinite(gap).any():
            return np.asarray(heard.offsets + np.nanmedian(gap))
    return heard.offsets


def _combined(
    views: Sequence[View],
    seen: Sequence[Keypoints2D],
    given: Floats,
    heard: Heard,
    moved: Offsets,
) -> Synchronised:
    frames = np.array([_frame(k) for k in seen])
    sound = _anchored(heard, given, moved)
    fixed, by_motion = np.isfinite(given), moved.accepted & np.isfinite(moved.seconds)
    by_sound = np.isfinite(sound) & (by_motion.any() | np.isfinite(heard.offsets))
    if fixed.any() or by_motion.any():
        by_sound &= bool((by_sound & (fixed | by_motion)).any())
    told = fixed | by_motion | by_sound
    empty = ~told & np.array([not np.isfinite(k.points).any() for k in seen])
    told |= empty
    if not told.all() or (told & ~empty).sum() < 2:
        raise _refused(views, ~told, heard, moved)
    offsets, sd = _weighted(sound, heard.sd, moved, by_sound, by_motion)
    offsets, sd = np.where(fixed, given, offsets), np.where(fixed, 0.0, sd)
    first = offsets[~empty].min()
    offsets, sd = np.where(empty, first, offsets), np.where(empty, np.inf, sd)
    if not fixed.any():
        offsets = offsets - first
    sources = tuple(map(_source, fixed, by_sound, by_motion))
    names = tuple(view.name for view in views)
    warnings = _conflicts(names, sound, heard, moved, by_sound & (by_motion | fixed)) + _drifts(
        names, moved, frames
    )
    return Synchronised(names, offsets, sd, sources, frames, moved.drift, tuple(warnings))


def _weighted(
    sound: Floats, sound_sd: Floats, moved: Offsets, by_sound: Bools, by_motion: Bools
) -> tuple[Floats, Floats]:
    """Means (V,) of both by their deviations, motion alone where sound contradicts it; and deviations."""
    gap = np.abs(np.nan_to_num(sound - moved.seconds))
    agree = gap < CONFLICT + 2 * np.hypot(np.where(by_sound, sound_sd, 0), np.where(by_motion, moved.sd, 0))
    by_sound = by_sound & (agree | ~by_motion)
    a = np.where(by_sound, 1 / np.where(by_sound, sound_sd, 1.0) ** 2, 0.0)
    b = np.where(by_motion, 1 / np.maximum(np.where(by_motion, moved.sd, 1.0), 1e-6) ** 2, 0.0)
    total = np.maximum(a + b, 1e-12)
    mean = (a * np.nan_to_num(sound) + b * np.nan_to_num(moved.seconds)) / total
    return mean, 1 / np.sqrt(total)


def _source(fixed: bool, by_sound: bool, by_motion: bool) -> str:
    if fixed:
        return "given"
    told = [word for word, so in (("sound", by_sound), ("motion", by_motion)) if so]
    return " and ".join(told) or "nobody seen"


def _conflicts(names: Sequence[str], sound: Floats, heard: Heard, moved: Offsets, both: Bools) -> list[str]:
    best = moved.seconds
    off = np.abs(sound - best) > CONFLICT + 2 * np.hypot(heard.sd, moved.sd)
    return [
        f"view {names[v]}: its sound says that it began {sound[v] - best[v]:+.3f} s from where its picture"
        " says; the picture is believed: is the sound of another recording?"
        for v in np.flatnonzero(both & off)
    ]


def _drifts(names: Sequence[str], moved: Offsets, frames: Floats) -> list[str]:
    return [
        f"view {names[v]}: its clock runs {1e6 * moved.drift[v]:+.0f} millionths off the others': after a"
        f" minute that is {60 * abs(moved.drift[v]) / frames[v]:.2f} frames; cut a long take into shorter"
        for v in np.flatnonzero(np.abs(moved.drift) * 60 > DRIFTS * frames)
    ]


def _as_given(views: Sequence[View], given: Floats, frames: Floats) -> Synchronised:
    alone = len(views) < 2
    offsets, sources = np.nan_to_num(given), ("alone" if alone else "given",) * len(views)
    none = np.zeros(len(views))
    return Synchronised(tuple(v.name for v in views), offsets, none, sources, frames, none)


def _refused(views: Sequence[View], lost: Bools, heard: Heard, moved: Offsets) -> SyncError:
    """One line: which views, why neither sound nor motion tells, and what to do."""
    first = int(np.flatnonzero(lost)[0]) if lost.any() else 0
    names = ", ".join(views[v].name for v in np.flatnonzero(lost))
    which = f"view {names}" if lost.sum() == 1 else f"views {names}"
    why = f"{_unheard(heard, first)}; {_unmoved(moved, first)}"
    return SyncError(
        f"{which}: when the video began cannot be told: {why}. Clap once where all cameras hear it, or write"
        f" `offset: SECONDS` for view {views[first].name} in the views file (0 if all began at once)"
    )


def _unheard(heard: Heard, view: int) -> str:
    if heard.mute.all():
        return "the videos have no sound"
    return "it has no sound" if heard.mute[view] else "its sound has nothing in common with the others"


def _unmoved(moved: Offsets, view: int) -> str:
    cost = moved.cost[view]
    if not np.isfinite(cost):
        return "it and another view do not see somebody for long enough at once"
    if cost > APART:
        return "what it sees does not fit what the others see at any time"
    against = [r for r in moved.rivals if view in r.group] or list(moved.rivals)
    shifts = [r.shift for r in against if np.isfinite(r.shift)]
    if moved.contrast[view] < MOVES:
        return "nobody moves enough in it"
    if shifts:
        return (
            f"the motion fits about as well {abs(shifts[0]):.2f} s {'later' if shifts[0] > 0 else 'earlier'}"
        )
    return f"the motion tells it only to {moved.sd[view]:.3f} s"
