"""People sought again where other views say they are: who is sought, where, and what is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calibration.camera import Cameras
from mocap.crowd import Crowd
from mocap.detect.base import Sought
from mocap.keypoints import Keypoints2D
from mocap.seek import seek
from tests.calibration.synthetic import ring
from tests.synth_crowd import STEP, detections, hidden
from tests.synth_take import SIZE, SURE, Person, marching

FRAMES = 20
LOST = slice(6, 14)
CAMERAS = ring()
OFFSETS = [0.0] * len(CAMERAS)
APART = [marching(FRAMES).moved(-0.5, 0.0), marching(FRAMES).moved(0.5, 0.2)]


def crowd(people: list[Person], lost: int, view: str, frames: slice = LOST) -> Crowd:
    """Everybody seen by all cameras, but for one person in some frames of a view."""
    views = []
    for k, person in enumerate(people):
        gone = {camera.name: hidden(person, frames) for camera in CAMERAS if (k, camera.name) == (lost, view)}
        views.append({c.name: _seen(c, gone.get(c.name, person)) for c in CAMERAS})
    return Crowd(tuple(views))


def _seen(camera: object, person: Person) -> Keypoints2D:
    return detections(camera.project(person.landmarks)[:, None], SIZE)  # type: ignore[attr-defined]


class Looks:
    """A detector that sees, wherever it looks, the same people: by lane."""

    def __init__(self, shown: list[Person]) -> None:
        self.shown = shown
        self.asked: dict[str, Sought] = {}

    def __call__(self, sought: Mapping[str, Sought]) -> dict[str, Keypoints2D]:
        self.asked = dict(sought)
        return {name: self._answer(name, where) for name, where in sought.items()}

    def _answer(self, name: str, where: Sought) -> Keypoints2D:
        camera = CAMERAS[CAMERAS.names.index(name)]
        frames = np.arange(where.frames[0], where.frames[-1] + 1)
        points = np.stack([camera.project(p.landmarks[frames]) for p in self.shown], axis=1)
        asked = np.zeros((len(frames), len(self.shown)), bool)
        asked[where.frames - frames[0], where.lanes] = True
        points[~asked] = np.nan
        confidence = np.where(np.isfinite(points).all(axis=-1), SURE, 0.0)
        return Keypoints2D(detections(points, SIZE).layout, points, confidence, STEP * frames, SIZE)


def unseen(asked: Mapping[str, Sought], given: Crowd) -> dict[str, list[tuple[int, int]]]:
    """By view the frames and lanes in which nobody had been seen; others are asked for as it is crowded."""
    out = {}
    for name, where in asked.items():
        seen = np.stack([views[name].confidence[:, 0].max(axis=-1) > 0 for views in given.views])
        out[name] = [
            (int(t), int(k)) for t, k in zip(where.frames, where.lanes, strict=True) if not seen[k, t]
        ]
    return {name: places for name, places in out.items() if places}


def test_who_is_lost_is_sought_right_where_he_is_and_found() -> None:
    given, looks = crowd(APART, 1, "cam2"), Looks(APART)
    found = seek(given, OFFSETS, CAMERAS, looks)
    assert unseen(looks.asked, given) == {"cam2": [(t, 1) for t in range(FRAMES)[LOST]]}
    truth = CAMERAS[1].project(APART[1].landmarks)
    np.testing.assert_allclose(found.views[1]["cam2"].points[:, 0], truth)
    for k, name in ((0, "cam1"), (0, "cam2"), (1, "cam3")):
        np.testing.assert_array_equal(found.views[k][name].points, given.views[k][name].points)


def test_who_has_others_about_him_is_looked_at_again_and_the_truer_look_counts() -> None:
    """One view took the other's forearms for his; then the second look does."""
    near = [APART[0], APART[0].moved(0.35, 0.5)]
    right, name = crowd(near, 1, "nowhere"), "cam1"
    seen = right.views[0][name]
    arms = [
        seen.layout.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "wrist")
    ]
    points = seen.points.copy()
    points[:, 0, arms] = right.views[1][name].points[:, 0, arms]
    wrong = replace(right, views=({**right.views[0], name: replace(seen, points=points)}, right.views[1]))
    looks = Looks(near)
    found = seek(wrong, OFFSETS, CAMERAS, looks)
    assert (looks.asked[name].lanes == 0).sum() == FRAMES and len(looks.asked[name].cover.strokes)
    np.testing.assert_allclose(found.views[0][name].points, seen.points)
    mixed = near[0].landmarks.copy()
    mixed[:, arms] = near[1].landmarks[:, arms]
    kept = seek(right, OFFSETS, CAMERAS, Looks([Person(near[0].joints, mixed), near[1]]))
    np.testing.assert_array_equal(kept.views[0][name].points, seen.points)


class LooksForCentres(Looks):
    """A detector that tells centres too: all at the person's first landmark, two pixels sure."""

    def _answer(self, name: str, where: Sought) -> Keypoints2D:
        seen = super()._answer(name, where)
        return replace(seen, centres=_centres(seen, spread=2.0))


def crowd_with_centres() -> Crowd:
    """Somebody lost in the second view, and centres of whom the views see."""
    given = crowd(APART, 1, "cam2")
    each = [
        {n: replace(v, centres=_centres(v, spread=1.0)) for n, v in views.items()} for views in given.views
    ]
    return Crowd(tuple(each))


def _centres(seen: Keypoints2D, spread: float) -> np.ndarray:
    centres = np.repeat(seen.points[:, :, :1], 40, axis=2)
    more = np.where(np.isfinite(centres[..., :1]), [spread, 0.0, 0.0], np.nan)
    return np.concatenate([centres, more], axis=-1)


def test_centres_of_who_is_found_are_kept_with_those_that_were_seen() -> None:
    given = crowd_with_centres()
    found = seek(given, OFFSETS, CAMERAS, LooksForCentres(APART))
    now, before = found.views[1]["cam2"], given.views[1]["cam2"]
    assert now.centres is not None and before.centres is not None
    assert np.isnan(before.centres[LOST]).all()
    np.testing.assert_array_equal(now.centres[LOST, 0, :, 2], 2.0)
    np.testing.assert_array_equal(now.centres[LOST, 0, 5, :2], now.points[LOST, 0, 0])
    others = np.setdiff1d(np.arange(FRAMES), np.arange(FRAMES)[LOST])
    np.testing.assert_array_equal(now.centres[others], before.centres[others])
    np.testing.assert_array_equal(found.views[0]["cam2"].centres, given.views[0]["cam2"].centres)


def test_who_is_found_without_centres_has_none_there() -> None:
    given = crowd_with_centres()
    found = seek(given, OFFSETS, CAMERAS, Looks(APART)).views[1]["cam2"]
    assert found.centres is not None and np.isnan(found.centres[LOST]).all()
    assert (found.confidence[LOST].max(axis=-1) > 0).all()


def test_a_region_holds_the_whole_person_about_the_hips() -> None:
    looks = Looks(APART)
    seek(crowd(APART, 1, "cam2"), OFFSETS, CAMERAS, looks)
    asked = looks.asked["cam2"]
    frames, regions = asked.frames[asked.lanes == 1], asked.regions[asked.lanes == 1]
    image = CAMERAS[1].project(APART[1].landmarks)[frames]
    off = np.abs(image - regions[:, None, :2])
    assert (np.nanmax(off, axis=(1, 2)) < regions[:, 2] / 2).all()
    assert (regions[:, 2] < 2 * np.ptp(np.nan_to_num(image[..., 1], nan=270.0), axis=1)).all()
    assert np.abs(regions[:, 3]).max() < np.deg2rad(20)  # upright


def test_what_is_found_elsewhere_is_not_believed() -> None:
    """The detector shows the other person, or one who is half a step away."""
    given = crowd(APART, 1, "cam2")
    for shown in ([APART[0], APART[0]], [APART[0], APART[1].moved(0.3, 0.3)]):
        found = seek(given, OFFSETS, CAMERAS, Looks(shown))
        assert not found.views[1]["cam2"].confidence[LOST].any()


def test_nobody_is_sought_who_was_seen_or_whom_nobody_else_sees() -> None:
    looks = Looks(APART)
    given = crowd(APART, 1, "nowhere")
    seek(given, OFFSETS, CAMERAS, looks)
    assert not unseen(looks.asked, given)
    alone = Cameras(tuple(CAMERAS)[:2])
    given = crowd(APART, 1, "cam2", slice(2, 18))  # longer than a gap that is bridged
    given = Crowd(tuple({n: v[n] for n in alone.names} for v in given.views))
    looks = Looks(APART)
    seek(given, OFFSETS[:2], alone, looks)
    assert not unseen(looks.asked, given)  # one view alone tells no place


def test_a_moment_without_somebody_is_bridged_without_looking() -> None:
    aside = [APART[0], APART[1].moved(1.0, 0.0)]
    looks = Looks(aside)
    seek(crowd(aside, 1, "cam1", slice(6, 9)), OFFSETS, CAMERAS, looks)
    assert "cam1" not in looks.asked
    seek(crowd(aside, 1, "cam1"), OFFSETS, CAMERAS, looks)
    assert "cam1" in looks.asked


def test_nobody_is_sought_out_of_the_image_or_behind_somebody() -> None:
    looks = Looks(APART)
    far = [APART[0], APART[1].moved(40.0, 0.0)]
    seek(crowd(far, 1, "cam2"), OFFSETS, CAMERAS, looks)
    assert "cam2" not in looks.asked
    camera = CAMERAS[0]
    line = camera.centre * (1, 0, 1) / np.linalg.norm(camera.centre[[0, 2]])
    child = marching(FRAMES, stature=1.2)
    behind = [APART[0].moved(*(0.8 * line[[0, 2]])), child.moved(-0.5, 0.0).moved(*(0.4 * line[[0, 2]]))]
    given = crowd(behind, 1, "cam1")
    seek(given, OFFSETS, CAMERAS, looks)
    assert not unseen(looks.asked, given)


def test_others_are_painted_over_from_far_to_near() -> None:
    """Only who is near in the image; the person who is sought stays where nobody nearer is before him."""
    looks = Looks(APART)
    near = [APART[0], APART[0].moved(0.35, 0.5)]
    seek(crowd(near, 1, "cam1"), OFFSETS, CAMERAS, looks)
    asked = looks.asked["cam1"]
    first = asked.cover.strokes[asked.cover.owners == np.flatnonzero(asked.lanes == 1)[0]]
    depth = [float(CAMERAS[0].camera_from_world[2, :3] @ p.joints[6, 0]) for p in near]
    paints_last = first[-1, 5] == 1.0
    assert set(first[:, 5].tolist()) == {0.0, 1.0} and paints_last == (depth[0] < depth[1])
    assert (first[:, 4] > 0).all() and first[:, 4].max() < 0.25 * asked.regions[0, 2]


def test_the_key_tells_what_is_sought() -> None:
    looks = Looks(APART)
    seek(crowd(APART, 1, "cam2"), OFFSETS, CAMERAS, looks)
    one = looks.asked["cam2"]
    seek(crowd(APART, 1, "cam2"), OFFSETS, CAMERAS, looks)
    assert one.key == looks.asked["cam2"].key
    seek(crowd(APART, 1, "cam2", slice(6, 15)), OFFSETS, CAMERAS, looks)
    assert one.key != looks.asked["cam2"].key
