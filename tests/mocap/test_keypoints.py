"""Layouts are consistent tables; Keypoints2D lets nothing wrong in."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D, Layout, layout_names, load_layout


@pytest.fixture(params=layout_names())
def layout(request: pytest.FixtureRequest) -> Layout:
    return load_layout(request.param)


def test_names_and_size(layout: Layout) -> None:
    assert layout.detector.name.endswith(str(len(layout.detector)))
    assert (layout.name == layout.detector.name) == (len(layout) == len(layout.detector))
    assert len(set(layout.landmarks)) == len(layout)
    assert [layout.index(n) for n in layout.landmarks] == list(range(len(layout)))


def test_mirror_is_its_own_inverse_and_swaps_the_names(layout: Layout) -> None:
    np.testing.assert_array_equal(layout.mirror[layout.mirror], np.arange(len(layout)))
    other = {"left": "right", "right": "left"}
    for j, name in enumerate(layout.landmarks):
        swapped = re.sub("left|right", lambda m: other[m.group()], name)
        assert layout.landmarks[layout.mirror[j]] == swapped


def test_groups_partition_the_landmarks_and_are_closed_under_mirror(layout: Layout) -> None:
    members = sorted(j for group in layout.groups.values() for j in group)
    assert members == list(range(len(layout)))
    for group in layout.groups.values():
        assert set(layout.mirror[group]) == set(group)


def test_edges_are_closed_under_mirror(layout: Layout) -> None:
    edges = {frozenset(e) for e in layout.edges}
    assert {frozenset(layout.mirror[list(e)]) for e in edges} == edges


def test_a_layout_of_more_begins_as_it_was_detected(layout: Layout) -> None:
    detected = layout.detector
    rows = range(len(detected))
    assert detected.detector is detected  # and not once more of something else
    assert layout.landmarks[: len(detected)] == detected.landmarks
    np.testing.assert_array_equal(layout.mirror[: len(detected)], detected.mirror)
    assert layout.edges[: len(detected.edges)] == detected.edges
    assert {g: [j for j in js if j in rows] for g, js in layout.groups.items()} == detected.groups


def test_what_means_the_same_is_seen_once_by_each_network_and_on_both_sides(layout: Layout) -> None:
    assert bool(layout.same) == (layout.name == "blazepose33_centres")
    for own, others in (zip(*layout.same, strict=True),) if layout.same else ():
        assert len(set(own)) == len(own) and len(set(others)) == len(others)
        assert max(own) < len(layout.detector) <= min(others)
    mirrored = {(int(layout.mirror[a]), int(layout.mirror[b])) for a, b in layout.same}
    assert mirrored == set(layout.same)


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(MocapError, match="blazepose33, blazepose33_centres, coco17"):
        load_layout("openpose")
    with pytest.raises(MocapError, match=r"no landmark 'tail'.*nose"):
        load_layout("coco17").index("tail")


def fields(frames: int = 4) -> dict[str, Any]:
    layout = load_layout("coco17")
    shape = (frames, 1, len(layout))
    points, confidence = np.full((*shape, 2), 5.0), np.full(shape, 0.5)
    points[1, 0, 3], confidence[1, 0, 3] = np.nan, 0
    times = np.arange(frames) / 30
    return {"layout": layout, "points": points, "confidence": confidence, "times": times, "size": (64, 48)}


def test_good_keypoints_are_copied_and_frozen() -> None:
    given = fields()
    k = Keypoints2D(**given)
    given["points"][0] = -1
    assert k.points[0, 0, 0, 0] == 5
    with pytest.raises(ValueError, match="read-only"):
        k.points[0] = 0
    assert (len(k), k.people) == (4, 1)


def test_slice_keeps_times() -> None:
    part = Keypoints2D(**fields()).slice(1, 3)
    np.testing.assert_array_equal(part.times, [1 / 30, 2 / 30])
    assert np.isnan(part.points[0, 0, 3]).all()


def watched(frames: int = 4, people: int = 2, seed: int = 0) -> Keypoints2D:
    """Keypoints with centres."""
    rng = np.random.default_rng(seed)
    points, at = rng.uniform(0, 60, (frames, people, 17, 2)), rng.uniform(0, 60, (frames, people, 5, 5))
    times = np.arange(frames) / 30
    return Keypoints2D(
        load_layout("coco17"), points, np.full((frames, people, 17), 0.5), times, (64, 48), centres=at
    )


def test_centres_go_where_their_frames_and_people_go() -> None:
    k = watched()
    assert k.centres is not None
    np.testing.assert_array_equal(k.slice(1, 3).centres, k.centres[1:3])
    np.testing.assert_array_equal(k.take([0, 3]).centres, k.centres[[0, 3]])
    np.testing.assert_array_equal(k.as_detected().centres, k.centres)
    lane = np.array([[1, 0], [0, 1], [-1, 0], [1, -1]])
    moved = k.placed(lane).centres
    assert moved is not None
    for t, p in np.ndindex(lane.shape):
        there = k.centres[t, lane[t, p]] if lane[t, p] >= 0 else np.full((5, 5), np.nan)
        np.testing.assert_array_equal(moved[t, p], there)
    one = k.of(np.array([[7, 4], [4, 7], [4, 4], [7, 4]]), 7).centres
    assert one is not None and one.shape == (4, 1, 5, 5) and np.isnan(one[2]).all()
    np.testing.assert_array_equal(one[[0, 1, 3], 0], k.centres[[0, 1, 3], [0, 1, 0]])


def test_centres_stay_unless_others_are_given() -> None:
    k, other = watched(), watched(seed=1)
    assert k.centres is not None and other.centres is not None
    np.testing.assert_array_equal(k.replace(other.points, other.confidence).centres, k.centres)
    given = k.replace(other.points, other.confidence, centres=other.centres)
    np.testing.assert_array_equal(given.centres, other.centres)
    np.testing.assert_array_equal(given.points, other.points)
    with pytest.raises(ValueError, match="read-only"):
        given.centres[0] = 0


def broken(field: str, value: object, at: Any = ...) -> dict[str, Any]:
    given = fields()
    given[field] = np.array(given[field], dtype=float)
    given[field][at] = value
    return given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**fields(), "points": np.zeros((4, 17, 2))}, "axes"),
        ({**fields(), "confidence": np.ones((4, 1, 16))}, "confidence has shape"),
        ({**fields(), "times": np.arange(3.0)}, "times has shape"),
        ({**fields(), "world": np.zeros((4, 1, 17, 2))}, "world has shape"),
        ({**fields(), "centres": np.zeros((4, 1, 5))}, r"centres must have axes \(T, P, C, 5\)"),
        ({**fields(), "centres": np.zeros((4, 1, 40, 2))}, "centres must have"),
        ({**fields(), "centres": np.zeros((3, 1, 40, 5))}, "centres must have"),
        ({**fields(), "centres": np.zeros((4, 2, 40, 5))}, "centres must have"),
        ({**fields(), "size": (0, 3)}, "image size"),
        (broken("confidence", 1.5, (2, 0, 0)), "not 1.5 .frame 2, person 0, nose"),
        (broken("confidence", np.nan, (2, 0, 0)), r"\[0, 1\]"),
        (broken("confidence", 0, (2, 0, 1)), "frame 2, person 0, left_eye"),
        (broken("points", np.nan, (2, 0, 1)), "NaN exactly where"),
        (broken("points", np.inf, (2, 0, 1)), "frame 2"),
        (broken("points", np.inf, (1, 0, 3)), "infinite"),
        (broken("times", 0.0, 2), "frame 2 is at 0 s"),
        (broken("times", np.nan, 2), "finite"),
    ],
)
def test_wrong_keypoints_are_refused_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(MocapError, match=message) as caught:
        Keypoints2D(**given)
    assert "\n" not in str(caught.value)
