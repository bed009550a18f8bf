import numpy as np
import pytest

from rigs.retargeting.banded import banded, smooth_band, solve_band, solve_band_plainly


def dense(band: np.ndarray) -> np.ndarray:
    out = np.zeros((band.shape[1],) * 2)
    for k, diagonal in enumerate(band):
        values = diagonal[: len(out) - k]
        out += np.diag(values, -k) + (np.diag(values, k) if k else 0.0)
    return out


@pytest.mark.parametrize("solve", [solve_band, solve_band_plainly])
@pytest.mark.parametrize(("frames", "axes"), [(3, 1), (40, 1), (25, 3)])
def test_what_is_solved_solves(solve, frames: int, axes: int) -> None:
    steps = smooth_band(frames, 30.0, 10.0, 0.1)
    mixing = np.eye(axes) + 0.3  # axes that hang together
    band = banded([row[: frames - k, None, None] * mixing for k, row in enumerate(steps)])
    np.testing.assert_allclose(dense(band), np.kron(dense(steps), mixing), atol=1e-6)
    right = np.random.default_rng(0).normal(size=(frames * axes, 2))
    np.testing.assert_allclose(dense(band) @ solve(band, right), right, atol=1e-6)


def test_a_path_costs_what_its_acceleration_and_its_distance_cost() -> None:
    frames, fps = 400, 50.0
    path = 0.3 * np.sin(np.linspace(0, 9, frames))
    cost = path @ dense(smooth_band(frames, fps, 2.0, 0.5)) @ path
    acceleration = np.diff(path, 2) * fps**2
    assert cost == pytest.approx(((acceleration / 2.0) ** 2).sum() / fps + ((path / 0.5) ** 2).sum() / fps)
