"""Who is who, against made-up people whose names are known: crossings, comings and goings, slides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mocap.associate import Labels, associate
from tests.calibration.synthetic import ring
from tests.synth_crowd import detections, hidden, lanes, turned
from tests.synth_take import Person, marching

CAMERAS = ring()
FRAMES = 90


def crossing() -> list[Person]:
    """Two people who walk through the middle towards each other and past, half a metre apart."""
    walk = marching(FRAMES).moved(0.25, -0.3)
    return [walk, turned(walk, 180)]


def scene(people: Sequence[Sequence[Person]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Points and names by view, of the people whom each sees."""
    found = [
        lanes(camera, there, seed=k) for k, (camera, there) in enumerate(zip(CAMERAS, people, strict=True))
    ]
    return [points for points, _ in found], [who for _, who in found]


def labelled(points: Sequence[np.ndarray]) -> Labels:
    views = [detections(p, camera.size) for p, camera in zip(points, CAMERAS, strict=True)]
    return associate(views, [0.0] * len(views), CAMERAS)


def names(labels: Labels, truth: Sequence[np.ndarray]) -> dict[int, set[int]]:
    """True people by label: one each where nobody was confused."""
    out: dict[int, set[int]] = {}
    for who, true in zip(labels.who, truth, strict=True):
        for label, name in zip(who[true >= 0], true[true >= 0], strict=True):
            out.setdefault(int(label), set()).add(int(name))
    return out


def share(labels: Labels, truth: Sequence[np.ndarray]) -> float:
    """Of the detections those that are somebody's."""
    return float(np.mean([(who >= 0)[true >= 0].mean() for who, true in zip(labels.who, truth, strict=True)]))


def test_two_who_cross_stay_themselves() -> None:
    points, truth = scene([crossing()] * 4)
    labels = labelled(points)
    assert sorted(map(sorted, names(labels, truth).values())) == [[0], [1]]
    assert share(labels, truth) == 1.0


def test_three_people_are_three() -> None:
    people = [*crossing(), turned(marching(FRAMES), 90).moved(-0.8, 0.9)]
    points, truth = scene([people] * 4)
    labels = labelled(points)
    assert sorted(map(sorted, names(labels, truth).values())) == [[0], [1], [2]]
    assert labels.count == 3


def test_who_leaves_for_a_second_and_comes_back_is_the_same() -> None:
    one, other = crossing()
    points, truth = scene([[one, hidden(other, slice(40, 70))]] * 4)
    assert sorted(map(sorted, names(labelled(points), truth).values())) == [[0], [1]]


def test_somebody_whom_one_view_alone_sees_is_nobody_else() -> None:
    one, other = crossing()
    bystander = turned(marching(FRAMES), 30).moved(1.5, 1.5)
    points, truth = scene([[one, other, bystander], [one, other], [one, other], [one, other]])
    found = names(labelled(points), truth)
    assert sorted(map(sorted, found.values())) == [[0], [1], [2]]


def test_a_slide_from_one_to_the_other_is_taken_back() -> None:
    """From frame 50 on the first view has both lanes on the same person, who has not been seen to change."""
    one, other = crossing()
    apart = [one.moved(0.8, 0.0), other.moved(-0.8, 0.0)]
    points, _ = scene([apart] * 4)
    first, _ = lanes(CAMERAS[0], apart, seed=None)
    for n, t in enumerate(range(50, 56)):  # slides within six frames
        first[t, 0] += (first[t, 1] - first[t, 0]) * (n + 1) / 6
    first[56:, 0] = first[56:, 1]
    first[50:, 1] = np.nan
    slid = detections(first, CAMERAS[0].size)
    views = [slid, *(detections(p, c.size) for p, c in zip(points[1:], list(CAMERAS)[1:], strict=True))]
    labels = associate(views, [0.0] * 4, CAMERAS)
    person = [labels.who[0][10, 0], labels.who[0][10, 1]]
    assert person[0] != person[1]
    assert (labels.who[0][60:, 0] == person[1]).all()


def test_a_slide_as_others_lose_both_makes_nobody_somebody_else() -> None:
    """The last view has one lane, of one person and then of the other; all others lose both as it slides."""
    people = [marching(FRAMES).moved(-0.6, 0.0), marching(FRAMES).moved(0.6, 0.3)]
    points, truth = scene([[hidden(person, slice(43, 48)) for person in people]] * 4)
    last, _ = lanes(CAMERAS[3], people, seed=None)
    for n, t in enumerate(range(42, 48)):
        last[t, 0] += (last[t, 1] - last[t, 0]) * (n + 1) / 6
    last[48:, 0] = last[48:, 1]
    last[:, 1] = np.nan
    labels = labelled([*points[:3], last])
    whole = Labels(labels.who[:3], labels.count)
    assert sorted(map(sorted, names(whole, truth[:3]).values())) == [[0], [1]]
    assert share(whole, truth[:3]) == 1.0
    early, late = (names(Labels(labels.who[3:], 2), [np.full((FRAMES, 2), k)]) for k in (0, 1))
    assert set(labels.who[3][:40, 0]) != set(labels.who[3][50:, 0])
    assert early and late


def test_one_camera_keeps_people_who_do_not_meet_apart() -> None:
    people = [marching(FRAMES).moved(-1.0, 0.0), marching(FRAMES).moved(1.0, 0.5)]
    points, truth = lanes(CAMERAS[0], people, seed=4)
    labels = associate([detections(points, CAMERAS[0].size)], [0.0], None)
    assert sorted(map(sorted, names(labels, [truth]).values())) == [[0], [1]]


CLOTHES = np.array([[[30, 20, -30], [40, 0, -25]], [[60, -30, 30], [20, 5, 5]]], float)


def test_one_camera_knows_who_comes_back_by_his_clothes() -> None:
    """One leaves to the left for two seconds and comes back from the right; the other is there throughout."""
    gone = hidden(marching(FRAMES).moved(-1.0, 0.0), slice(20, 80))
    back = Person(gone.joints, gone.landmarks.copy())
    back.landmarks[80:] += (2.2, 0.0, 0.0)
    people = [back, marching(FRAMES)]
    points, truth = lanes(CAMERAS[0], people, seed=4)
    views = [detections(points, CAMERAS[0].size, truth, worn) for worn in (CLOTHES, CLOTHES[[0, 0]])]
    dressed, alike = (associate([seen], [0.0], None) for seen in views)
    assert sorted(map(sorted, names(dressed, [truth]).values())) == [[0], [1]]
    assert alike.count == 3  # nothing else tells who that is


def test_two_who_walk_through_each_other_keep_their_names_by_their_clothes() -> None:
    """They turn round where they meet, as far as places tell."""
    one, other = crossing()
    early, late = np.arange(FRAMES)[:, None, None] < 44, np.arange(FRAMES)[:, None, None] >= 44
    met = [
        hidden(
            Person(a.joints, np.where(early, a.landmarks, np.where(late, b.landmarks, np.nan))), slice(40, 48)
        )
        for a, b in ((one, other), (other, one))
    ]
    points, truth = scene([met] * 4)
    dressed = [
        detections(p, camera.size, who, CLOTHES)
        for p, who, camera in zip(points, truth, CAMERAS, strict=True)
    ]
    labels = associate(dressed, [0.0] * 4, CAMERAS)
    assert sorted(map(sorted, names(labels, truth).values())) == [[0], [1]]
    assert share(labels, truth) == 1.0
    undressed = names(labelled(points), truth)
    assert any(len(them) > 1 for them in undressed.values())


@pytest.mark.parametrize(("slides", "goes"), [(17, 32), (17, 70), (22, 32)])
def test_a_slide_within_a_piece_parts_nobody_from_himself(slides: int, goes: int) -> None:
    """The first view's lane goes over to the other one's as two more views begin to see whom it leaves."""
    one, other = marching(FRAMES).moved(-0.6, 0.0), marching(FRAMES).moved(0.6, 0.0)
    late = hidden(one, slice(0, slides + 2))
    points, truth = scene([[one, other], [one, other], [late, other], [late, other]])
    first, _ = lanes(CAMERAS[0], [one, other], seed=None)
    for n, t in enumerate(range(slides, slides + 5)):
        first[t, 0] += (first[t, 1] - first[t, 0]) * (n + 1) / 5
    first[slides + 5 :, 0] = first[slides + 5 :, 1]
    first[slides:, 1] = first[goes:, 0] = np.nan
    labels = labelled([first, *points[1:]])
    others = Labels(labels.who[1:], labels.count)
    assert sorted(map(sorted, names(others, truth[1:]).values())) == [[0], [1]]
    assert share(others, truth[1:]) == 1.0
