"""Tracks: everybody is followed whatever the order, and cut up where people are in each other's way."""

from __future__ import annotations

import numpy as np

from mocap.keypoints import Keypoints2D, load_layout
from mocap.track import Track, distance, extent, straightened, tracks_in_place

LAYOUT = load_layout("coco17")
BODY = np.random.default_rng(1).uniform((0, 0), (40, 120), (17, 2))  # pixels


def walking(x: np.ndarray) -> np.ndarray:
    """(T, 17, 2): a body at these places (T,), NaN where it is not there."""
    return BODY + np.stack([x, 0 * x], axis=-1)[:, None]


def view(*people: np.ndarray, seed: int | None = None) -> tuple[Keypoints2D, np.ndarray]:
    """Detections, and who each is (T, P)."""
    points = np.stack(people, axis=1)
    who = np.tile(np.arange(len(people)), (len(points), 1))
    if seed is not None:
        rng = np.random.default_rng(seed)
        who = np.stack([rng.permutation(len(people)) for _ in who])
        points = np.take_along_axis(points, who[..., None, None], axis=1)
    confidence = np.where(np.isfinite(points[..., 0]), 0.9, 0.0)
    return Keypoints2D(LAYOUT, points, confidence, np.arange(len(points)) / 30, (1280, 720)), who


def find_tracks(view: int, seen: Keypoints2D) -> list[Track]:
    """Tracks by the places that people have in `seen`."""
    straight, lane = straightened(seen)
    tracks = tracks_in_place(view, straight)
    return [Track(view, t.frames, lane[t.frames, t.lanes]) for t in tracks]


def people_of(tracks: list[Track], who: np.ndarray) -> list[set[int]]:
    return [set(who[track.frames, track.lanes].tolist()) for track in tracks]


def test_two_people_apart_are_two_tracks_in_any_order() -> None:
    t = np.arange(40.0)
    seen, who = view(walking(2 * t), walking(600 + t), seed=3)
    tracks = find_tracks(0, seen)
    assert sorted(len(track) for track in tracks) == [10, 10, 15, 15, 15, 15]  # 0.5 s, and what is left
    assert all(len(names) == 1 for names in people_of(tracks, who))


def test_no_piece_of_a_crossing_holds_both_while_they_move_on() -> None:
    t = np.arange(60.0)
    seen, who = view(walking(6 * t), walking(360 - 6 * t), seed=5)
    tracks = find_tracks(0, seen)
    before = [k for k, track in enumerate(tracks) if track.frames[0] == 0]
    after = [k for k, track in enumerate(tracks) if track.frames[-1] == 59]
    assert len(before) == 2 and len(after) == 2
    assert all(len(people_of(tracks, who)[k]) == 1 for k in before + after)
    assert sum(len(track) for track in tracks) == 120  # every detection is in one track
    assert all(
        track.frames[-1] - track.frames[0] <= 15 for k, track in enumerate(tracks) if k not in before + after
    )


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    x = 3 * np.arange(50.0)
    x[10:12] = np.nan
    x[30:40] = np.nan
    seen, _ = view(walking(x))
    ends = [(track.frames[0], track.frames[-1]) for track in find_tracks(0, seen)]
    assert ends == [(0, 14), (15, 29), (40, 44), (45, 49)]


def test_pieces_of_somebody_alone_run_on_as_one_another() -> None:
    x = 3 * np.arange(70.0)
    x[40:50] = np.nan
    tracks = tracks_in_place(0, view(walking(x))[0])
    ends = [(track.frames[0], track.frames[-1]) for track in tracks]
    assert ends == [(0, 14), (15, 29), (30, 39), (50, 59), (60, 69)]
    runs_on = [(a, b) for a in range(5) for b in range(5) if tracks[a].runs_on_as(tracks[b])]
    assert runs_on == [(0, 1), (1, 2), (3, 4)]  # but not over a long gap, and never backwards


def test_all_views_are_cut_at_the_same_times() -> None:
    seen, _ = view(walking(3 * np.arange(60.0)))
    late = tracks_in_place(0, seen, offset=0.3)
    cuts = [seen.times[track.frames[0]] + 0.3 for track in late[1:]]
    assert np.allclose(cuts, [0.5, 1.0, 1.5, 2.0])
    short = tracks_in_place(0, seen, offset=0.3, longest=0.2)
    cuts = [seen.times[track.frames[0]] + 0.3 for track in short[1:]]
    assert np.allclose(cuts, 0.4 + 0.2 * np.arange(10), atol=1e-6)


def test_somebody_elsewhere_is_no_continuation() -> None:
    x = np.where(np.arange(30) < 15, 0.0, 500.0)
    assert [len(track) for track in find_tracks(0, view(walking(x))[0])] == [15, 15]


def test_somebody_who_appears_before_another_cuts_his_track() -> None:
    t = np.arange(40.0)
    late = np.where(t < 20, np.nan, 10.0)
    seen, _ = view(walking(0 * t), walking(late))
    first = [track for track in find_tracks(0, seen) if track.frames[0] == 0]
    assert first[0].frames[-1] < 20


def test_distance_is_of_the_surer_landmarks_over_the_height() -> None:
    moved = BODY + np.array([12.0, 0.0])
    assert distance(BODY, moved, np.ones(17)) == np.float64(12.0) / extent(moved)
    half = np.where(np.arange(17) < 9, 1.0, 0.1)
    moved[9:] += 500
    assert distance(BODY, moved, half) == np.float64(12.0) / extent(moved)
    assert distance(np.full((17, 2), np.nan), moved, np.ones(17)) == np.inf


def test_straightened_people_keep_their_places_and_nothing_is_lost() -> None:
    t = np.arange(40.0)
    seen, who = view(walking(2 * t), walking(np.where((t > 9) & (t < 25), np.nan, 600.0)), seed=3)
    straight, lane = straightened(seen)
    assert straight.people == 2
    back = np.where(lane >= 0, np.take_along_axis(who, np.maximum(lane, 0), axis=1), -1)
    assert all(len(set(column[column >= 0].tolist())) == 1 for column in back.T)
    assert np.isfinite(straight.points).sum() == np.isfinite(seen.points).sum()
    again, found = (sorted(t.frames.tolist() for t in f(0, straight)) for f in (find_tracks, tracks_in_place))
    assert again == found
