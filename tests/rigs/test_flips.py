"""Limbs that are turned over for a moment are led straight on, and what truly moves is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from rigs import quat
from rigs.solving.body import Body, load_body
from rigs.solving.flips import solve_without_flips, without_flips
from rigs.solving.kinematics import Chain, Points, Pose, locate
from rigs.solving.solve import solve
from rigs.solving.terms import Acceleration, Near
from tests.synth import sized, walking

FPS, FRAMES = 30.0, 40
TURNED = slice(20, 22)


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body()


def folded(body: Body) -> Pose:
    """Walking, with the right elbow bent by 140 degrees."""
    pose = walking(body, FRAMES, FPS)
    pose.rotations[:, body.index("RightForeArm")] = quat.from_rotvec(np.array([0.0, 2.45, 0.0]))
    return pose


def turned_over(body: Body, pose: Pose, frames: slice) -> Pose:
    """The same with the right arm turned about its own bone by 175 degrees in some frames."""
    rotations, row = pose.rotations.copy(), body.index("RightArm")
    bone = body.offsets[np.argmax(body.parents == row)]
    turn = quat.from_rotvec(np.deg2rad(175) * bone / np.linalg.norm(bone))
    rotations[frames, row] = quat.multiply(rotations[frames, row], turn)
    return Pose(pose.root, rotations)


def test_a_limb_that_turns_over_and_back_goes_straight_on(body: Body) -> None:
    pose = folded(body)
    for frames in (TURNED, slice(5, 6), slice(30, 36)):
        found = without_flips(body, turned_over(body, pose, frames), FPS)
        assert found is not None
        where, truth = (Chain(body).place(p, sized(body)).positions for p in (found, pose))
        # swings of 0.4 rad at 1 Hz leave the straight line of 7/30 s by 0.4 (2 pi)^2 (3.5/30)^2 / 2 rad
        assert np.abs(where - truth).max() < 0.11 * 0.3


def test_what_moves_or_stays_turned_over_is_left_alone(body: Body) -> None:
    pose = folded(body)
    assert without_flips(body, pose, FPS) is None
    assert without_flips(body, turned_over(body, pose, slice(20, FRAMES)), FPS) is None
    assert without_flips(body, turned_over(body, pose, slice(15, 25)), FPS) is None  # a third of a second
    rotations, row = pose.rotations.copy(), body.index("RightArm")
    spin = quat.from_rotvec(np.deg2rad(50) * np.arange(FRAMES)[:, None] * [1.0, 0.0, 0.0])
    rotations[:, row] = quat.multiply(rotations[:, row], spin)
    assert without_flips(body, Pose(pose.root, rotations), FPS) is None


def test_a_solve_that_would_rest_turned_over_finds_its_way(body: Body) -> None:
    """A wrist that is not seen for a moment: smoothness alone says where it is, and which way it went."""
    pose, chain, sizes = folded(body), Chain(body), sized(body)
    joints, wrist = len(body.names), body.index("RightHand")
    every = Points(np.arange(joints), np.zeros((joints, joints, 3)))
    truth = locate(chain.place(pose, sizes), every)
    seen = truth + np.random.default_rng(0).normal(0, 0.01, truth.shape)
    sd = np.full((FRAMES, joints), 0.01)
    sd[19:23, wrist] = np.inf
    terms = [Near(every, seen, sd, 1.0), Acceleration(every, np.full(joints, 10.0), FPS)]
    start = turned_over(body, pose, TURNED)

    def off(found: Pose) -> float:
        away = locate(chain.place(found, sizes), every)[:, wrist] - truth[:, wrist]
        return float(np.linalg.norm(away, axis=-1).max())

    plain = solve(chain, start, sizes, terms, steps=12, tolerance=1e-2, near=True)
    found = solve_without_flips(chain, start, sizes, terms, fps=FPS, steps=12, tolerance=1e-2)
    assert off(start) > 0.2 and off(plain.pose) > 0.1  # a step that gains so little is the last
    assert off(found.pose) < 0.04 and found.cost < plain.cost  # four deviations of what is seen
