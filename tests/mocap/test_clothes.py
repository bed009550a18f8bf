"""What colours tell of who is who: likenesses, uniforms, people who are hidden, strangers."""

from __future__ import annotations

import numpy as np
import pytest

from mocap.clothes import alike, difference
from mocap.detect.colours import PARTS


def worn(seed: int) -> np.ndarray:
    """Colours (B, 3) of somebody's clothes."""
    return np.random.default_rng(seed).uniform((20, -40, -40), (80, 40, 40), (len(PARTS), 3))


def test_the_same_clothes_speak_for_and_others_against() -> None:
    """Two people before, two after; 0 and 2 wear the same, as do 1 and 3."""
    said = alike(
        [worn(1), worn(2), worn(1) + 3, worn(2) - 3],
        [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)],
        [(0, 1), (2, 3)],
    )
    assert set(said) == {(0, 2), (1, 3), (0, 3), (1, 2)}
    assert said[0, 2] == said[1, 3] > 0.9 and said[0, 3] == said[1, 2] < -0.9


def test_a_uniform_says_nothing() -> None:
    light = np.random.default_rng(3).normal(0, 4, (4, len(PARTS), 3))
    said = alike(list(worn(1) + light), [(0, 2), (0, 3), (1, 2), (1, 3)], [(0, 1), (2, 3)])
    assert all(abs(value) < 0.2 for value in said.values())


def test_who_is_hidden_and_shows_the_other_ones_colours_is_nobody() -> None:
    said = alike([worn(1), worn(2), worn(1), worn(1)], [(0, 2), (0, 3), (1, 2), (1, 3)], [(0, 1), (2, 3)])
    assert (0, 2) not in said and (0, 3) not in said
    assert said.get((1, 2), 0.0) <= 0 and said.get((1, 3), 0.0) <= 0


def test_a_stranger_is_not_known_again() -> None:
    """The third is there after the first is gone, and beside the second all along."""
    stranger = worn(1).copy()
    stranger[1:5] += 30
    said = alike([worn(1), worn(2), stranger], [(0, 1), (0, 2), (1, 2)], [(0, 1), (1, 2)])
    assert said.get((0, 2), 0.0) <= 0
    assert alike([worn(1), worn(2), worn(1)], [(0, 1), (0, 2), (1, 2)], [(0, 1), (1, 2)])[0, 2] > 0.9


def test_nobody_beside_nothing_is_said() -> None:
    assert alike([worn(1), worn(1)], [(0, 1)], []) == {}
    assert alike([worn(1), np.full((7, 3), np.nan), worn(1)], [(0, 1), (0, 2), (1, 2)], [(0, 1)]) == {}


def test_differences_are_of_the_parts_known_of_both() -> None:
    one, other = np.zeros((2, 3, 3))
    one[0, 0], other[0] = 10.0, np.nan  # lightness counts half
    one[1] = 0, 3, 4
    assert difference(one, other) == pytest.approx(2.5)
    assert difference(one[:1], other[:1]) == 20.0
