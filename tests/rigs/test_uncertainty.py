"""What is said of a joint's deviation is what its priors and sights leave open."""

import numpy as np
import pytest

from rigs.solving.body import load_body
from rigs.solving.composite import fold
from rigs.solving.kinematics import Chain, Points, Pose
from rigs.solving.normal import Normal
from rigs.solving.terms import Acceleration, Limits, Reprojection, Rest, Term
from rigs.solving.uncertainty import joint_deviations
from tests.synth import imaged, landmarks, ring, sized, walking

BODY = load_body()
CHAIN = Chain(BODY)
HIPS = Points(np.zeros(1, dtype=np.int64), np.zeros((1, len(BODY.names), 3)))
FPS, DENSITY = 30.0, 2.0


def still(frames: int) -> Pose:
    return Pose(
        np.tile([0.0, 1.0, 0.0], (frames, 1)), walking(BODY, frames).rotations[:1].repeat(frames, axis=0)
    )


def deviations(pose: Pose, seen: np.ndarray, sd: float) -> np.ndarray:
    """Of the hips, which views see to `sd` in image coordinates and the acceleration prior carries on."""
    rotation, translation = ring(4)
    terms = [
        Reprojection(HIPS, rotation, translation, seen, np.full(seen.shape[:-1], sd)),
        Acceleration(HIPS, np.full(1, DENSITY), FPS),
        Rest(BODY),
    ]
    return joint_deviations(CHAIN, pose, sized(BODY), terms)[:, 0]


def test_after_the_last_sight_it_grows_with_time_to_the_power_of_one_and_a_half() -> None:
    """A second difference has the variance d^2 / fps^3; after n frames n (n + 1) (2 n + 1) / 6 of it."""
    pose = still(60)
    seen = imaged(CHAIN, pose, sized(BODY), HIPS, 4)
    seen[:, 20:] = np.nan
    n = np.arange(1, 41)
    expected = DENSITY * np.sqrt(3 * n * (n + 1) * (2 * n + 1) / 6 / FPS**3)
    found = deviations(pose, seen, 1e-7)
    # sights leave micrometres open, times the 2 n by which the last two are carried on; and the far end is
    # held by 2 fps^3 / d^2 / (2 n)^3, beside which the diagonal has a floor of 1e-9
    np.testing.assert_allclose(found[20:], expected, rtol=2e-4)
    assert np.polyfit(np.log(n[20:]), np.log(found[40:]), 1)[0] == pytest.approx(1.5, abs=0.05)


def test_a_point_in_view_is_known_as_its_sights_tell() -> None:
    pose = still(5)
    rotation, translation = ring(4)
    depth = (rotation @ pose.root[0] + translation)[:, 2]
    information = np.zeros((3, 3))
    for r, z, t in zip(rotation, depth, translation, strict=True):
        a, b, _ = (r @ pose.root[0] + t) / z
        rows = np.array([[1, 0, -a], [0, 1, -b]]) / z @ r
        information += rows.T @ rows / 0.01**2
    alone = np.sqrt(np.trace(np.linalg.inv(information)))
    seen = imaged(CHAIN, pose, sized(BODY), HIPS, 4)
    terms = [Reprojection(HIPS, rotation, translation, seen, np.full(seen.shape[:-1], 0.01)), Rest(BODY)]
    np.testing.assert_allclose(joint_deviations(CHAIN, pose, sized(BODY), terms)[:, 0], alone, rtol=1e-4)


def test_drawn_motions_scatter_as_is_said() -> None:
    """The deviation is that of the joints when freedoms are drawn from the quadratic's own Gaussian."""
    frames, rng = 6, np.random.default_rng(3)
    pose, points = walking(BODY, frames), landmarks(BODY)
    rotation, translation = ring(3)
    seen = imaged(CHAIN, pose, sized(BODY), points, 3)
    seen[:, 2:4, 5:30] = np.nan
    terms = [
        Reprojection(points, rotation, translation, seen, np.full(seen.shape[:-1], 1e-4)),
        Acceleration(points, np.full(len(points), 0.05), FPS),
        Limits(BODY),
        Rest(BODY),
    ]
    said = joint_deviations(CHAIN, pose, sized(BODY), terms)
    matrix = whole_matrix(pose, terms)
    factor = np.linalg.cholesky(np.linalg.inv(matrix))
    at = CHAIN.place(pose, sized(BODY)).positions
    drawn = [factor @ z for z in rng.normal(size=(2000, len(matrix)))]
    off = [CHAIN.place(CHAIN.move(pose, d.reshape(frames, -1)), sized(BODY)).positions - at for d in drawn]
    spread = np.sqrt((np.array(off) ** 2).sum(axis=-1).mean(axis=0))
    # 2000 draws tell a deviation to 1 / sqrt(4000) = 1.6 %; the worst of 132 is within four of that
    np.testing.assert_allclose(spread, said, rtol=4 * 0.016)


def whole_matrix(pose: Pose, terms: list[Term]) -> np.ndarray:
    posed, normal, wide = CHAIN.place(pose, sized(BODY)), Normal(len(pose), CHAIN.freedoms, 0), CHAIN.freedoms
    for term in terms:
        term.add(posed, normal)
    fold(posed, normal)
    matrix = np.zeros((len(pose) * wide,) * 2)
    for s, blocks in enumerate(normal.blocks):
        for t, block in enumerate(blocks):
            places = np.ix_(*(np.arange(k * wide, (k + 1) * wide) for k in (t, t + s)))
            matrix[places] = np.triu(block) if s == 0 else block
    return np.triu(matrix) + np.triu(matrix, 1).T + 1e-9 * np.eye(len(matrix))
