"""Who is lost behind somebody before one camera, and seen again."""

from __future__ import annotations

import numpy as np
import pytest

from mocap.associate import associate
from mocap.behind import behind_others, without_borrowed_colours
from mocap.track import Track
from tests.calibration.synthetic import ring
from tests.synth_crowd import detections, hidden, lanes
from tests.synth_take import Person, marching

CAMERA = ring()[0]
FRAMES, LOST, BACK = 150, 30, 105  # of 30 a second
ASIDE = 0.9  # metres
WORN = np.array(
    [[[30, 20, -30], [40, 0, -25]], [[60, -30, 30], [20, 5, 5]], [[30, 20, -30], [40, 0, -25]]], float
)


def along(metres: float, aside: float = 0.0) -> Person:
    """Somebody who marches before the camera or away from it, so far from the middle."""
    towards = CAMERA.centre[[0, 2]] / np.linalg.norm(CAMERA.centre[[0, 2]])
    x, z = metres * towards + aside * np.array([towards[1], -towards[0]])
    return marching(FRAMES).moved(x, z - 0.5)


@pytest.mark.parametrize(("aside", "people"), [(0.0, 2), (ASIDE, 3)])
def test_who_was_behind_somebody_is_the_same_again(aside: float, people: int) -> None:
    """One of two is unseen for 2.5 s; unless the other is before him, nothing says who comes back."""
    pair = [along(1.2, aside), hidden(along(-1.2), slice(LOST, BACK))]
    points, who = lanes(CAMERA, pair, seed=4)
    labels = associate([detections(points, CAMERA.size)], [0.0], None)
    assert labels.count == people
    assert len(set(labels.who[0][who == 0].tolist())) == 1
    assert len(set(labels.who[0][who == 1].tolist())) == people - 1


def test_scraps_of_the_one_in_front_are_not_where_somebody_was_lost() -> None:
    """Just after one is lost, the detector takes a hand of the other for him for two frames."""
    front, back = along(1.2), hidden(along(-1.2), slice(LOST, BACK))
    scrap = slice(LOST + 2, LOST + 4)
    hand = front.landmarks[scrap, 15:16]
    back.landmarks[scrap] = hand + 0.1 * (front.landmarks[scrap] - hand)
    points, _ = lanes(CAMERA, [front, back], seed=None)
    seen = detections(points, CAMERA.size)
    early, late = np.r_[:LOST, scrap], np.arange(BACK, FRAMES)
    people = [
        Track(0, np.arange(FRAMES), np.full(FRAMES, 0)),
        *(Track(0, frames, np.full(len(frames), 1)) for frames in (early, late)),
    ]
    found = dict(behind_others(people, seen))
    assert list(found) == [(1, 2)] and found[1, 2] > 0


def test_the_colours_of_who_is_behind_are_not_believed() -> None:
    points, who = lanes(CAMERA, [along(1.2), along(-1.2), along(-1.2, 1.5)], seed=None)
    told = without_borrowed_colours(detections(points, CAMERA.size, who, WORN))
    assert told.colours is not None
    known = np.isfinite(told.colours).all(axis=(2, 3)).mean(axis=0)
    assert known.tolist() == pytest.approx([1.0, 0.0, 1.0], abs=0.1)
