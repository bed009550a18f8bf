"""Tracks gathered into people: the grouping for which the evidence between pairs speaks most.

Pairs with the strongest evidence are joined first, as long as it stays positive in sum over all pairs of the
groups (correlation clustering, Bansal et al. 2004, solved greedily); what cannot be one is never joined.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

IMPOSSIBLE = float("-inf")
Pair = tuple[int, int]


def cluster(count: int, evidence: Mapping[Pair, float]) -> list[list[int]]:
    """Group things.

    Args:
        count: how many there are.
        evidence: by pair of numbers, how much speaks for (positive) or against (negative) the two being one;
            `IMPOSSIBLE` = they are not. Pairs that are not in it say nothing.

    Returns:
        Groups of numbers, each in order; the groups in the order of their first members.
    """
    near: list[dict[int, float]] = [{} for _ in range(count)]
    for (a, b), value in evidence.items():
        near[a][b] = near[b][a] = value
    members: list[list[int] | None] = [[k] for k in range(count)]
    heap = [(-value, a, b) for (a, b), value in evidence.items() if value > 0]
    heapq.heapify(heap)
    while heap:
        value, a, b = heapq.heappop(heap)
        if members[a] is None or members[b] is None or near[a].get(b) != -value:
            continue
        _join(a, b, near, members, heap)
    return sorted(sorted(group) for group in members if group)


def _join(
    a: int,
    b: int,
    near: list[dict[int, float]],
    members: list[list[int] | None],
    heap: list[tuple[float, int, int]],
) -> None:
    """Make b a part of a."""
    one, other = members[a], members[b]
    assert one is not None and other is not None
    members[a], members[b] = one + other, None
    del near[a][b], near[b][a]
    for c, value in near[b].items():
        del near[c][b]
        total = near[a].get(c, 0.0) + value
        near[a][c] = near[c][a] = total
        if total > 0:
            heapq.heappush(heap, (-total, min(a, c), max(a, c)))
    near[b] = {}
