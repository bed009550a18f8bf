"""Exchanged sides are found and put back, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from calibration.camera import Cameras
from mocap.observations import Observations
from mocap.swaps import BLOCK, Swaps, repair_swaps
from tests.calibration.synthetic import ring
from tests.synth import noisy
from tests.synth_take import LAYOUT, marching, observed

FRAMES = 60
SCATTER = 0.01  # of the person's height in the image, as a good detector's


def scene(views: int = 4, frames: int = FRAMES, scatter: float = SCATTER) -> tuple[Cameras, Observations]:
    cameras = ring(views)
    seen = observed(cameras, [marching(frames)] * views)
    sd = scatter * np.median(seen.heights())
    return cameras, replace(seen, pixels=noisy(seen.pixels, sd, np.random.default_rng(views)))


def exchanged(seen: Observations, view: int, limbs: tuple[str, ...], start: int, stop: int) -> Observations:
    mask = np.zeros(seen.confidence.shape, bool)
    for limb in limbs:
        mask[view, start:stop, LAYOUT.groups[limb]] = True
    return seen.with_sides(mask)


WHOLE = ("legs", "arms", "head")


def assert_same(repaired: Observations, seen: Observations) -> None:
    np.testing.assert_array_equal(repaired.pixels, seen.pixels)
    np.testing.assert_array_equal(repaired.confidence, seen.confidence)


def counted(swaps: Swaps) -> int:
    return sum(sum(kinds.values()) for kinds in swaps.count().values())


@pytest.mark.parametrize("views", [2, 3, 4, BLOCK + 1])
def test_right_sides_are_left_alone(views: int) -> None:
    cameras, seen = scene(views)
    repaired, swaps = repair_swaps(seen, cameras)
    assert_same(repaired, seen)
    assert counted(swaps) == 0


@pytest.mark.parametrize("limbs", [("legs",), ("arms", "head"), WHOLE])
@pytest.mark.parametrize("span", [(0, 20), (20, 21), (25, 50), (59, 60)])
def test_one_view_that_exchanges_is_put_back(limbs: tuple[str, ...], span: tuple[int, int]) -> None:
    cameras, seen = scene()
    repaired, swaps = repair_swaps(exchanged(seen, 1, limbs, *span), cameras)
    assert_same(repaired, seen)
    kind = "whole" if limbs == WHOLE else limbs[0]
    expected = {"whole": 0, "legs": 0, "arms": 0, kind: span[1] - span[0]}
    assert swaps.count()["cam2"] == expected
    assert counted(swaps) == span[1] - span[0]


def test_a_whole_view_exchanged_from_end_to_end_is_put_back() -> None:
    """Nothing jumps in it; only the other views tell."""
    cameras, seen = scene()
    repaired, swaps = repair_swaps(exchanged(seen, 2, WHOLE, 0, FRAMES), cameras)
    assert_same(repaired, seen)
    assert swaps.count()["cam3"] == {"whole": FRAMES, "legs": 0, "arms": 0}


def test_several_views_at_once_in_part_at_the_same_time() -> None:
    cameras, seen = scene()
    wrong = exchanged(exchanged(seen, 0, ("legs",), 5, 30), 3, WHOLE, 20, 45)
    repaired, swaps = repair_swaps(wrong, cameras)
    assert_same(repaired, seen)
    assert swaps.count()["cam1"]["legs"] == swaps.count()["cam4"]["whole"] == 25


def test_more_views_than_a_block_are_decoded_given_each_other() -> None:
    cameras, seen = scene(BLOCK + 2)
    wrong = exchanged(exchanged(seen, 0, ("legs",), 10, 30), BLOCK, WHOLE, 15, 40)
    repaired, _ = repair_swaps(wrong, cameras)
    assert_same(repaired, seen)


@pytest.mark.parametrize("limbs", [("legs",), WHOLE])
def test_one_view_alone_is_held_together_over_time(limbs: tuple[str, ...]) -> None:
    """Without other views an exchange shows as two jumps; which of the parts is right, the longer says."""
    _, seen = scene(4)
    alone = Observations(("a",), LAYOUT, seen.pixels[1:2], seen.confidence[1:2], seen.fps)
    repaired, _ = repair_swaps(exchanged(alone, 0, limbs, 20, 32), None)
    assert_same(repaired, alone)


def test_gaps_do_not_hide_an_exchange() -> None:
    cameras, seen = scene()
    rng = np.random.default_rng(0)
    lost = rng.random(seen.confidence.shape) < 0.2
    lost |= lost[..., LAYOUT.mirror]
    pixels = np.where(lost[..., None], np.nan, seen.pixels)
    holed = replace(seen, pixels=pixels, confidence=np.where(lost, 0.0, seen.confidence))
    repaired, _ = repair_swaps(exchanged(holed, 1, WHOLE, 12, 40), cameras)
    assert_same(repaired, holed)


def test_a_view_that_sees_nobody_is_no_evidence() -> None:
    cameras, seen = scene()
    pixels, confidence = seen.pixels.copy(), seen.confidence.copy()
    pixels[3], confidence[3] = np.nan, 0.0
    blind = replace(seen, pixels=pixels, confidence=confidence)
    repaired, swaps = repair_swaps(exchanged(blind, 1, ("legs",), 10, 30), cameras)
    assert_same(repaired, blind)
    assert swaps.count()["cam4"] == {"whole": 0, "legs": 0, "arms": 0}


def test_repairing_again_changes_nothing() -> None:
    cameras, seen = scene()
    once, _ = repair_swaps(exchanged(seen, 1, WHOLE, 12, 40), cameras)
    twice, swaps = repair_swaps(once, cameras)
    assert_same(twice, once)
    assert counted(swaps) == 0


def test_the_detectors_own_guess_in_3d_is_put_back_too() -> None:
    cameras, seen = scene()
    guess = np.random.default_rng(0).normal(size=(*seen.confidence.shape, 3))
    guessed = replace(seen, world=guess)
    repaired, _ = repair_swaps(exchanged(guessed, 1, WHOLE, 12, 40), cameras)
    assert repaired.world is not None
    np.testing.assert_array_equal(repaired.world, guess)


@pytest.mark.parametrize("frames", [1, 2])
def test_hardly_a_frame_is_no_fault(frames: int) -> None:
    cameras, seen = scene(frames=frames)
    repaired, _ = repair_swaps(seen, cameras)
    assert_same(repaired, seen)


def test_a_faster_clock_finds_the_same() -> None:
    cameras = ring(4)
    fps = Fraction(120)
    seen = observed(cameras, [marching(4 * FRAMES, fps)] * 4, fps)
    repaired, _ = repair_swaps(exchanged(seen, 1, ("legs",), 40, 120), cameras)
    assert_same(repaired, seen)


def test_hips_do_not_face_away_from_shoulders_where_two_views_hardly_tell() -> None:
    """Arms that are seen well tell the exchange; legs that the other view misses follow the guess."""
    cameras, seen = scene(3)
    guess = np.zeros((*seen.confidence.shape, 3))
    for joint, wide in (("shoulder", 0.18), ("hip", 0.11)):
        guess[..., LAYOUT.index(f"left_{joint}"), 0] = wide
        guess[..., LAYOUT.index(f"right_{joint}"), 0] = -wide
    wrong = exchanged(replace(seen, world=guess), 1, WHOLE, 0, FRAMES)
    unseen = np.zeros(seen.confidence.shape, bool)
    unseen[::2, :, LAYOUT.groups["legs"]] = True
    pixels = np.where(unseen[..., None], np.nan, wrong.pixels)
    half = replace(wrong, pixels=pixels, confidence=np.where(unseen, 0.0, wrong.confidence))
    _, swaps = repair_swaps(half, cameras)
    assert swaps.swapped["arms"][1].all() and swaps.swapped["legs"][1].all()
    _, blind = repair_swaps(replace(half, world=None), cameras)
    assert blind.swapped["arms"][1].all() and not blind.swapped["legs"].any()
