"""The banded normal equations give what the dense matrix gives."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError

from rigs.solving.normal import REACH, Normal

FREEDOMS, SIZES = 6, 3
Dense = tuple[np.ndarray, np.ndarray]


def dense_system(frames: int, seed: int = 0) -> Dense:
    """Return a positive definite matrix with the band and border of a clip, and a gradient."""
    rng = np.random.default_rng(seed)
    unknowns = frames * FREEDOMS + SIZES
    matrix = np.zeros((unknowns, unknowns))
    for t in range(frames):  # rows that touch three frames and the sizes
        stop = min(t + REACH + 1, frames) * FREEDOMS
        rows = np.zeros((20, unknowns))
        rows[:, t * FREEDOMS : stop] = rng.normal(size=(20, stop - t * FREEDOMS))
        rows[:, -SIZES:] = rng.normal(size=(20, SIZES))
        matrix += rows.T @ rows
    return matrix, rng.normal(size=unknowns)


def banded(matrix: np.ndarray, gradient: np.ndarray, frames: int) -> Normal:
    normal = Normal(frames, FREEDOMS, SIZES)
    end = frames * FREEDOMS
    places = [slice(t * FREEDOMS, (t + 1) * FREEDOMS) for t in range(frames)]
    for s, block in enumerate(normal.blocks):
        for t in range(frames - s):
            block[t] += matrix[places[t], places[t + s]]
    normal.gradient += gradient[:end].reshape(frames, FREEDOMS)
    normal.border += matrix[:end, end:].reshape(frames, FREEDOMS, SIZES)
    normal.corner += matrix[end:, end:]
    normal.size_gradient += gradient[end:]
    return normal


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_the_step_is_that_of_the_dense_matrix(frames: int, damping: float) -> None:
    matrix, gradient = dense_system(frames)
    expected = np.linalg.solve(matrix + damping * np.diag(np.diag(matrix)), -gradient)
    step, size_step = banded(matrix, gradient, frames).solve(damping)
    # the floor on the diagonal, 1e-9 of entries near 60, and rounding times the condition
    near = (1e-9 + 1e-15) * np.linalg.cond(matrix) * np.abs(expected).max()
    np.testing.assert_allclose(step.reshape(-1), expected[:-SIZES], atol=near)
    np.testing.assert_allclose(size_step, expected[-SIZES:], atol=near)


def test_solving_twice_gives_the_same() -> None:
    normal = banded(*dense_system(5), 5)
    first, second = normal.solve(0.1), normal.solve(0.1)
    np.testing.assert_array_equal(first[0], second[0])


def test_what_is_filled_anew_is_as_new() -> None:
    old, new = banded(*dense_system(5), 5), banded(*dense_system(5, seed=1), 5)
    expected = new.solve(0.1)
    old.solve(0.1)
    old.clear()
    for part in ("gradient", "border", "corner", "size_gradient"):
        getattr(old, part)[...] = getattr(new, part)
    for mine, other in zip(old.blocks, new.blocks, strict=True):
        mine += other
    for mine, other in zip(old.solve(0.1), expected, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_what_is_known_of_the_sizes_is_the_schur_complement() -> None:
    matrix, gradient = dense_system(6)
    end = 6 * FREEDOMS
    inner = matrix[:end, :end] + 1e-6 * np.diag(np.diag(matrix[:end, :end]))
    solved = np.linalg.solve(inner, np.column_stack([matrix[:end, end:], gradient[:end]]))
    information, pull = banded(matrix, gradient, 6).size_information()
    np.testing.assert_allclose(
        information, matrix[end:, end:] - matrix[end:, :end] @ solved[:, :-1], rtol=1e-6
    )
    np.testing.assert_allclose(pull, gradient[end:] - matrix[end:, :end] @ solved[:, -1], rtol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 9])
def test_covariances_are_the_blocks_of_the_inverse(frames: int) -> None:
    """The sizes are held."""
    matrix, gradient = dense_system(frames)
    inverse = np.linalg.inv(matrix[:-SIZES, :-SIZES])
    found = dict(banded(matrix, gradient, frames).covariances())
    assert sorted(found) == list(range(frames))
    near = (1e-9 + 1e-15) * np.linalg.cond(matrix) * np.abs(inverse).max()  # as for the step
    for t, covariance in found.items():
        places = slice(t * FREEDOMS, (t + 1) * FREEDOMS)
        np.testing.assert_allclose(covariance, inverse[places, places], atol=near)


def test_without_sizes_there_is_no_border() -> None:
    matrix, gradient = dense_system(4)
    normal = Normal(4, FREEDOMS, 0)
    for part, whole in zip(normal.blocks, banded(matrix, gradient, 4).blocks, strict=True):
        part += whole
    normal.gradient += 1.0
    step, size_step = normal.solve(0.0)
    expected = np.linalg.solve(matrix[:-SIZES, :-SIZES], -np.ones(4 * FREEDOMS))
    np.testing.assert_allclose(step.reshape(-1), expected, rtol=1e-6, atol=1e-9)
    assert size_step.shape == (0,)


def test_a_matrix_that_is_not_positive_definite_is_told() -> None:
    normal = Normal(3, FREEDOMS, 0)
    normal.blocks[0] -= np.eye(FREEDOMS)
    with pytest.raises(LinAlgError, match="not positive definite"):
        normal.solve(0.0)


def test_values_go_to_the_freedoms_named() -> None:
    normal = Normal(3, FREEDOMS, 0)
    columns, values = np.array([0, 1, 3, 5]), np.random.default_rng(0).normal(size=(2, 4, 4))
    normal.add(1, columns, values)
    expected = np.zeros((2, FREEDOMS, FREEDOMS))
    expected[:, columns[:, None], columns] = values
    np.testing.assert_array_equal(normal.blocks[1], expected)
    assert not normal.blocks[0].any()
    assert not normal.blocks[2].any()
