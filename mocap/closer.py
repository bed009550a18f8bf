"""People looked at closer once it is known about where they are, and what that tells of their joints.

Everybody is solved roughly and looked at in squares about that (`mocap.squares`); what is seen there counts
beside what had been. What this buys stands in `docs/centres.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mocap.animate import Animated
from mocap.centred import ALIKE, sight_of
from mocap.clock import at_ticks
from mocap.config import CaptureConfig
from mocap.detect.closer import SHOWN, averaged
from mocap.detect.cover import Cover
from mocap.detect.run import joined
from mocap.errors import MocapError
from mocap.handplace import worth_looking
from mocap.hiding import hidden_by_others
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.placing import Placed
from mocap.progress import Progress
from mocap.recheck import median_miss
from mocap.solving import Solved, solve_people
from mocap.squares import FEWEST, RATE, closer_covers, closer_regions, crowded_regions, landmarks_of
from mocap.video import VideoInfo
from rigs.motion import Motion
from rigs.solving.kinematics import Pose

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Find = Callable[[str, Mapping[str, Floats], Mapping[str, Cover]], dict[str, Keypoints2D]]

ROUGH_RATE, ROUGH_FRAMES = 10.0, 10  # ticks a second at which people are solved before, and at least so many
BEYOND = 0.05  # of the body's extent: joints so far beyond the image's edge are still guessed well enough
FITS = 0.08  # of the body's extent, by which looks miss it at most; right ones 0.01 to 0.06, wrong ones 0.16
COVERED = 0.3  # share of somebody's joints in the image, hidden by others, from which on looks tell nothing
FIRST = 2.0  # times what first looks say that joints are off: nobody told them where to look
# Times what is said that joints are off which lie so far (of the body's extent) beyond the image's edge: of
# people who were cut out of the rendered clips.
FARTHER = ((0.0, 0.025, 0.075), (1.0, 1.15, 1.35))
# Times what is said that joints of feet are off: in seven clips, whole and cut, feet come out turned wrong by
# 7.9 instead of 8.2 degrees, and knees and shins stay; with 0.5 plants slide.
FEET, FEET_SD = ("foot", "ball", "toe"), 0.7


def can_look_closer(placed: Placed) -> bool:
    """Whether there are several views, and a detector beside whose landmarks joint centres are looked for."""
    layout = placed.seen.layout
    return len(placed.seen.names) > 1 and layout.detector != layout


def looked_at_closer(
    placed: Placed,
    config: CaptureConfig,
    videos: list[VideoInfo],
    keypoints: Mapping[str, Keypoints2D],
    find: Find,
    progress: Callable[[str], Progress],
) -> Placed:
    """See joints once more where people are, as far as a rough solve tells.

    Where others are near, that may have taken a limb for another's. Looks that tell better move it, and then
    it is looked at where it lies now.

    Args:
        placed: people on one clock, and the cameras.
        config: of the capture.
        videos: of the views.
        keypoints: what was detected in each view, in the order of the cameras.
        find: looks, given a key of `mocap.detect.worker.PLACED`, regions and covers by view.
        progress: see `mocap.solving.solve_people`.

    Returns:
        The same people with what was seen beside what had been; as they were if they cannot be solved.

    Raises:
        MocapError: whatever `find` raises.
    """
    solved = solve_roughly(placed, config, videos, progress)
    if not solved:
        return placed
    sizes = [video.size for video in videos]
    regions = closer_regions(solved, placed, keypoints)
    covers = closer_covers(solved, placed, keypoints, regions)
    found = find("closer", regions, covers)
    closer = with_closer_looks(placed, solved, found, sizes)
    if not any(len(cover.owners) for cover in covers.values()):
        return closer
    again = solve_roughly(closer, config, videos, progress)
    if [one.person for one in again] != [one.person for one in solved]:
        return closer
    regions = crowded_regions(regions, closer_regions(again, placed, keypoints), covers)
    more = find("crowd", regions, closer_covers(again, placed, keypoints, regions))
    seen = {name: joined([more[name], view]) if name in more else view for name, view in found.items()}
    return with_closer_looks(placed, again, seen, sizes)


def solve_roughly(
    placed: Placed, config: CaptureConfig, videos: list[VideoInfo], progress: Callable[[str], Progress]
) -> list[Solved]:
    """Find about where people are: solved at a few ticks a second, with nothing done for feet, and drawn out.

    Args:
        placed: people on one clock, and the cameras.
        config: of the capture.
        videos: of the views.
        progress: see `mocap.solving.solve_people`.

    Returns:
        Their motions in every frame; nobody if that cannot be done, which the real solve will then tell.
    """
    every = max(1, min(round(float(placed.seen.fps) / ROUGH_RATE), placed.seen.frames // ROUGH_FRAMES))
    try:
        solved, _ = solve_people(placed.thinned(every), config, videos, progress, "never")
    except MocapError:
        return []
    return [_in_every_frame(one, placed, every) for one in solved]


def _in_every_frame(one: Solved, placed: Placed, every: int) -> Solved:
    """Somebody who was solved at every so manieth tick, at all ticks when he was there."""
    start, stop = placed.spans[one.person]
    rough = one.animated.motion
    pose = Pose(rough.root, rough.rotations).at(np.arange(start, stop) / every - one.first)
    motion = Motion(rough.skeleton, pose.rotations, pose.root, placed.seen.fps)
    return replace(one, animated=Animated(motion, one.animated.stature, one.animated.sizes), first=start)


def with_closer_looks(
    placed: Placed,
    solved: Sequence[Solved],
    found: Mapping[str, Keypoints2D],
    sizes: Sequence[tuple[int, int]],
) -> Placed:
    """Put what closer looks found to what was seen of people, for whoever was solved.

    Args:
        placed: the views.
        solved: P people, whose squares these were.
        found: by view, of those that were looked at; P as in `closer_regions`.
        sizes: (width, height) of each view's images, pixels.
    """
    people, layout = list(placed.people), placed.seen.layout
    cameras = solved[0].cameras
    bodies = [landmarks_of(one, placed) for one in solved]
    hidden = hidden_by_others(bodies, layout, cameras)
    for number, one in enumerate(solved):
        looks = _looks(found, placed, number)
        places = cameras.project(bodies[number])
        people[one.person] = _beside(people[one.person], looks, places, hidden[number], np.array(sizes))
    return replace(placed, people=tuple(people))


def _looks(found: Mapping[str, Keypoints2D], placed: Placed, person: int) -> Floats:
    """What was found of a person (V, T, C, 5), on the clock."""
    seen, names = placed.seen, placed.seen.names
    count = len(seen.layout) - len(seen.layout.detector)
    out = np.full((len(names), seen.frames, count, 5), np.nan)
    looked = [v for v, name in enumerate(names) if name in found]
    if not looked:
        return out
    views = {names[v]: _said(found[names[v]]) for v in looked}
    shifts = [float(placed.offsets[v]) for v in looked]
    at = at_ticks(views, seen.times, seen.fps, shifts, person)
    assert at.spread is not None and at.slant is not None
    out[looked] = _said_of(at, slice(-count, None))
    return out


def _said(view: Keypoints2D) -> Keypoints2D:
    """The frames that were looked at, and how far centres there may be off, and which way."""
    view = view.take(np.flatnonzero(worth_looking(view.times, RATE)))
    spread, slant = np.full(view.confidence.shape, np.nan), np.full(view.points.shape, np.nan)
    assert view.centres is not None
    rows = slice(-view.centres.shape[2], None)
    spread[:, :, rows], slant[:, :, rows] = view.centres[..., 2], view.centres[..., 3:]
    return replace(view, spread=spread, slant=slant)


def _said_of(seen: Observations, rows: slice) -> Floats:
    """(V, T, C, 5) places, spread and slant of some landmarks."""
    assert seen.spread is not None and seen.slant is not None
    parts = (seen.pixels, seen.spread[..., None], seen.slant)
    return np.concatenate([part[:, :, rows] for part in parts], axis=-1)


def _beside(seen: Observations, looks: Floats, places: Floats, hidden: Bools, sizes: Floats) -> Observations:
    """What was seen, with what closer looks (V, T, C, 5) say of joint centres.

    Args:
        seen: V views of a person over T frames.
        looks: NaN where nobody looked.
        places: (V, T, J, 2) px, where the solved body is.
        hidden: (V, T, J) whether it is behind somebody else there.
        sizes: (V, 2) px, of the images.
    """
    assert seen.spread is not None and seen.slant is not None and seen.detected is not None
    rows = slice(len(seen.layout.detector), None)
    places, hidden = places[:, :, rows], hidden[:, :, rows]
    extent = (np.fmax.reduce(places, axis=2) - np.fmin.reduce(places, axis=2)).max(axis=-1)[..., None]
    last = sizes[:, None, None] - 1.0
    inside = np.minimum(places, last - places).min(axis=-1) / extent
    in_sight = inside >= 0
    behind = (in_sight & hidden).sum(axis=-1) / np.maximum(in_sight.sum(axis=-1), 1)
    miss = median_miss(looks[..., :2], places, in_sight & ~hidden, FEWEST)[..., None] / extent
    looked = (behind < COVERED)[..., None] & (miss < FITS)
    before = _said_of(seen, rows) * (1.0, 1.0, FIRST / ALIKE, 1.0, 1.0)
    counts = np.stack([np.ones(SHOWN.shape[1]), SHOWN.sum(axis=0)])
    both = averaged(np.stack([before, looks]), counts[:, None, None])
    good = looked & (inside >= -BEYOND) & ~hidden & np.isfinite(both[..., 2])
    both[..., 2] *= ALIKE * np.interp(-np.nan_to_num(inside), *FARTHER)
    both[..., 2] *= np.where([name.endswith(FEET) for name in seen.layout.landmarks[rows]], FEET_SD, 1.0)

    def put(values: Floats, new: Floats, missing: float) -> Floats:
        out, wide = values.copy(), (..., *(None,) * (values.ndim - 3))
        out[:, :, rows] = np.where(looked[wide], np.where(good[wide], new, missing), values[:, :, rows])
        return out

    return replace(
        seen,
        pixels=put(seen.pixels, both[..., :2], np.nan),
        detected=put(seen.detected, both[..., :2], np.nan),
        spread=put(seen.spread, both[..., 2], np.nan),
        slant=put(seen.slant, both[..., 3:], np.nan),
        confidence=put(seen.confidence, np.nan_to_num(sight_of(both[..., 2], extent)), 0.0),
    )
