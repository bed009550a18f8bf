"""Joints that are hardly known move as calmly as people do."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.calm import LEAST, calmed
from rigs.solving.body import load_body
from tests.calibration.synthetic import ring
from tests.synth_take import STATURE, marching, observed

CAMERAS = ring()
PERSON = marching(90, 30)
SCATTER = 0.03  # of the person's height in the image


def test_what_is_known_is_as_lively_as_before_and_the_rest_less_and_less() -> None:
    share = calmed(np.array([0.01, 0.025, 0.035, 0.05, 0.5]), 1.8)
    np.testing.assert_array_equal(share[:2], 1.0)
    assert (np.diff(share[1:]) < 0).all()
    assert share[-1] == LEAST


def test_a_child_s_joints_count_as_known_by_a_share_of_its_stature() -> None:
    doubt = np.linspace(0.01, 0.1, 20)
    np.testing.assert_allclose(calmed(doubt, 1.8), calmed(doubt / 2, 0.9))


@pytest.mark.slow
def test_a_limb_whose_landmarks_scatter_and_are_said_to_trembles_less() -> None:
    as_ever = trembling(seen_badly())
    with patch("mocap.scene.calmed", lambda doubt, stature: np.ones_like(doubt)):
        lively = trembling(seen_badly())
    assert as_ever < 0.85 * lively


def trembling(found: Animated) -> float:
    """Mean acceleration of what the left foot is off by."""
    foot = found.motion.skeleton.index("LeftFoot")
    off = found.motion.world()[0][:, foot] - PERSON.joints[:, load_body().index("LeftFoot")]
    return float(np.linalg.norm(np.diff(off, n=2, axis=0), axis=-1).mean())


def seen_badly() -> Animated:
    """Two views, which scatter by a few per cent of the person's height, as they say."""
    seen = observed(CAMERAS, [PERSON] * len(CAMERAS.names)).select([0, 1])
    spread = np.full(seen.confidence.shape, SCATTER * np.nanmedian(seen.heights()))
    noise = np.random.default_rng(0).normal(size=seen.pixels.shape) * spread[..., None]
    noisy = replace(seen, pixels=seen.pixels + noise, spread=spread)
    cameras = Cameras(tuple(CAMERAS)[:2])
    landmarks, _ = triangulate(cameras, noisy.pixels, noisy.confidence)
    return animate(noisy, cameras, landmarks, STATURE)
