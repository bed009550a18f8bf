"""Following several people with made-up networks: who is found, lost, taken for another, and found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mocap.detect.follow import Body, Follower, Region, parts

IMAGE = np.zeros((540, 720, 3), np.uint8)
SHAPE = np.random.default_rng(0).uniform(-60, 60, (33, 2))  # pixels about the hips
FRAME = 1 / 30


class Stage:
    """People at places (x, y); a region shows whoever is nearest to its middle, as a network would."""

    def __init__(self, people: Sequence[tuple[float, float]]) -> None:
        self.people = list(people)
        self.searches: list[tuple[int, ...]] = []
        self.looks = 0

    def find(self, image: np.ndarray, corner: tuple[int, int] = (0, 0)) -> list[Region]:
        self.searches.append((*corner, *image.shape[:2]))
        (left, top), (high, wide) = corner, image.shape[:2]
        inside = [p for p in self.people if left <= p[0] < left + wide and top <= p[1] < top + high]
        return [Region.about(axis(*p)) for p in inside]

    def look(self, image: np.ndarray, region: Region) -> Body | None:
        self.looks += 1
        near = [p for p in self.people if np.hypot(p[0] - region.x, p[1] - region.y) < 0.4 * region.size]
        if not near:
            return None
        x, y = min(near, key=lambda p: np.hypot(p[0] - region.x, p[1] - region.y))
        return Body(SHAPE + np.array((x, y)), np.full(33, 0.9), np.zeros((33, 3)), axis(x, y))


def axis(x: float, y: float) -> np.ndarray:
    return np.array([[x, y], [x, y - 80.0]])


def run(stage: Stage, frames: int, follower: Follower | None = None, first: int = 0) -> Follower:
    follower = follower or Follower(stage)
    for t in range(first, first + frames):
        follower.step(IMAGE, t * FRAME)
    return follower


def where(follower: Follower) -> dict[int, tuple[float, float]]:
    return {k: tuple(lane.body.axis[0].tolist()) for k, lane in follower.lanes.items()}


def test_everybody_is_found_at_once_and_keeps_his_lane() -> None:
    stage = Stage([(100.0, 200.0), (500.0, 300.0)])
    follower = run(stage, 1)
    assert sorted(where(follower).values()) == [(100.0, 200.0), (500.0, 300.0)]
    before = where(follower)
    for t in range(1, 20):
        stage.people = [(100.0 + 4 * t, 200.0), (500.0 - 4 * t, 300.0)]
        follower.step(IMAGE, t * FRAME)
    assert {k: x for k, (x, _) in where(follower).items()} == {
        k: x + (76.0 if x < 300 else -76.0) for k, (x, _) in before.items()
    }


def test_somebody_new_is_found_within_a_second_or_so() -> None:
    stage = Stage([(100.0, 200.0)])
    follower = run(stage, 5)
    stage.people.append((600.0, 200.0))
    run(stage, 45, follower, 5)
    assert len(follower.lanes) == 2


def test_of_two_that_slid_onto_one_body_one_goes_and_is_sought_there() -> None:
    stage = Stage([(300.0, 200.0), (420.0, 200.0)])
    follower = run(stage, 2)
    assert len(follower.lanes) == 2
    stage.people = [(355.0, 200.0)]  # one is hidden by the other, and both regions show the one in front
    run(stage, 1, follower, 2)
    assert len(follower.lanes) == 1
    stage.people = [(320.0, 200.0), (460.0, 200.0)]
    run(stage, 5, follower, 3)
    assert len(follower.lanes) == 2


class Passing(Stage):
    """Two who walk past each other: while they are near, the one in front is all that a look finds.

    Unless he is painted over. Nobody is ever found by a search but in the first frame.
    """

    def find(self, image: np.ndarray, corner: tuple[int, int] = (0, 0)) -> list[Region]:
        return super().find(image, corner) if self.looks == 0 else []

    def look(self, image: np.ndarray, region: Region) -> Body | None:
        everybody, (behind, front) = self.people, self.people
        if np.hypot(behind[0] - front[0], behind[1] - front[1]) < 0.2 * region.size:
            self.people = [front]
        if image.max():
            self.people = [behind]
        found = super().look(image, region)
        self.people = everybody
        return found


def passing(t: int) -> list[tuple[float, float]]:
    return [(250.0 + 5 * t, 200.0), (450.0 - 5 * t, 200.0)]


def test_who_slid_to_another_as_they_passed_is_sought_where_he_would_have_gone() -> None:
    stage = Passing(passing(0))
    follower = run(stage, 1)
    for t in range(1, 40):
        stage.people = passing(t)
        follower.step(IMAGE, t * FRAME)
    assert sorted(where(follower).values()) == sorted(passing(39))


def test_of_two_bodies_that_are_one_the_lane_that_is_astray_goes() -> None:
    stage = Stage([(300.0, 200.0), (420.0, 200.0)])
    follower = run(stage, 10)
    first = next(k for k, (x, _) in where(follower).items() if x == 300.0)
    other = next(k for k in where(follower) if k != first)
    for kept, gone, place in ((other, first, 400.0), (first, other, 320.0)):
        stage.people = [(300.0, 200.0), (420.0, 200.0)]
        follower = run(stage, 10)
        stage.people = [(place, 200.0)]
        stage.look = lambda image, region, x=place: Body(  # type: ignore[method-assign, misc]
            SHAPE + np.array((x, 200.0)), np.full(33, 0.9), np.zeros((33, 3)), axis(x, 200.0)
        )
        run(stage, 1, follower, 10)
        assert list(follower.lanes) == [kept] and gone != kept
        del stage.look


def test_a_lane_that_takes_the_place_of_somebody_lost_leaves_its_own_to_be_sought() -> None:
    stage = Stage([(200.0, 200.0), (420.0, 200.0)])
    follower = run(stage, 10)
    stage.people = [(200.0, 200.0)]
    run(stage, 1, follower, 10)  # the second is lost where he stood
    assert len(follower.lanes) == 1
    stage.people = [(260.0, 200.0)]
    run(stage, 1, follower, 11)  # the region of the first slides there
    stage.people = [(418.0, 200.0)]
    stage.look = lambda image, region: Body(  # type: ignore[method-assign, assignment]
        SHAPE + np.array((418.0, 200.0)), np.full(33, 0.9), np.zeros((33, 3)), axis(418.0, 200.0)
    )
    run(stage, 1, follower, 12)
    (lost,) = follower.lost
    assert lost.at(12 * FRAME).x == 200.0


def test_who_is_gone_is_let_go_and_nobody_is_followed_twice() -> None:
    stage = Stage([(100.0, 200.0), (500.0, 300.0)])
    follower = run(stage, 3)
    stage.people.pop()
    run(stage, 60, follower, 3)
    assert list(where(follower).values()) == [(100.0, 200.0)]


def test_alone_nobody_else_is_looked_for() -> None:
    stage = Stage([(100.0, 200.0), (500.0, 300.0)])
    follower = run(stage, 30, Follower(stage, alone=True))
    assert len(follower.lanes) == 1 and len(stage.searches) == 1


def test_looking_for_people_costs_little_while_all_is_quiet() -> None:
    stage = Stage([(100.0, 200.0)])
    follower = run(stage, 1)
    before = len(stage.searches)
    run(stage, 90, follower, 1)
    assert len(stage.searches) - before <= 10  # three a second


def test_the_known_are_painted_over_when_the_whole_image_is_searched() -> None:
    stage = Stage([(100.0, 200.0)])
    shown: list[int] = []
    find = stage.find

    def watch(image: np.ndarray, corner: tuple[int, int] = (0, 0)) -> list[Region]:
        shown.append(int(image.max()))
        return find(image, corner)

    stage.find = watch  # type: ignore[method-assign]
    run(stage, 1)
    assert shown[0] == 0 and shown[-1] == 128  # nobody is known yet; then a grey body in a black image
    assert IMAGE.max() == 0


def test_parts_cover_the_image_and_overlap() -> None:
    for high, wide in ((540, 720), (1920, 1080), (720, 1280), (500, 500)):
        whole, *squares = parts(np.zeros((high, wide, 3), np.uint8))
        assert whole == (0, 0, wide, high)
        covered = np.zeros(max(high, wide), int)
        for left, top, right, low in squares:
            assert right - left == low - top == min(high, wide)
            covered[slice(left, right) if wide > high else slice(top, low)] += 1
        assert not squares or covered.min() >= 1


def test_a_region_stands_about_the_body() -> None:
    region = Region.about(np.array([[100.0, 200.0], [100.0, 120.0]]))
    assert (region.x, region.y, region.turn) == (100.0, 200.0, 0.0)
    assert region.size == 2 * 1.25 * 80
    lying = Region.about(np.array([[100.0, 200.0], [180.0, 200.0]]))
    np.testing.assert_allclose(lying.turn, np.pi / 2)
