"""What lifters say where images tell too little: asked only there, put together by how sure they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.camera import Camera
from mocap import together as module
from mocap.attach import load_attachment
from mocap.lift.lifter import Lifted
from mocap.lift.points import NAMES, points_of
from mocap.observations import Observations
from mocap.together import HARDLY, LEFT_OUT, LIFT_SD, together
from rigs.solving.body import load_body
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, marching, observed

FRAMES, COUNT = 20, len(NAMES)
BODY = load_body()
ATTACHMENT = load_attachment(LAYOUT, BODY)
POINTS = points_of(BODY, ATTACHMENT, STATURE)
CAMERAS = ring(3)


def watched() -> Observations:
    seen = observed(CAMERAS, [marching(FRAMES)] * 3)
    return replace(seen, world=np.zeros((*seen.pixels.shape[:-1], 3)))


def doubted(*names: str) -> np.ndarray:
    doubt = np.full((FRAMES, len(BODY.names)), 0.5 * HARDLY * STATURE)
    for name in names:
        doubt[5:9, BODY.index(name)] = 2.0 * HARDLY * STATURE
    return doubt


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Shapes (T, N, 3) that every lifter says, in the axes of its camera, but for a constant of its own."""
    shape = np.random.default_rng(0).normal(scale=0.3, size=(FRAMES, COUNT, 3))

    def said(seen: Observations, camera: Camera, up: np.ndarray) -> Lifted:
        view = CAMERAS.names.index(seen.names[0])
        rotation = camera.camera_from_world[:3, :3]
        np.testing.assert_allclose(up, rotation @ [0.0, 1.0, 0.0])
        along = np.full((FRAMES, COUNT), 0.03 * (1 + view))
        off = np.array([0.05 * view, 0.0, 0.0])
        nothing = np.full((FRAMES, 3), np.nan)
        return Lifted((shape + off) @ rotation.T, along, along, nothing, nothing, nothing)

    monkeypatch.setattr(module, "lift_view", said)
    return shape


def asked(doubt: np.ndarray, seen: Observations | None = None) -> module.Together | None:
    return together(seen or watched(), CAMERAS, BODY, ATTACHMENT, STATURE, doubt)


def test_nobody_is_asked_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lift_view", lambda *_: pytest.fail("a lifter was asked"))
    assert asked(doubted()) is None
    assert asked(doubted("LeftHand")) is None  # hands see that better
    assert asked(doubted("LeftLeg"), replace(watched(), world=None)) is None


def test_no_lifter_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lift_view", lambda *_: None)
    assert asked(doubted("LeftLeg")) is None


def test_views_count_by_how_sure_they_are(truth: np.ndarray) -> None:
    said = asked(doubted("LeftLeg"))
    assert said is not None
    told = np.array([1.0, 1 / 4, 1 / 9]) / 0.03**2
    off = 0.05 * (told @ np.arange(3)) / told.sum()
    rows = [k for k, name in enumerate(NAMES) if name not in LEFT_OUT]
    np.testing.assert_allclose(said.shape[:, rows], truth[:, rows] + [off, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(said.sd[:, rows], told.sum() ** -0.5)
    assert np.isinf(said.sd[:, [NAMES.index(name) for name in LEFT_OUT]]).all()


def test_only_frames_that_ask_are_pulled(truth: np.ndarray) -> None:
    said = asked(doubted("LeftLeg"))
    assert said is not None
    assert said.asked[5:9].any(axis=1).all() and not said.asked[9:].any()
    assert said.term(POINTS, STATURE, 9, FRAMES, 1.0) == []
    (term,) = said.term(POINTS, STATURE, 0, FRAMES, 0.25)
    assert (term.precision.sum(axis=1) > 0).tolist() == [5 <= t < 9 for t in range(FRAMES)]
    some = term.precision[5].max()
    assert some == pytest.approx(0.25 / (LIFT_SD * STATURE * said.sd[5].min()) ** 2)
