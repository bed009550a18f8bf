"""The hand as a body: a mirror image of the other, of a hand's size, and bent the way that hands bend."""

import numpy as np
import pytest

from rigs import quat
from rigs.solving.body import MIRROR, Body, load_body
from rigs.solving.kinematics import Chain, Pose, Posed
from tests.synth import STATURE, sized

LEFT, RIGHT = load_body("hand"), load_body("hand", mirrored=True)
FINGERS = ("Index", "Middle", "Ring", "Pinky")


def posed(body: Body, turns: np.ndarray) -> Posed:
    pose = Pose(np.zeros((1, 3)), quat.from_rotvec(turns)[None])
    return Chain(body).place(pose, sized(body))


def bent(body: Body, share: float) -> np.ndarray:
    """Rotation vectors (J, 3) of a hand whose fingers are bent by a share of what they can."""
    turns = np.zeros((len(body.names), 3))
    for r, (j, axis) in enumerate(zip(body.freedom_joint, body.freedom_axis, strict=True)):
        low, high = body.limits[r]
        if np.isfinite(low) and abs(axis[2]) == 1 and low != -high:
            most = high if abs(high) > abs(low) else low
            turns[j] += share * most * axis
    return turns


def test_the_right_hand_is_the_mirror_image_of_the_left() -> None:
    np.testing.assert_allclose(RIGHT.offsets, MIRROR * LEFT.offsets)
    left, right = (posed(body, bent(body, 0.7)).positions for body in (LEFT, RIGHT))
    np.testing.assert_allclose(right, MIRROR * left, atol=1e-12)
    angles = [np.einsum("jik,jk->ji", Chain(b).axes, np.nan_to_num(b.relaxed)) for b in (LEFT, RIGHT)]
    np.testing.assert_allclose(angles[1], -MIRROR * angles[0], atol=1e-12)


def test_its_length_is_that_of_a_hand() -> None:
    """Wrist to the tip of the middle finger: 0.108 of stature (Winter 2009, table 4.1)."""
    tip = posed(LEFT, np.zeros((len(LEFT.names), 3))).positions[0, LEFT.index("HandMiddle3"), 0]
    length = tip + LEFT.tips["HandMiddle3"][0] * STATURE
    assert length == pytest.approx(0.108 * STATURE, abs=0.01)


@pytest.mark.parametrize("finger", FINGERS)
def test_fingers_bend_towards_the_palm(finger: str) -> None:
    """The palm of the rest pose looks down, and a fist's fingertips are near it."""
    body = posed(LEFT, bent(LEFT, 0.9))
    knuckle, tip = (body.positions[0, LEFT.index(f"Hand{finger}{k}")] for k in (1, 3))
    assert tip[1] < knuckle[1] - 0.015 and tip[0] < knuckle[0] + 0.01


def test_the_thumb_bends_across_the_palm() -> None:
    turns = np.zeros((len(LEFT.names), 3))
    for name in ("HandThumb2", "HandThumb3"):
        turns[LEFT.index(name)] = 0.8 * LEFT.freedom_axis[LEFT.freedom_joint == LEFT.index(name)][0]
    straight, closed = (posed(LEFT, k * turns).positions[0, LEFT.index("HandThumb3")] for k in (0, 1))
    assert closed[2] < straight[2] - 0.01  # from the thumb's side towards the little finger's


def test_a_relaxed_hand_is_within_its_limits() -> None:
    for body in (LEFT, RIGHT):
        relaxed = np.einsum("jik,jk->ji", Chain(body).axes, np.nan_to_num(body.relaxed))
        angle = (relaxed[body.freedom_joint] * body.freedom_axis).sum(axis=-1)
        assert ((angle >= body.limits[:, 0]) & (angle <= body.limits[:, 1])).all()
