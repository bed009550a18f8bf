"""Feet, hands and head of a body whose joints' names say nothing: by where its leaves are at rest."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rigs.recognition.limbs import Named

_OTHER = {
    f"{a}{part}": f"{b}{part}" for part in ("Foot", "Hand") for a, b in (("Left", "Right"), ("Right", "Left"))
}
_ASIDE = 0.02  # of the height: a leaf so far from the middle is of a side
_DOWN = 0.7  # cosine: a bone that goes down so much belongs to the leg, not to the foot
_LONG = 0.25  # of the longest bone of the leg, at least
_SHORT = 0.6  # of the bone before: a last bone so short is a hand's, and begins at the wrist
_END = 1.4  # of the bone before: a last bone so long is a head's, and begins at its joint
_SAME_PLACE = 0.01  # metres


def ends_by_shape(named: Named) -> dict[str, int] | None:
    """Return the feet, hands and head of a body that stands upright (y up), or None where it is no such body.

    Which side is left is told by x, as for one that faces +z, or -z where its toes point that way.
    """
    tree, positions = named.tree, named.positions
    leaves = [j for j in range(len(tree)) if not tree.children[j]]
    if len(leaves) < 5:
        return None
    head = max(leaves, key=lambda j: positions[j][1])
    aside = positions[:, 0] - positions[head][0]
    clear = _ASIDE * float(np.ptp(positions[:, 1]))
    sides = {
        "Left": [j for j in leaves if aside[j] > clear],
        "Right": [j for j in leaves if aside[j] < -clear],
    }
    if not all(sides.values()):
        return None
    low = {side: min(joints, key=lambda j: positions[j][1]) for side, joints in sides.items()}
    hips = tree.meeting(*low.values(), head)
    wide = {}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        arms = [j for j in sides[side] if tree.meeting(j, head) != hips]
        if not arms:
            return None
        wide[side] = max(arms, key=lambda j: sign * positions[j][0])
    chest = tree.meeting(*wide.values())
    if chest == hips or low["Left"] == low["Right"]:
        return None
    feet = {f"{side}Foot": _foot(named, hips, low[side]) for side in low}
    hands = {f"{side}Hand": _hand(named, chest, wide[side]) for side in wide}
    ends = {**feet, **hands, "Head": _head(named, chest, head)}
    ahead = sum(float(positions[low[side]][2] - positions[feet[f"{side}Foot"]][2]) for side in low)
    return ends if ahead >= 0.0 else {_OTHER.get(role, role): joint for role, joint in ends.items()}


def _foot(named: Named, hips: int, leaf: int) -> int:
    """The last joint of a leg to which a long bone comes down."""
    way = [*named.tree.way(hips, leaf), leaf]
    bones = [named.positions[b] - named.positions[a] for a, b in pairwise(way)]
    long = _LONG * max((float(np.linalg.norm(bone)) for bone in bones), default=0.0)
    down = [
        j
        for j, bone in zip(way[1:], bones, strict=True)
        if -bone[1] > max(long, _DOWN * np.linalg.norm(bone))
    ]
    return down[-1] if down else leaf


def _hand(named: Named, chest: int, leaf: int) -> int:
    """The first joint of an arm at which it parts into fingers, or its last one."""
    way = [*named.tree.way(chest, leaf), leaf]
    for joint in way[2:]:
        deep = [named.tree.depth(child) for child in named.tree.children[joint]]
        if sum(d > 0 and 2 * d >= max(deep) for d in deep) > 1:  # not: a forearm with helpers of its own
            return joint
    if len(way) > 3 and named.length(way[-2], leaf) < _SHORT * named.length(way[-3], way[-2]):
        return way[-2]
    return leaf


def _head(named: Named, chest: int, leaf: int) -> int:
    """The first joint of the neck from which more than one hangs, or the leaf, but no end of the head."""
    way = [*named.tree.way(chest, leaf), leaf]
    several = [k for k, joint in enumerate(way) if len(named.tree.children[joint]) > 1]
    if several:
        k = several[0]
        return way[k - 1] if k and named.length(way[k - 1], way[k]) < _SAME_PLACE else way[k]
    end = len(way) > 2 and named.length(way[-2], leaf) > _END * named.length(way[-3], way[-2])
    return way[-2] if end else leaf
