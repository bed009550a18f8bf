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


def test_who_was_joined_too_early_moves_to_where_more_speaks_for_it() -> None:
    said = {(0, 1): 3.0, (1, 2): 2.0, (1, 3): 2.0, (2, 3): 2.0, (0, 2): -9.0, (0, 3): -9.0}
    assert cluster(4, said) == [[0], [1, 2, 3]]


def test_groups_that_stand_are_joined_as_groups_and_left_one_by_one() -> None:
    said = {(0, 1): 1.0, (2, 3): 1.0, (0, 3): 3.0, (1, 2): -1.0}
    assert cluster(4, said, [[0, 1], [2, 3]]) == [[0, 1, 2, 3]]
    assert cluster(3, {(0, 1): -1.0, (1, 2): 2.0}, [[0, 1], [2]]) == [[0], [1, 2]]
    assert cluster(2, {(0, 1): -1.0}, [[0, 1]]) == [[0], [1]]


def test_no_move_of_one_thing_makes_more_speak_for_the_groups() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        said = {(a, b): float(rng.normal()) for a in range(12) for b in range(a + 1, 12)}
        group = {k: n for n, members in enumerate(cluster(12, said)) for k in members}

        def spoken(group: dict[int, int], said: dict[tuple[int, int], float] = said) -> float:
            return sum(value for (a, b), value in said.items() if group[a] == group[b])

        best = spoken(group)
        assert all(spoken({**group, k: to}) <= best + 1e-9 for k in range(12) for to in range(13))


def test_all_of_somebody_before_a_moment_moves_together() -> None:
    """Both early things hold each other; alone neither would leave for those who go on as they did."""
    said = {(0, 1): 10.0, (2, 3): 5.0, (4, 5): 5.0, (0, 2): 2.0, (1, 3): 2.0, (0, 4): 3.0, (1, 5): 3.0}
    said |= {(2, 4): IMPOSSIBLE, (3, 5): IMPOSSIBLE}
    begin, when = [[0, 1, 2, 3], [4, 5]], [0.0, 0.0, 5.0, 5.0, 5.0, 5.0]
    assert cluster(6, said, begin) == begin
    assert cluster(6, said, begin, when) == [[0, 1, 4, 5], [2, 3]]
    assert cluster(6, said, begin, [0.0] * 6) == begin  # no moment parts them
    backwards = [-t for t in when]
    assert cluster(6, said, begin, backwards) == [[0, 1, 4, 5], [2, 3]]


def test_a_part_for_whose_others_nothing_speaks_is_somebody_of_its_own() -> None:
    said = {(0, 1): 4.0, (2, 3): 4.0, (0, 2): -1.0, (1, 3): -1.0}
    assert cluster(4, said, [[0, 1, 2, 3]]) == [[0, 1, 2, 3]]
    assert cluster(4, said, [[0, 1, 2, 3]], [0.0, 1.0, 7.0, 8.0]) == [[0, 1], [2, 3]]
