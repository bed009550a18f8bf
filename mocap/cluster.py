"""Tracks gathered into people: the grouping for which the evidence between pairs speaks most.

Pairs with the strongest evidence are joined first, as long as it stays positive in sum over all pairs of the
groups; what cannot be one is never joined. Then each thing moves to the group for which more speaks, until
none has a better one (correlation clustering, Bansal et al. 2004; greedy joins, then local moves). Of things
that are there one after the other all before or after a moment may move together, too.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

IMPOSSIBLE = float("-inf")
LEAST = 1e-9  # what a move has to win
MOVES = 20  # times that everything may move, at most
Pair = tuple[int, int]
Near = list[dict[int, float]]


def cluster(
    count: int,
    evidence: Mapping[Pair, float],
    begin: Sequence[Sequence[int]] | None = None,
    when: Sequence[float] | None = None,
) -> list[list[int]]:
    """Group things.

    Args:
        count: how many there are.
        evidence: by pair of numbers, how much speaks for (positive) or against (negative) the two being one;
            `IMPOSSIBLE` = they are not. Pairs that are not in it say nothing.
        begin: groups that stand already; each by itself without.
        when: moments at which things begin, if parts of groups may move.

    Returns:
        Groups of numbers, each in order; the groups in the order of their first members.
    """
    near: Near = [{} for _ in range(count)]
    for (a, b), value in evidence.items():
        near[a][b] = near[b][a] = value
    group = list(range(count))
    for members in begin or ():
        for k in members:
            group[k] = members[0]
    group = _moved(_joined(group, near), near)
    if when is not None:
        group = _settled(group, near, when)
    found: dict[int, list[int]] = {}
    for k, number in enumerate(group):
        found.setdefault(number, []).append(k)
    return sorted(found.values())


def _joined(group: list[int], near: Near) -> list[int]:
    """The number of each one's group, once groups are joined, strongest evidence first."""
    between: Near = [{} for _ in group]
    for a, others in enumerate(near):
        for b, value in others.items():
            one, other = group[a], group[b]
            if one != other:
                between[one][other] = between[one].get(other, 0.0) + value
    into = list(range(len(group)))
    heap = [(-v, a, b) for a, others in enumerate(between) for b, v in others.items() if v > 0 and a < b]
    heapq.heapify(heap)
    while heap:
        value, a, b = heapq.heappop(heap)
        if into[a] == a and into[b] == b and between[a].get(b) == -value:
            into[b] = a
            for c, total in _join(a, b, between):
                heapq.heappush(heap, (-total, min(a, c), max(a, c)))
    return [_root(into, number) for number in group]


def _join(a: int, b: int, between: Near) -> list[tuple[int, float]]:
    """Make group b a part of a; return with what others it may be joined now, and the evidence for it."""
    del between[a][b], between[b][a]
    for c, value in between[b].items():
        del between[c][b]
        between[a][c] = between[c][a] = between[a].get(c, 0.0) + value
    changed = [(c, between[a][c]) for c in between[b] if between[a][c] > 0]
    between[b] = {}
    return changed


def _root(into: list[int], number: int) -> int:
    while into[number] != number:
        number = into[number]
    return number


def _moved(group: list[int], near: Near) -> list[int]:
    """The same, once each thing is where most speaks for it: in another's group, or alone."""
    group = group.copy()
    for _ in range(MOVES):
        still = True
        for k, others in enumerate(near):
            said: dict[int, float] = {}
            for other, value in others.items():
                said[group[other]] = said.get(group[other], 0.0) + value
            best = max(said, key=lambda number: said[number], default=group[k])
            here, there = said.get(group[k], 0.0), said.get(best, 0.0)
            if there > max(here, 0.0) + LEAST:
                group[k], still = best, False
            elif here < -LEAST:
                group[k], still = _free(group), False
        if still:
            break
    return group


def _settled(group: list[int], near: Near, when: Sequence[float]) -> list[int]:
    """The same, once neither single things nor parts of groups have a better place."""
    for _ in range(MOVES):
        before, group = group, _moved(_parted(group, near, when), near)
        if group == before:
            break
    return group


def _parted(group: list[int], near: Near, when: Sequence[float]) -> list[int]:
    """The same, once of each group all before or after a moment is where most speaks for it."""
    group = group.copy()
    for own in sorted(set(group)):
        members = sorted((k for k, number in enumerate(group) if number == own), key=lambda k: when[k])
        for order in (members, members[::-1]):
            part, target = _best_part(order, group, near, when)
            for k in order[:part]:
                group[k] = target
            if part:
                break
    return group


def _best_part(
    order: Sequence[int], group: Sequence[int], near: Near, when: Sequence[float]
) -> tuple[int, int]:
    """How many of a group's first things should be in another group, and its number; 0 if none should."""
    own = group[order[0]]
    said = {own: 0.0}  # what speaks for the first being one with each group, or with the rest of their own
    inside: set[int] = set()
    most, part, target = LEAST, 0, own
    for n, k in enumerate(order[:-1], 1):
        for other, value in near[k].items():
            if other in inside:
                said[own] -= value
            else:
                said[group[other]] = said.get(group[other], 0.0) + value
        inside.add(k)
        best = max((number for number in said if number != own), key=lambda number: said[number], default=own)
        there = said[best] if best != own else 0.0
        won = max(there, 0.0) - said[own]
        if won > most and when[order[n]] != when[k]:
            most, part, target = won, n, best if there > 0 else _free(group)
    return part, target


def _free(group: Sequence[int]) -> int:
    """A number that no group has."""
    taken = set(group)
    return next(number for number in range(len(group) + 1) if number not in taken)
