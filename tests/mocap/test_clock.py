"""Views on one clock: what was seen at a tick is what the view saw then, and nothing is made up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mocap.clock import on_one_clock, partial_views
from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D, load_layout
from mocap.observations import Observations

SPEED = np.array([30.0, -7.0])  # px/s: linear, so that interpolation is exact


def view(times: np.ndarray, offset: float = 0.0, layout: str = "coco17", world: bool = False) -> Keypoints2D:
    """Landmark j at time t of the common clock is at SPEED t + (j, 0)."""
    table = load_layout(layout)
    clock = np.asarray(times) + offset
    points = clock[:, None, None] * SPEED + np.arange(len(table))[:, None] * [1.0, 0.0]
    guess = np.repeat(clock[:, None, None], len(table), axis=1) * np.ones(3)
    confidence = np.full(points.shape[:2], 0.8)
    return Keypoints2D(
        table, points[:, None], confidence[:, None], times, (640, 480), guess[:, None] if world else None
    )


def steps(count: int, fps: Fraction | int, start: float = 0.0) -> np.ndarray:
    return start + np.arange(count) / float(fps)


def seen_times(seen: Observations, v: int) -> np.ndarray:
    """The common time that each frame of a view shows, by its first landmark; NaN where unseen."""
    return seen.pixels[v, :, 0, 0] / SPEED[0]


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(60), Fraction(25)])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_equal_views_give_exactly_their_frames(fps: Fraction, count: int) -> None:
    views = {"a": view(steps(count, fps), world=True), "b": view(steps(count, fps), world=True)}
    seen = on_one_clock(views, [fps, fps], [0.0, 0.0])
    assert (seen.names, seen.fps, seen.frames) == (("a", "b"), fps, count)
    for v, keypoints in enumerate(views.values()):
        np.testing.assert_array_equal(seen.pixels[v], keypoints.points[:, 0])
        np.testing.assert_array_equal(seen.confidence[v], keypoints.confidence[:, 0])
        assert seen.world is not None and keypoints.world is not None
        np.testing.assert_array_equal(seen.world[v], keypoints.world[:, 0])


def test_one_view_alone_keeps_its_frames() -> None:
    seen = on_one_clock({"a": view(steps(20, 30))}, [Fraction(30)], [0.0])
    assert seen.frames == 20 and seen.world is None


def test_offsets_are_added_to_the_views_own_times() -> None:
    offset = 4 / 30
    views = {"a": view(steps(30, 30)), "b": view(steps(30, 30), offset)}
    seen = on_one_clock(views, [Fraction(30)] * 2, [0.0, offset])
    assert seen.frames == 26  # from the first to the last tick that both have
    for v in (0, 1):
        np.testing.assert_allclose(seen_times(seen, v), 4 / 30 + np.arange(26) / 30, atol=1e-12)


def test_an_offset_between_frames_is_interpolated() -> None:
    offset = 0.5 / 30
    seen = on_one_clock(
        {"a": view(steps(30, 30)), "b": view(steps(30, 30), offset)}, [Fraction(30)] * 2, [0.0, offset]
    )
    both = np.isfinite(seen_times(seen, 0)) & np.isfinite(seen_times(seen, 1))
    assert both.sum() >= 28
    np.testing.assert_allclose(seen_times(seen, 0)[both], seen_times(seen, 1)[both], atol=1e-12)


def test_a_slower_view_is_interpolated_on_the_clock_of_the_faster() -> None:
    views = {"fast": view(steps(121, 60)), "slow": view(steps(61, 30))}
    seen = on_one_clock(views, [Fraction(60), Fraction(30)], [0.0, 0.0])
    assert (seen.fps, seen.frames) == (60, 121)
    np.testing.assert_allclose(seen_times(seen, 1), steps(121, 60), atol=1e-12)
    np.testing.assert_array_equal(seen.pixels[1, ::2], views["slow"].points[:, 0])


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001)])
def test_a_view_of_another_rate_shows_the_right_times(rate: Fraction) -> None:
    views = {"a": view(steps(61, 30)), "b": view(steps(48, rate))}
    seen = on_one_clock(views, [Fraction(30), rate], [0.0, 0.0])
    # A frame within a fifth of a tick is taken as it is: off by at most 0.2 / 30 s.
    known = np.isfinite(seen_times(seen, 1))
    assert np.abs(seen_times(seen, 1) - steps(seen.frames, 30))[known].max() <= 0.2 / 30 + 1e-12
    assert known.sum() >= 47


def test_variable_rate_is_heeded() -> None:
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.uniform(0.8, 1.2, 60)) / 30
    seen = on_one_clock({"a": view(steps(60, 30)), "b": view(times)}, [Fraction(30)] * 2, [0.0, 0.0])
    for v in (0, 1):  # the clock starts with the first frame of both
        known = np.isfinite(seen_times(seen, v))
        assert np.abs(seen_times(seen, v) - steps(seen.frames, 30, times[0]))[known].max() <= 0.2 / 30 + 1e-12
        assert known.mean() > 0.95


def test_views_that_begin_and_end_otherwise_are_unseen_there() -> None:
    views = {
        "whole": view(steps(90, 30)),
        "late": view(steps(40, 30), 1.0),
        "early": view(steps(50, 30)),
    }
    seen = on_one_clock(views, [Fraction(30)] * 3, [0.0, 1.0, 0.0])
    assert seen.frames == 70  # two views have each of them
    late, early = (np.isfinite(seen_times(seen, v)) for v in (1, 2))
    assert late.tolist() == [False] * 30 + [True] * 40
    assert early.tolist() == [True] * 50 + [False] * 20
    assert (seen.confidence[1, :30] == 0).all() and np.isnan(seen.pixels[1, :30]).all()
    assert partial_views(views, [0.0, 1.0, 0.0], seen) == [
        "view late: its video covers 1.0 to 2.3 s of 2.3 s",
        "view early: its video covers 0.0 to 1.6 s of 2.3 s",
    ]


def test_a_view_beside_the_others_covers_nothing() -> None:
    views = {name: view(steps(30, 30)) for name in "abc"}
    seen = on_one_clock(views, [Fraction(30)] * 3, [0.0, 0.0, 9.0])
    assert seen.frames == 30 and np.isnan(seen.pixels[2]).all()
    assert partial_views(views, [0.0, 0.0, 9.0], seen) == ["view c: its video covers nothing of 1.0 s"]


def test_views_without_overlap_are_refused() -> None:
    with pytest.raises(MocapError, match=r"do not overlap in time \(a 0.00-0.97 s, b 5.00-5.97 s\).*offsets"):
        on_one_clock({"a": view(steps(30, 30)), "b": view(steps(30, 30))}, [Fraction(30)] * 2, [0.0, 5.0])


def test_different_layouts_are_refused() -> None:
    views = {"a": view(steps(9, 30)), "b": view(steps(9, 30), layout="blazepose33")}
    with pytest.raises(MocapError, match="different layouts: blazepose33, coco17"):
        on_one_clock(views, [Fraction(30)] * 2, [0.0, 0.0])


def gappy(first: int, last: int) -> Keypoints2D:
    """Frames without the landmarks from `first` to `last`."""
    whole = view(steps(60, 30))
    points, confidence = whole.points.copy(), whole.confidence.copy()
    points[first : last + 1], confidence[first : last + 1] = np.nan, 0.0
    return whole.replace(points, confidence)


@pytest.mark.parametrize("offset", [0.0, 0.5 / 30])
def test_gaps_stay_gaps(offset: float) -> None:
    seen = on_one_clock({"a": view(steps(60, 30)), "b": gappy(20, 29)}, [Fraction(30)] * 2, [0.0, offset])
    unseen = np.flatnonzero(np.isnan(seen_times(seen, 1)))
    assert set(range(20, 30)) <= set(unseen) or set(range(20, 31)) <= set(unseen + 1)
    assert (seen.confidence[1, unseen] == 0).all()


@pytest.mark.parametrize(("lost", "bridged"), [(1, True), (2, False), (20, False)])
def test_frames_that_are_missing_are_bridged_only_when_few(lost: int, bridged: bool) -> None:
    times = np.delete(steps(60, 30), range(20, 20 + lost))
    seen = on_one_clock({"a": view(steps(60, 30)), "b": view(times)}, [Fraction(30)] * 2, [0.0, 0.0])
    inside = np.isfinite(seen_times(seen, 1))[20 : 20 + lost]
    assert (inside == bridged).all()
    assert np.isfinite(seen_times(seen, 1)[:20]).all() and np.isfinite(seen_times(seen, 1)[20 + lost :]).all()
