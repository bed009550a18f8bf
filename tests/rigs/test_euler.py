"""Euler angles: every order, the lock, and no jumps."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs import quat
from rigs.formats.euler import from_euler, to_euler, unwrap

ORDERS = ["".join(order) for order in permutations("XYZ")]
outer = st.floats(-np.pi, np.pi)
middle = st.one_of(
    st.floats(-np.pi / 2, np.pi / 2),
    st.sampled_from([s * (np.pi / 2 - gap) for s in (-1, 1) for gap in (0, 1e-12, 1e-8, 1e-7, 1e-6, 1e-4)]),
)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Radians between rotations."""
    return np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1)


@pytest.mark.parametrize("order", ORDERS)
@given(a=outer, b=middle, c=outer)
def test_angles_give_the_rotation_back(order: str, a: float, b: float, c: float) -> None:
    q = from_euler([[a, b, c]], order)
    angles = to_euler(q, order)
    assert abs(angles[0, 1]) <= np.pi / 2 + 1e-15
    # where the outer axes are one to 1e-7, one outer angle is a choice and costs up to that much
    assert apart(from_euler(angles, order), q).max() < 1e-12 + 4e-7 * (np.cos(b) < 1e-6)


def test_order_reads_as_the_channels_do() -> None:
    z, x, y = (quat.from_rotvec(v) for v in ([0, 0, 0.3], [0.5, 0, 0], [0, -0.7, 0]))
    expected = quat.multiply(quat.multiply(z, x), y)
    np.testing.assert_allclose(from_euler([0.3, 0.5, -0.7], "ZXY"), expected, atol=1e-15)
    np.testing.assert_allclose(to_euler(expected[None], "ZXY"), [[0.3, 0.5, -0.7]], atol=1e-14)


def test_fewer_axes_and_repeated_axes() -> None:
    np.testing.assert_array_equal(from_euler(np.zeros((2, 0)), ""), quat.identity(2))
    np.testing.assert_allclose(from_euler([0.2, 0.3], "XX"), quat.from_rotvec([0.5, 0, 0]), atol=1e-15)


@pytest.mark.parametrize("order", ORDERS)
def test_a_swing_through_the_lock_has_no_jumps(order: str) -> None:
    swing = np.stack([np.full(181, 0.4), np.radians(np.arange(181)), np.full(181, -0.2)], axis=-1)
    angles = unwrap(to_euler(from_euler(swing, order), order))
    np.testing.assert_allclose(angles, swing, atol=1e-7)  # 90 degrees, the lock itself, is among them


@pytest.mark.parametrize("order", ORDERS)
def test_resting_in_the_lock_changes_nothing(order: str) -> None:
    swing = np.zeros((60, 3))
    swing[:, 1] = np.pi / 2 * np.minimum(np.arange(60) / 20, 1.0)
    swing[:, 0] = 0.3
    angles = unwrap(to_euler(from_euler(swing, order), order))
    np.testing.assert_allclose(angles, swing, atol=1e-7)


@pytest.mark.parametrize("order", ORDERS)
def test_full_turns_run_on(order: str) -> None:
    spin = np.stack([np.radians(7.0 * np.arange(300)), 0.3 * np.sin(np.arange(300)), np.zeros(300)], axis=-1)
    spin[:, 2] = -np.radians(11.0 * np.arange(300))
    np.testing.assert_allclose(unwrap(to_euler(from_euler(spin, order), order)), spin, atol=1e-10)


def test_unwrapped_angles_are_the_same_rotations(wild) -> None:
    motion = wild(frames=200)
    angles = unwrap(to_euler(motion.rotations, "ZXY"))
    assert apart(from_euler(angles, "ZXY"), motion.rotations).max() < 1e-6
    assert np.abs(np.diff(angles, axis=0)[..., [0, 2]]).max() <= np.pi
    assert (
        np.abs(np.diff(angles[..., 1], axis=0)).max() < 1.0
    )  # the middle angle moves no more than the joint


def test_one_frame_and_always_locked() -> None:
    locked = from_euler([[0.3, np.pi / 2, 0.1]] * 3, "ZXY")
    assert np.isfinite(to_euler(locked, "ZXY")).all()
    assert unwrap(to_euler(locked[:1], "ZXY")).shape == (1, 3)
