"""Landmarks on the image of somebody nearer are left out, and no others."""

from __future__ import annotations

import numpy as np

from mocap.hiding import LIMBS, without_hidden
from mocap.observations import Observations
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, Person, marching, observed

FRAMES = 5
CAMERAS = ring()
ELBOW, WRIST = LAYOUT.index("left_elbow"), LAYOUT.index("left_wrist")


def seen_of(person: Person) -> Observations:
    return observed(CAMERAS, [person] * len(CAMERAS))


def towards_first(person: Person, metres: float) -> Person:
    line = CAMERAS[0].centre * (1, 0, 1) / np.linalg.norm(CAMERAS[0].centre[[0, 2]])
    return person.moved(*(metres * line[[0, 2]]))


def test_who_is_alone_or_apart_is_left_as_he_is() -> None:
    one = seen_of(marching(FRAMES))
    assert without_hidden([one], CAMERAS)[0] is one
    two = [seen_of(marching(FRAMES).moved(-1.2, 0.0)), seen_of(marching(FRAMES).moved(1.2, 0.0))]
    side = [v for v, c in enumerate(CAMERAS) if abs(c.centre[2]) > abs(c.centre[0])]
    for before, after in zip(two, without_hidden(two, CAMERAS), strict=True):
        np.testing.assert_array_equal(after.pixels[side], before.pixels[side])


def test_of_two_in_line_the_farther_is_hidden_and_the_nearer_is_not() -> None:
    near, far = (seen_of(towards_first(marching(FRAMES), d)) for d in (0.8, 0.0))
    shown = without_hidden([far, near], CAMERAS)
    known = np.isfinite(far.pixels[0, ..., 0])
    gone = known & np.isnan(shown[0].pixels[0, ..., 0])
    assert gone.sum() > 0.5 * known.sum()
    np.testing.assert_array_equal(shown[1].pixels[0], near.pixels[0])
    assert ((shown[0].confidence == 0) == np.isnan(shown[0].pixels[..., 0])).all()


def test_side_by_side_nobody_is_before_the_other() -> None:
    """Two who are equally far, as in a dance: which limb hides which is not told by where they stand."""
    dancers = [seen_of(towards_first(marching(FRAMES), d)) for d in (0.0, 0.1)]
    for before, after in zip(dancers, without_hidden(dancers, CAMERAS), strict=True):
        np.testing.assert_array_equal(after.pixels[0], before.pixels[0])


def test_an_elbow_that_is_somebody_elses_is_no_evidence() -> None:
    near = seen_of(towards_first(marching(FRAMES), 1.0).moved(0.0, 0.0))
    far = seen_of(towards_first(marching(FRAMES), -1.5))
    pixels = far.pixels.copy()
    pixels[0, :, ELBOW] = near.pixels[0, :, [ELBOW, WRIST]].mean(axis=0)  # halfway down the other's forearm
    wrong = Observations(far.names, LAYOUT, pixels, far.confidence, far.fps)
    assert np.isnan(without_hidden([wrong, near], CAMERAS)[0].pixels[0, :, ELBOW]).all()


def test_limbs_are_as_thick_as_peoples() -> None:
    """Of 1.7 m: an arm of 10 to 12 cm, a leg of 14 to 19 cm, with what is worn."""
    thick = {pair: 2 * half * 1.7 for pair, half in LIMBS.items()}
    assert 0.09 < thick["elbow", "wrist"] < thick["shoulder", "elbow"] < 0.13
    assert 0.12 < thick["knee", "ankle"] < thick["hip", "knee"] < 0.2
