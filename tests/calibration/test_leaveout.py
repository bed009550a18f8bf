"""A camera left out is foretold by the others, and only by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.leaveout import leave_one_out, summary
from tests.calibration.synthetic import people, ring


@pytest.fixture
def seen():
    cameras = ring(4)
    return cameras, cameras.project(people(np.random.default_rng(1), 12, 5)), np.ones((4, 12, 5))


def test_exact_cameras_foretell_exactly(seen):
    error = leave_one_out(*seen, 5.0)
    assert error.shape == (4, 12, 5)
    assert error.max() < 1e-6


def test_a_camera_that_is_off_is_missed_by_all_of_that(seen):
    cameras, pixels, weights = seen
    matrix = np.array(cameras[0].K)
    matrix[0, 2] += 9.0
    off = Cameras((replace(cameras[0], K=matrix), *cameras.cameras[1:]))
    error = leave_one_out(off, pixels, weights, 5.0)
    np.testing.assert_allclose(error[0], 9.0, atol=1e-6)
    assert np.median(error[1:]) < 4.5  # two good views stand against one that is off


def test_what_is_foretold_takes_no_part(seen):
    cameras, pixels, weights = seen
    wrong = pixels.copy()
    wrong[2, 3, 1] += 50.0
    error = leave_one_out(cameras, wrong, weights, 5.0)
    assert error[2, 3, 1] == pytest.approx(np.hypot(50, 50), abs=1e-6)
    error[:, 3, 1] = 0.0
    assert error.max() < 1e-6


def test_unseen_is_not_judged_and_two_must_foretell(seen):
    cameras, pixels, weights = seen
    weights[1, 0] = 0.0
    pixels[2:, 1] = np.nan
    error = leave_one_out(cameras, pixels, weights, 5.0)
    assert np.isnan(error[1, 0]).all()
    assert np.isfinite(error[[0, 2, 3], 0]).all()
    assert np.isnan(error[:, 1]).all()  # two see it: neither is foretold by two


def test_two_cameras_are_refused(seen):
    cameras, pixels, weights = seen
    with pytest.raises(ValueError, match="three or more, got 2"):
        leave_one_out(Cameras(cameras.cameras[:2]), pixels[:2], weights[:2], 5.0)


def test_summary_counts_what_is_known_by_camera():
    error = np.array([[[1.0, 2.0]], [[3.0, np.nan]], [[np.nan, np.nan]]])
    found = summary(error)
    assert (found.count, found.median, found.mean) == (3, 2.0, 2.0)
    assert found.p95 == pytest.approx(2.9)
    np.testing.assert_equal(found.by_camera, (1.5, 3.0, np.nan))
    assert summary(error[2:]).count == 0
