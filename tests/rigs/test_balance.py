"""Balance: whoever stands is led over the feet, and whoever does not is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from rigs import quat
from rigs.solving.balance import GRAVITY, Balance, masses
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose

BODY = load_body()
CHAIN = Chain(BODY)
STATURE, FPS, FRAMES = 1.7, 30.0, 40
SIZES = np.full(len(BODY.size_names), STATURE)
BOTH = np.ones((FRAMES, 4), bool)


def standing(lean: float = 0.0) -> Pose:
    """Upright, or leaning forward from the ankles, degrees."""
    rotations = quat.identity(FRAMES, len(BODY.names))
    rotations[:, 0] = quat.from_rotvec(np.deg2rad([lean, 0.0, 0.0]))
    return Pose(np.tile([0.0, 0.9, 0.0], (FRAMES, 1)), rotations)


def off(before: Pose, stands: np.ndarray) -> float:
    """Square root of twice the cost a frame, deviations of a metre."""
    posed = CHAIN.place(before, SIZES)
    term = Balance(BODY, STATURE, posed, stands, FPS, sd=1.0, scale=100.0)
    return float(np.sqrt(2 * term.cost(posed) / FRAMES))


def test_masses_are_all_of_the_body() -> None:
    found = masses(BODY)
    assert sum(found.values()) == pytest.approx(1.0)
    assert min(found.values()) >= 0
    assert all(found[f"Left{n}"] == found[f"Right{n}"] for n in ("Arm", "UpLeg", "Leg", "Foot", "Hand"))


def test_the_centre_of_mass_of_a_standing_person_is_near_the_hips() -> None:
    posed = CHAIN.place(standing(), SIZES)
    found = masses(BODY)
    centre = sum(share * posed.positions[0, BODY.index(name)] for name, share in found.items())
    # 0.55 of stature above the ground (de Leva 1996: 0.56 men, 0.54 women, arms hanging; these are spread)
    lowest = posed.positions[0, :, 1].min()
    assert (np.asarray(centre)[1] - lowest) / STATURE == pytest.approx(0.55, abs=0.04)


def test_who_stands_upright_is_in_balance_and_who_leans_is_not() -> None:
    assert off(standing(), BOTH) < 0.09  # the middle of the feet is ahead of the ankles
    assert off(standing(15.0), BOTH) > 0.1
    assert off(standing(-15.0), BOTH) > off(standing(), BOTH) + 0.1


def test_nobody_balances_in_the_air() -> None:
    assert off(standing(15.0), ~BOTH) == 0.0


def test_between_two_feet_every_place_is_balanced() -> None:
    stride = standing()
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        turn = quat.from_rotvec(np.deg2rad([0.0, 0.0, sign * 25.0]))
        stride.rotations[:, BODY.index(f"{side}UpLeg")] = turn
    shifted = Pose(stride.root, stride.rotations.copy())
    shifted.rotations[:, BODY.index("Spine")] = quat.from_rotvec(np.deg2rad([0.0, 0.0, 12.0]))
    assert off(shifted, BOTH) == pytest.approx(off(stride, BOTH), abs=0.01)
    left_alone = np.tile([True, False, True, False], (FRAMES, 1))
    assert off(shifted, left_alone) > off(shifted, BOTH) + 0.1


def test_who_speeds_up_leans_into_it() -> None:
    """A body that accelerates is in balance when it leans by the acceleration over gravity."""
    faster = 2.0  # m/s^2, forward
    time = np.arange(FRAMES) / FPS
    moving = standing(np.rad2deg(np.arctan(faster / GRAVITY)))
    moving.root[:, 2] = 0.5 * faster * time**2
    inside = slice(10, -10)

    def middle(pose: Pose) -> float:
        posed = CHAIN.place(pose, SIZES)
        term = Balance(BODY, STATURE, posed, BOTH, FPS, sd=1.0, scale=100.0)
        return float(np.abs(term._off(posed)[0][inside, 1]).mean())

    upright = Pose(moving.root, standing().rotations)
    assert middle(moving) < middle(upright)
    assert middle(moving) < 0.1
