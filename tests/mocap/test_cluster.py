"""Groups by what speaks for and against pairs: small cases that can be seen whole, and laws."""

from __future__ import annotations

import numpy as np

from mocap.cluster import IMPOSSIBLE, cluster


def test_what_speaks_for_joins_and_what_speaks_against_does_not() -> None:
    assert cluster(3, {(0, 1): 1.0, (1, 2): -1.0}) == [[0, 1], [2]]
    assert cluster(2, {}) == [[0], [1]]


def test_sums_decide_over_a_group() -> None:
    assert cluster(3, {(0, 1): 5.0, (1, 2): 2.0, (0, 2): -3.0}) == [[0, 1], [2]]
    assert cluster(3, {(0, 1): 5.0, (1, 2): 3.0, (0, 2): -2.0}) == [[0, 1, 2]]


def test_the_impossible_is_never_joined_however_much_speaks_for_it() -> None:
    said = {(0, 1): 9.0, (1, 2): 8.0, (0, 2): IMPOSSIBLE}
    assert cluster(3, said) == [[0, 1], [2]]


def test_the_strongest_pair_goes_first() -> None:
    said = {(0, 2): 1.0, (1, 2): 2.0, (0, 1): IMPOSSIBLE}
    assert cluster(3, said) == [[0], [1, 2]]


def test_noisy_evidence_of_three_groups_gives_them_back() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 30)
    pairs = [(a, b) for a in range(30) for b in range(a + 1, 30)]
    said = {(a, b): (2.0 if truth[a] == truth[b] else -2.0) + rng.normal(0, 1) for a, b in pairs}
    groups = cluster(30, said)
    assert sorted(len(g) for g in groups) == sorted(np.bincount(truth).tolist())
    assert all(len({int(truth[k]) for k in group}) == 1 for group in groups)
