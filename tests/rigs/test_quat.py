"""Laws of rotations, with the angles where formulas usually break."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rigs import quat

EPS = np.finfo(float).eps
TOLERANCE = 64 * EPS  # some ten operations on numbers of size one

angles = st.one_of(
    st.floats(0.0, np.pi),
    st.sampled_from(
        [0.0, 1e-300, 1e-160, 1e-12, 1e-8, 1.9e-6, 2.1e-6, 1e-3, np.pi - 1e-9, np.pi - 1e-15, np.pi]
    ),
)
directions = arrays(float, 3, elements=st.floats(-1.0, 1.0)).filter(lambda v: np.linalg.norm(v) > 1e-3)
units = directions.map(lambda v: v / np.linalg.norm(v))
rotvecs = st.builds(lambda angle, axis: angle * axis, angles, units)
rotations = rotvecs.map(quat.from_rotvec)
vectors = arrays(float, 3, elements=st.floats(-10.0, 10.0))


def same_rotation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.minimum(np.abs(a - b).max(), np.abs(a + b).max()))


@given(rotvecs)
def test_rotvec_comes_back(rotvec: np.ndarray) -> None:
    back = quat.to_rotvec(quat.from_rotvec(rotvec))
    angle = np.linalg.norm(rotvec)
    if angle > np.pi - 1e-7:  # a half turn either way round is the same
        assert same_rotation(quat.from_rotvec(back), quat.from_rotvec(rotvec)) < TOLERANCE
    else:
        assert np.abs(back - rotvec).max() <= TOLERANCE * angle + 1e-300  # relative: exact near identity too


@given(rotations)
def test_rotvec_is_the_shortest(q: np.ndarray) -> None:
    assert np.linalg.norm(quat.to_rotvec(q)) <= np.pi * (1 + EPS)
    assert np.linalg.norm(quat.to_rotvec(-q)) <= np.pi * (1 + EPS)


@given(rotations)
def test_matrix_comes_back(q: np.ndarray) -> None:
    matrix = quat.to_matrix(q)
    assert np.abs(matrix @ matrix.T - np.eye(3)).max() < TOLERANCE
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    assert same_rotation(quat.from_matrix(matrix), q) < TOLERANCE


@given(rotations, rotations, vectors)
def test_product_turns_as_its_factors_in_turn(a: np.ndarray, b: np.ndarray, v: np.ndarray) -> None:
    turned = quat.rotate(quat.multiply(a, b), v)
    assert np.abs(turned - quat.rotate(a, quat.rotate(b, v))).max() < 100 * TOLERANCE
    assert np.abs(turned - quat.to_matrix(a) @ quat.to_matrix(b) @ v).max() < 100 * TOLERANCE


@given(rotations)
def test_conjugate_is_the_inverse(q: np.ndarray) -> None:
    assert np.abs(quat.multiply(q, quat.conjugate(q)) - quat.identity()).max() < TOLERANCE


@given(units, units)
@example(np.array([1.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0]))
@example(np.array([0.0, 0.6, 0.8]), np.array([0.0, -0.6, -0.8]))
def test_between_turns_one_direction_onto_the_other(u: np.ndarray, v: np.ndarray) -> None:
    q = quat.between(u, v)
    assert np.linalg.norm(q) == pytest.approx(1.0)
    assert np.abs(quat.rotate(q, u) - v).max() < TOLERANCE
    assert abs(q[1:] @ u) < TOLERANCE  # the shortest arc has its axis square to both


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-11, 1e-13, 1e-15])
def test_between_near_opposites(gap: float) -> None:
    u = np.array([0.36, 0.48, 0.8])
    v = -u + gap * np.array([0.8, -0.6, 0.0])
    v /= np.linalg.norm(v)
    # closer to opposite than 1e-12 any axis square to u will do, and the rest of the gap is the error
    assert np.abs(quat.rotate(quat.between(u, v), u) - v).max() < TOLERANCE + (2 * gap if gap < 1e-12 else 0)


@given(rotations, rotations, st.floats(0.0, 1.0))
def test_slerp_goes_a_fraction_of_the_way(a: np.ndarray, b: np.ndarray, t: float) -> None:
    whole = np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)))
    part = np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), quat.slerp(a, b, t))))
    assert part == pytest.approx(t * whole, abs=TOLERANCE)
    assert same_rotation(quat.slerp(a, b, 1.0), b) < TOLERANCE


@given(rotations, rotvecs)
def test_angle_is_how_far_one_turns_to_the_other(a: np.ndarray, step: np.ndarray) -> None:
    b = quat.multiply(a, quat.from_rotvec(step))
    for found in (quat.angle(a, b), quat.angle(b, a), quat.angle(-a, b)):
        assert found == pytest.approx(np.linalg.norm(step), abs=TOLERANCE)


def test_continuous_only_changes_signs() -> None:
    random = np.random.default_rng(0)
    smooth = quat.from_rotvec(np.cumsum(np.full((400, 3, 3), 0.05), axis=0))
    signs = random.choice([-1.0, 1.0], size=(400, 3, 1))
    signs[0] = 1.0
    np.testing.assert_array_equal(quat.continuous(smooth * signs), smooth)
    assert quat.continuous(smooth[:0]).shape == (0, 3, 4)


def test_leading_axes_broadcast() -> None:
    q = quat.from_rotvec(np.ones((5, 1, 3)))
    assert quat.rotate(q, np.ones((4, 3))).shape == (5, 4, 3)
    assert quat.multiply(q, quat.identity(4)).shape == (5, 4, 4)
    assert quat.slerp(q, quat.identity(), np.zeros((5, 4))).shape == (5, 4, 4)
    assert quat.between(np.ones((5, 1, 3)), np.ones((4, 3))).shape == (5, 4, 4)
    assert quat.from_matrix(quat.to_matrix(q)).shape == (5, 1, 4)


def test_unknown_stays_unknown() -> None:
    nan = np.full(4, np.nan)
    assert np.isnan(quat.to_rotvec(nan)).all()
    assert np.isnan(quat.between(np.zeros(3), [1.0, 0.0, 0.0])).all()
    assert np.isnan(quat.normalise(np.zeros(4))).all()
