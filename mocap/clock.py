"""Views with their own frame rates, offsets and gaps, put on one clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations

Floats = NDArray[np.float64]

SAME_TICK = 0.05  # of a tick: a frame this near to it is taken as it is; containers round to 1 ms
COVERED = 0.9  # of the clock; a view that covers less is named
LONGEST_BRIDGE = 2.5  # frames of a view that interpolation may span


def on_one_clock(
    views: Mapping[str, Keypoints2D], rates: Sequence[Fraction], offsets: Sequence[float], person: int = 0
) -> Observations:
    """Sample every view at the ticks of the fastest one.

    The clock starts with the first frame that two views share (that one view has, if there is one) and ends
    with the last such frame; views that began or ended otherwise are unseen there. A frame within a twentieth
    of a tick is taken as it is, others are interpolated between their neighbours in time.

    Args:
        views: name -> keypoints, all of one layout.
        rates: nominal frames a second, in the same order.
        offsets: seconds to add to each view's own times, likewise.
        person: which person of the views.

    Raises:
        MocapError: the views do not overlap in time, or were detected in different layouts.
    """
    names, keypoints = tuple(views), list(views.values())
    layouts = {k.layout.name for k in keypoints}
    if len(layouts) > 1:
        raise MocapError(f"views were detected in different layouts: {', '.join(sorted(layouts))}; use one")
    fps = max(rates)
    ticks = _ticks([k.times + o for k, o in zip(keypoints, offsets, strict=True)], fps, names)
    return at_ticks(views, ticks, fps, offsets, person)


def at_ticks(
    views: Mapping[str, Keypoints2D], ticks: Floats, fps: Fraction, offsets: Sequence[float], person: int = 0
) -> Observations:
    """Sample every view at given ticks.

    Args:
        views: name -> keypoints, all of one layout.
        ticks: (T,) seconds of the clock, 1 / fps apart.
        fps: frames a second.
        offsets: seconds to add to each view's own times, in the order of the views.
        person: which person of the views.
    """
    names, keypoints = tuple(views), list(views.values())
    sampled = [_sample(k, ticks - o, float(fps), person) for k, o in zip(keypoints, offsets, strict=True)]
    points, confidence, *more = zip(*sampled, strict=True)
    world, spread, detected, slant = (_stacked(values) for values in more)
    return Observations(
        names,
        keypoints[0].layout,
        np.stack(points),
        np.stack(confidence),
        fps,
        world,
        float(ticks[0]),
        spread,
        detected,
        slant,
    )


def _stacked(views: Sequence[Floats | None]) -> Floats | None:
    """One array of all views, or None where one of them has none."""
    known = [view for view in views if view is not None]
    return np.stack(known) if len(known) == len(views) else None


def partial_views(
    views: Mapping[str, Keypoints2D], offsets: Sequence[float], seen: Observations
) -> list[str]:
    """Say which views' videos cover less than most of the clock, a line each."""
    spans = {n: k.times[[0, -1]] + o for (n, k), o in zip(views.items(), offsets, strict=True)}
    start, stop = _span(list(spans.values()))
    inside = {n: (max(first, start) - start, min(last, stop) - start) for n, (first, last) in spans.items()}
    seconds = f"of {seen.frames / float(seen.fps):.1f} s"
    return [
        f"view {n}: its video covers {f'{a:.1f} to {b:.1f} s' if b > a else 'nothing'} {seconds}"
        for n, (a, b) in inside.items()
        if b - a < COVERED * (stop - start)
    ]


def _span(times: list[Floats]) -> tuple[float, float]:
    """When the first frame that two views have begins, and the last (that one has, if there is one)."""
    needed = min(2, len(times))
    return sorted(t[0] for t in times)[needed - 1], sorted((t[-1] for t in times), reverse=True)[needed - 1]


def _ticks(times: list[Floats], fps: Fraction, names: tuple[str, ...]) -> Floats:
    start, stop = _span(times)
    if stop < start:
        spans = ", ".join(f"{n} {t[0]:.2f}-{t[-1]:.2f} s" for n, t in zip(names, times, strict=True))
        raise MocapError(f"views do not overlap in time ({spans}): check their offsets")
    count = int(np.floor((stop - start) * float(fps) + 0.5)) + 1
    return start + np.arange(count) / float(fps)


def _sample(
    view: Keypoints2D, ticks: Floats, fps: float, person: int
) -> tuple[Floats, Floats, Floats | None, Floats | None, Floats | None, Floats | None]:
    """Points, confidence, 3D guess, spread, points as detected, slant, at times of a view's own clock."""
    after = np.clip(np.searchsorted(view.times, ticks), 1 if len(view) > 1 else 0, len(view) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(view.times[after] - view.times[before], 1e-9)
    part = (ticks - view.times[before]) / span
    tolerance = SAME_TICK / fps
    near_before = np.abs(ticks - view.times[before]) <= tolerance
    near_after = np.abs(ticks - view.times[after]) <= tolerance
    usable = near_before | near_after | ((part > 0) & (part < 1) & (span * fps <= _longest(view, fps)))
    part = np.where(near_before, 0.0, np.where(near_after, 1.0, np.clip(part, 0.0, 1.0)))

    def blend(values: Floats) -> Floats:
        share = part.reshape(-1, *(1,) * (values.ndim - 1))
        mixed = (1 - share) * values[before] + share * values[after]
        exact = np.where(share == 0, values[before], np.where(share == 1, values[after], mixed))
        return np.where(usable.reshape(share.shape), exact, np.nan)

    points = blend(view.points[:, person])
    confidence = np.where(
        np.isfinite(points).all(axis=-1), np.nan_to_num(blend(view.confidence[:, person])), 0.0
    )
    points = np.where((confidence > 0)[..., None], points, np.nan)
    more = (view.world, view.spread, view.detected, view.slant)
    world, spread, detected, slant = (None if a is None else blend(a[:, person]) for a in more)
    return points, confidence, world, spread, detected, slant


def _longest(view: Keypoints2D, fps: float) -> float:
    """Ticks that may lie between two frames of a view for the time between to be interpolated."""
    own = float(np.median(np.diff(view.times))) * fps if len(view) > 1 else 1.0
    return LONGEST_BRIDGE * max(own, 1.0)
