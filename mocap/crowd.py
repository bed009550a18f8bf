"""The people whom a capture is of: who was seen well enough, when each was there, and who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.associate import Labels, associate
from mocap.clock import on_one_clock
from mocap.gates import RefusedError
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]

SHARE, SECONDS = 0.1, 0.5  # of the clip, and at least, that a person is seen by two views, or by the only one
ALWAYS = 0.9  # of the clip: who is there for more is there all the time
NAMED = 1.0  # seconds from which somebody who is left out is worth a line
EDGE = 0.5  # seconds by which the path of somebody who comes or goes may reach beyond two views


@dataclass(frozen=True, eq=False)
class Crowd:
    """People and their detections.

    Args:
        views: by person from the one seen most, and name of the view: that person's detections (P = 1).
        left_out: who is not among them and why, a line each.
    """

    views: tuple[Mapping[str, Keypoints2D], ...]
    left_out: tuple[str, ...] = ()


def one_person(keypoints: Mapping[str, Keypoints2D]) -> bool:
    """Whether no view ever sees more than one person, so that there is nobody to tell apart."""
    return all(seen.people == 1 for seen in keypoints.values())


def gather(
    keypoints: Mapping[str, Keypoints2D],
    offsets: Sequence[float],
    cameras: Cameras | None,
    number: int | None = None,
) -> Crowd:
    """Tell people apart, and choose those who were seen well enough.

    Args:
        keypoints: by view, of everybody.
        offsets: seconds to add to each view's own times.
        cameras: of the views; None with one view.
        number: how many people there are; None = everybody seen well enough.

    Raises:
        RefusedError: nobody was, or fewer than there are said to be.
    """
    views = list(keypoints.values())
    labels = associate(views, offsets, cameras)
    there = [_presence(labels, k, views, offsets) for k in range(labels.count)]
    needed = min(2, len(views))
    worth = [_worth(labels, k, views, when, needed) for k, when in enumerate(there)]
    order = sorted((k for k in range(labels.count) if worth[k] > 0), key=lambda k: -worth[k])
    if number is not None and len(order) < number:
        raise RefusedError(_too_few(number, len(order), needed))
    chosen = order[:number]
    rest = [k for k in range(labels.count) if k not in chosen]
    people = [_alone(keypoints, labels, k) for k in chosen]
    left_out = tuple(_lines(rest, labels, keypoints, there, needed, number))
    if not people:
        raise RefusedError(_nobody(len(views), left_out))
    return Crowd(tuple(people), left_out)


def _alone(keypoints: Mapping[str, Keypoints2D], labels: Labels, person: int) -> dict[str, Keypoints2D]:
    pairs = zip(keypoints.items(), labels.who, strict=True)
    return {name: seen.of(who, person) for (name, seen), who in pairs}


def _presence(
    labels: Labels, person: int, views: Sequence[Keypoints2D], offsets: Sequence[float]
) -> tuple[Floats, Bools]:
    """Times (T,) s of the whole clip, and (V, T) which view sees a person then."""
    start = min(seen.times[0] + o for seen, o in zip(views, offsets, strict=True))
    stop = max(seen.times[-1] + o for seen, o in zip(views, offsets, strict=True))
    steps = [float(np.median(np.diff(seen.times))) for seen in views if len(seen) > 1]
    times = np.arange(start, stop + 1e-9, max(min(steps, default=0.1), 1e-3))
    seen_by = np.zeros((len(views), len(times)), bool)
    for v, (seen, offset) in enumerate(zip(views, offsets, strict=True)):
        there = (labels.who[v] == person).any(axis=1)
        at = np.searchsorted(seen.times + offset, times + 1e-9).clip(1, len(seen)) - 1
        inside = (times >= seen.times[0] + offset - 1e-9) & (times <= seen.times[-1] + offset + 1e-9)
        seen_by[v] = there[at] & inside
    return times, seen_by


def _worth(
    labels: Labels, person: int, views: Sequence[Keypoints2D], when: tuple[Floats, Bools], needed: int
) -> float:
    """How much was seen of a person: times and views and sizes; 0 = too little."""
    times, seen_by = when
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    enough = (seen_by.sum(axis=0) >= needed).sum() * step
    if enough < max(SECONDS, SHARE * (times[-1] - times[0])) and len(times) * step > SECONDS:
        return 0.0
    tall = [_tallness(seen, who == person) for seen, who in zip(views, labels.who, strict=True)]
    return float((seen_by.mean(axis=1) * tall).sum())


def _tallness(seen: Keypoints2D, mine: Bools) -> float:
    """Typical height of a person's detections (T, P), of the image's."""
    points = seen.points[mine]
    if not len(points):
        return 0.0
    return (
        float(np.median(np.nanmax(points[..., 1], axis=1) - np.nanmin(points[..., 1], axis=1))) / seen.size[1]
    )


def _nobody(views: int, left_out: Sequence[str]) -> str:
    """Why there is nobody to solve."""
    where = f"two of the {views} views at once" if views > 1 else "the video"
    more = f" ({'; '.join(left_out)})" if left_out else ""
    check = ", and check the views' offsets" if views > 1 else ""
    return f"no person: nobody is seen well enough by {where}{more}; film the whole body, in light{check}"


def _too_few(number: int, found: int, needed: int) -> str:
    where = "in two views at once" if needed == 2 else "in the video"
    found_words = f"{found} {'person was' if found == 1 else 'people were'} seen well enough {where}"
    return f"{found_words}, not {number}: film everybody whole, or change `people`"


def _lines(
    rest: Sequence[int],
    labels: Labels,
    keypoints: Mapping[str, Keypoints2D],
    there: Sequence[tuple[Floats, Bools]],
    needed: int,
    number: int | None,
) -> list[str]:
    """Who is left out: those who were there for a while."""
    out = []
    for k in rest:
        times, seen_by = there[k]
        step = (times[-1] - times[0]) / max(len(times) - 1, 1)
        if seen_by.any(axis=0).sum() * step < NAMED:
            continue
        names = [name for name, some in zip(keypoints, seen_by.any(axis=1), strict=True) if some]
        when = times[seen_by.any(axis=0)]
        why = f"`people` is {number}" if number is not None else "that is too little to be solved"
        if needed == 2 and (seen_by.sum(axis=0) >= 2).sum() * step < SECONDS:
            why = "at no time by two views at once" if len(names) > 1 else "by no other view"
        out.append(
            f"somebody is left out who was seen by {' and '.join(names)} from {when[0] - times[0]:.1f} to"
            f" {when[-1] - times[0]:.1f} s: {why}"
        )
    return out


def on_clock(
    crowd: Crowd, rates: Sequence[Fraction], offsets: Sequence[float]
) -> tuple[list[Observations], list[tuple[int, int]]]:
    """All people on one clock, each for as long as he was there.

    Returns:
        What was seen of each person over the whole clip, and the frames [start, stop) when each was there.
    """
    seen = [on_one_clock(views, rates, offsets) for views in crowd.views]
    return seen, [presence(each) for each in seen]


def presence(seen: Observations) -> tuple[int, int]:
    """Frames [start, stop) from when a person came until he was gone; all, if he hardly was."""
    by = seen.visible().sum(axis=0)
    needed = min(2, len(seen.names))
    sure = np.flatnonzero(by >= needed)
    if not len(sure):
        return 0, seen.frames
    start, stop, edge = int(sure[0]), int(sure[-1]) + 1, round(EDGE * float(seen.fps))
    some = np.flatnonzero(by > 0)
    start = max(int(some[0]), start - edge) if _gap(by[:start]) else int(some[0])
    stop = min(int(some[-1]) + 1, stop + edge) if _gap(by[stop:]) else int(some[-1]) + 1
    return (0, seen.frames) if stop - start >= ALWAYS * seen.frames else (start, stop)


def _gap(by: NDArray[np.intp]) -> bool:
    """Whether somebody is unseen for a while within these frames: then they need not be one visit."""
    some = np.flatnonzero(by > 0)
    return len(some) > 0 and bool((by[some[0] : some[-1] + 1] == 0).any())


def between(seen: Observations, start: int, stop: int) -> Observations:
    """The frames [start, stop)."""
    kept = seen.each(lambda values: values[:, start:stop])
    return replace(kept, start=seen.start + start / float(seen.fps))


def one_after_another(people: Sequence[Observations]) -> Observations:
    """All people's frames as if they were one clip: for what looks at frames and not at who is in them."""
    first = people[0]
    if len(people) == 1:
        return first

    def joined(values: list[Floats | None]) -> Floats | None:
        known = [v for v in values if v is not None]
        return np.concatenate(known, axis=1) if len(known) == len(values) else None

    return replace(
        first,
        pixels=np.concatenate([p.pixels for p in people], axis=1),
        confidence=np.concatenate([p.confidence for p in people], axis=1),
        world=joined([p.world for p in people]),
        spread=joined([p.spread for p in people]),
        detected=joined([p.detected for p in people]),
        slant=joined([p.slant for p in people]),
    )
