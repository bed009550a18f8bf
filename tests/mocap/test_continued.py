"""What goes on through space: somebody as himself, not as his neighbour, and only where places are known."""

from __future__ import annotations

import numpy as np

from calibration.camera import Cameras
from mocap.continued import SPEAKS, WORST, continued
from mocap.ticks import common_ticks
from mocap.track import Track, straightened, tracks_in_place
from tests.calibration.synthetic import ring
from tests.synth_crowd import detections, lanes
from tests.synth_take import marching

FRAMES = 60
RING = ring()


def said(cameras: Cameras, apart: float = 0.8) -> dict[tuple[tuple[int, int], tuple[int, int]], float]:
    """What speaks for (person, part of the clock) of two people `apart` m being another of those."""
    people = [marching(FRAMES), marching(FRAMES).moved(apart, 0.0)]
    views, tracks, who = [], [], []
    for v, camera in enumerate(cameras):
        points, _ = lanes(camera, people, seed=None)
        seen, lane = straightened(detections(points, camera.size))
        views.append(seen)
        for track in tracks_in_place(v, seen):
            tracks.append(track)
            who.append((int(lane[track.frames[0], track.lanes[0]]), part(track)))
    names = sorted(set(who))
    groups = [[k for k, name in enumerate(who) if name == wanted] for wanted in names]
    found = continued(groups, tracks, views, common_ticks(views, [0.0] * len(views)), cameras)
    out: dict[tuple[tuple[int, int], tuple[int, int]], float] = {}
    for (k, m), value in found.items():
        a, b = sorted((who[k], who[m]), key=lambda name: name[1])
        out[a, b] = out.get((a, b), 0.0) + value
    return out


def part(track: Track) -> int:
    return int(track.frames[0]) // 15


def test_somebody_goes_on_as_himself_and_not_as_who_stands_beside_him() -> None:
    found = said(RING)
    assert {(a[1], b[1]) for a, b in found} == {(0, 1), (1, 2), (2, 3)}  # from each part to the next
    for (a, b), value in found.items():
        if a[0] == b[0]:
            assert 0.9 * SPEAKS < value <= SPEAKS
        else:
            assert np.isclose(value, -WORST * SPEAKS)


def test_cameras_that_face_each_other_do_not_tell() -> None:
    facing = Cameras((RING[0], RING[2]))
    aside = Cameras((RING[0], RING[1]))
    assert not said(facing, apart=0.3) and said(aside, apart=0.3)
