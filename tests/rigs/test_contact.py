"""Contacts of made-up feet whose plants are known: walking, stairs, leaps, slides, feet held in the air."""

import numpy as np
import pytest

from rigs.contact import (
    NEAR,
    Contacts,
    Plant,
    decode,
    evidence,
    features,
    find_contacts,
    plants,
    standing_still,
)

STANDING = np.array([0.02, 0.02, 0.045, 0.045])
STEP, STANCE, SWING = 0.65, 0.6, 0.5  # metres; seconds
NOISE = 0.002  # metres a frame, white: 50 to 60 mm/s where nothing moves, as solved feet show


def walk(seconds: float, fps: float, rise: float = 0.0, glide: float = 0.0) -> tuple[np.ndarray, ...]:
    """Soles (T, 4, 3) of a walker and whether each stands; `rise` metres a step, `glide` m/s while down."""
    times = np.arange(round(seconds * fps)) / fps
    soles, down = np.zeros((len(times), 4, 3)), np.zeros((len(times), 4), bool)
    for foot, start in ((0, 0.0), (1, -(STANCE + SWING) / 2)):
        count, phase = np.divmod(times - start, STANCE + SWING)
        part = np.clip((phase - STANCE) / SWING, 0, 1)
        eased = part**2 * (3 - 2 * part)
        for point, behind in ((foot, 0.0), (foot + 2, 0.16)):
            soles[:, point, 0] = 0.1 - 0.2 * foot
            soles[:, point, 1] = STANDING[point] + rise * (2 * (count + eased) + 1 - foot)
            soles[:, point, 1] += (0.12 + 0.1 * (rise > 0)) * np.sin(np.pi * part)
            soles[:, point, 2] = 2 * STEP * (count + eased) - STEP * foot - behind + glide * times
            down[:, point] = phase < STANCE
    return soles, down


def noisy(soles: np.ndarray, seed: int = 0) -> np.ndarray:
    return soles + np.random.default_rng(seed).normal(0.0, NOISE, soles.shape)


def standing(frames: int) -> np.ndarray:
    soles = np.zeros((frames, 4, 3))
    soles[..., 0], soles[..., 1], soles[:, 2:, 2] = (0.1, -0.1, 0.1, -0.1), STANDING, -0.16
    return soles


def widened(flags: np.ndarray, frames: int) -> np.ndarray:
    out = flags.copy()
    for k in range(1, frames + 1):
        out[k:] |= flags[:-k]
        out[:-k] |= flags[k:]
    return out


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
def test_plants_of_a_walk_are_found_within_four_thirtieths_of_a_second(fps: float) -> None:
    soles, down = walk(4.0, fps)
    found = find_contacts(noisy(soles), STANDING, fps).down
    near = int(np.ceil(fps / 7.5))
    inside = slice(2 * near, -2 * near)  # at the ends of a clip half of what tells is missing
    assert not (found & ~widened(down, near))[inside].any()
    assert not (~found & ~widened(~down, near))[inside].any()


def test_a_walk_on_the_floor_is_level() -> None:
    soles, _ = walk(4.0, 30.0)
    contacts = find_contacts(noisy(soles), STANDING, 30.0)
    assert set(np.unique(contacts.level[contacts.down])) == {0.0}


def test_every_stair_has_its_own_height() -> None:
    soles, down = walk(5.0, 30.0, rise=0.17)
    contacts = find_contacts(noisy(soles), STANDING, 30.0)
    height = soles[..., 1] - STANDING
    assert np.abs(contacts.level - height)[contacts.down & down].max() < 4 * NOISE
    assert (contacts.down & down)[:, :2].sum() > 0.7 * down[:, :2].sum()
    assert len(np.unique(np.round(contacts.level[contacts.down], 1))) >= 9


def test_a_foot_held_still_in_the_air_beside_a_standing_one_does_not_stand() -> None:
    soles = standing(90)
    soles[:, [1, 3], 1] += 0.25
    down = find_contacts(noisy(soles), STANDING, 30.0).down
    assert down[:, [0, 2]].all() and not down[:, [1, 3]].any()


def test_nobody_stands_during_a_leap() -> None:
    soles = standing(60)
    flight = np.arange(18) / 30.0
    soles[20:38, :, 1] += (0.5 * 9.81 * flight * (17 / 30 - flight))[:, None]
    down = find_contacts(noisy(soles), STANDING, 30.0).down
    assert not down[23:35].any() and down[:18].all() and down[41:].all()


def test_a_slide_is_no_plant_though_the_feet_are_down() -> None:
    soles, down = walk(4.0, 30.0, glide=0.8)
    assert find_contacts(noisy(soles), STANDING, 30.0).down[down].mean() < 0.1


def test_lenient_plants_what_creeps() -> None:
    soles = standing(90)
    soles[..., 2] += 0.2 * np.arange(90)[:, None] / 30.0
    strict, lenient = (find_contacts(soles, STANDING, 30.0, lenient=way).down for way in (False, True))
    assert lenient.sum() > strict.sum() and not (strict & ~lenient).any()


def test_a_jump_of_feet_that_are_hardly_known_ends_no_plant() -> None:
    soles = standing(90)
    soles[45:, :, 2] += 0.03  # as where a view loses sight of them
    known = find_contacts(noisy(soles), STANDING, 30.0).down
    hardly = find_contacts(noisy(soles), STANDING, 30.0, trust=np.full((90, 4), 0.25)).down
    assert not known[44:46].all() and hardly.all()


def test_a_foot_that_is_hardly_known_may_stand_though_it_is_solved_higher() -> None:
    soles = standing(90)
    soles[..., 1] += 0.035
    known = find_contacts(noisy(soles), STANDING, 30.0)
    hardly = find_contacts(noisy(soles), STANDING, 30.0, trust=np.full((90, 4), 0.5))
    assert not (known.level[:, :2] == 0).any() and (hardly.level[:, :2] == 0).all()


def test_feet_that_are_hardly_known_still_walk() -> None:
    soles, down = walk(4.0, 30.0)
    found = find_contacts(noisy(soles), STANDING, 30.0, trust=np.full(down.shape, 0.3)).down
    assert (found == down).mean() > 0.8


def nothing_held(frames: int) -> Contacts:
    return Contacts(np.full((frames, 4), np.nan))


@pytest.mark.parametrize("fps", [24.0, 30.0, 120.0])
def test_what_is_low_and_slow_stands_though_nothing_held_it(fps: float) -> None:
    soles, down = walk(4.0, fps)
    found = standing_still(soles, STANDING, nothing_held(len(soles)), fps).down
    near = int(np.ceil(fps / 15))
    assert not (found & ~widened(down, near)).any() and not (~found & ~widened(~down, near)).any()


def test_what_is_held_above_what_it_stands_on_does_not_stand() -> None:
    soles = standing(30)
    soles[:, 2, 1] += NEAR + 0.005
    found = standing_still(soles, STANDING, Contacts(np.zeros((30, 4))), 30.0)
    assert found.down[:, [0, 1, 3]].all() and not found.down[:, 2].any()


def test_what_stands_on_a_step_does_while_it_is_held_there() -> None:
    soles, level = standing(30) + np.array([0.0, 0.17, 0.0]), np.full((30, 4), np.nan)
    level[:20, :2] = 0.16
    found = standing_still(soles, STANDING, Contacts(level), 30.0)
    np.testing.assert_array_equal(found.level, level)


def test_the_ball_of_a_foot_that_turns_on_its_toes_does_not_stand() -> None:
    soles, level = standing(30), np.full((30, 4), np.nan)
    soles[:, [0, 2], 1] += (0.055, 0.16)
    level[:, 0] = 0.055
    assert not standing_still(soles, STANDING, Contacts(level), 30.0).down[:, [0, 2]].any()


def test_a_foot_that_comes_down_on_a_thin_board_stands_on_it() -> None:
    soles, level = standing(30) + np.array([0.0, 0.055, 0.0]), np.full((30, 4), np.nan)
    soles[15:, 2, 1] += 0.1  # the heel rises in the end
    level[:, 0] = 0.055
    assert standing_still(soles, STANDING, Contacts(level), 30.0).down[:, 0].all()


def test_one_frame_stands_or_does_not() -> None:
    assert standing_still(standing(1), STANDING, nothing_held(1), 30.0).down.shape == (1, 4)


def test_speeds_alone_say_less_than_heights_and_speeds() -> None:
    soles = standing(60)
    soles[..., 1] += 0.4
    heights = soles[..., 1] - STANDING
    assert (evidence(soles, None, 30.0) > 0).all() and (evidence(soles, heights, 30.0) < 0).all()


def test_where_a_walk_takes_place_does_not_matter() -> None:
    soles, _ = walk(2.0, 30.0)
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    here = evidence(soles, soles[..., 1] - STANDING, 30.0)
    there = evidence(soles @ turn.T + (5.0, 0.0, -3.0), soles[..., 1] - STANDING, 30.0)
    assert np.allclose(here, there, atol=1e-9)


def test_left_and_right_are_judged_alike() -> None:
    soles, _ = walk(2.0, 30.0)
    other = [1, 0, 3, 2]
    for point in range(4):
        mine = features(soles, soles[..., 1], 30.0, point)
        assert np.array_equal(mine, features(soles[:, other], soles[:, other, 1], 30.0, other[point]))


def test_one_frame_can_be_judged() -> None:
    assert find_contacts(standing(1), STANDING, 30.0).level.shape == (1, 4)


def brute(odds: np.ndarray, switch: float) -> np.ndarray:
    best, found = -np.inf, np.zeros(len(odds), bool)
    for code in range(2 ** len(odds)):
        state = np.array([code >> k & 1 for k in range(len(odds))], bool)
        gain = odds[state].sum() - switch * np.abs(np.diff(state.astype(int))).sum()
        if gain > best:
            best, found = gain, state
    return found


def test_the_decoded_course_is_the_best_of_all() -> None:
    odds = np.random.default_rng(3).normal(0.0, 2.0, (9, 6))
    down = decode(odds, 30.0, switch=1.7)
    for point in range(6):
        assert np.array_equal(down[:, point], brute(odds[:, point], 1.7))


def test_a_weak_frame_does_not_end_a_plant() -> None:
    odds = np.array([-4, 4, 4, -1, 4, 4, -4.0])[:, None]
    assert plants(decode(odds, 30.0)) == [Plant(0, 1, 6)]


def test_plants_of_flags_give_the_flags_back() -> None:
    down = np.random.default_rng(4).random((40, 4)) > 0.4
    again = np.zeros_like(down)
    for plant in plants(down):
        assert down[plant.frames, plant.point].all()
        again[plant.frames, plant.point] = True
    assert np.array_equal(again, down)


def test_what_is_known_besides_counts() -> None:
    soles, down = walk(4.0, 30.0)
    told = np.where(down, 50.0, -50.0)
    assert (find_contacts(noisy(soles), STANDING, 30.0, told=told).down == down).mean() > 0.98
    assert not find_contacts(noisy(soles), STANDING, 30.0, told=np.full(down.shape, -50.0)).down.any()
