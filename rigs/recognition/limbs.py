"""Which joints of a skeleton are its limbs: by their names, and by bones' lengths where these say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rigs.recognition.naming import Label
from rigs.recognition.tree import Tree
from rigs.solving.body import Floats

SIDES = ("Left", "Right")
_AS_GOOD = 0.85  # of the longest split of a limb: a lower joint that does as well begins it


@dataclass(frozen=True)
class Named:
    """A skeleton: its joints' names, its tree, what the names say, and where the joints rest (J, 3)."""

    names: Sequence[str]
    tree: Tree
    labels: Sequence[Label]
    positions: Floats

    def topmost(self, kind: str, side: str, among: Sequence[int] | None = None) -> int | None:
        """Return the joint of a kind and side that is highest in the tree, alone or before its like."""
        joints = range(len(self.labels)) if among is None else among
        found = [j for j in joints if self.labels[j].may(kind) and self.labels[j].side == side]
        return min(found, key=lambda j: (len(self.tree.above(j)), j), default=None)

    def length(self, a: int, b: int) -> float:
        """Return the distance of two joints."""
        return float(np.linalg.norm(self.positions[a] - self.positions[b]))


def ends_by_name(named: Named) -> dict[str, int]:
    """Return the feet, hands and head that names tell."""
    found: dict[str, int | None] = {}
    for side in SIDES:
        found[f"{side}Foot"] = named.topmost("foot", side)
        found[f"{side}Hand"] = named.topmost("hand", side)
    found["Head"] = named.topmost("head", "")
    return {role: joint for role, joint in found.items() if joint is not None}


def leg(named: Named, meeting: int, foot: int, side: str) -> dict[str, int]:
    """Return the roles of a leg, from the joint where both legs meet to the foot."""
    way = _plain(named, named.tree.way(meeting, foot))
    sure = [j for j in way if named.labels[j].kinds == {"thigh"}] or [
        j for j in way if named.labels[j].may("thigh")
    ]
    knees = [j for j in way if named.labels[j].kinds == {"shin"}] or [
        j for j in way if named.labels[j].may("shin") and j not in sure[:1]
    ]
    chosen = None
    if sure and knees and way.index(sure[0]) < way.index(knees[0]):
        chosen = sure[0], knees[0]
    chosen = chosen or _halves(named, way, foot)
    roles = {f"{side}Foot": foot}
    if chosen is not None:
        roles |= {f"{side}UpLeg": chosen[0], f"{side}Leg": chosen[1]}
    toe = _toe(named, foot)
    return roles if toe is None else {**roles, f"{side}ToeBase": toe}


def arm(named: Named, meeting: int, hand: int, side: str) -> dict[str, int]:
    """Return the roles of an arm, from the joint where both arms meet to the hand."""
    way = _plain(named, named.tree.way(meeting, hand))
    elbows = [j for j in way if named.labels[j].may("forearm")]
    chosen = None
    if elbows:
        before = way[: way.index(elbows[0])]
        sure = [j for j in before if named.labels[j].kinds == {"upper_arm"}]
        likely = sure[:1] or [j for j in before if named.labels[j].may("upper_arm")][-1:]
        chosen = (likely[0], elbows[0]) if likely else None
    chosen = chosen or _halves(named, way, hand)
    roles = {f"{side}Hand": hand}
    if chosen is None:
        return roles
    roles |= {f"{side}Arm": chosen[0], f"{side}ForeArm": chosen[1]}
    before = way[: way.index(chosen[0])]
    collar = [j for j in before if named.labels[j].may("clavicle")] or before
    return {**roles, f"{side}Shoulder": collar[0]} if collar else roles


def _plain(named: Named, way: Sequence[int]) -> list[int]:
    """A way without twisting joints and helpers, or as it is where nothing else is left."""
    labels = named.labels
    plain = [j for j in way if not (labels[j].twisting or labels[j].other or labels[j].following)]
    return plain if len(plain) > 1 else list(way)


def _halves(named: Named, way: Sequence[int], end: int) -> tuple[int, int] | None:
    """The two joints of a way that part it best into two bones of like length up to its end."""
    pairs = [(a, b) for k, a in enumerate(way) for b in way[k + 1 :]]
    if not pairs:
        return None
    worth = [min(named.length(a, b), named.length(b, end)) for a, b in pairs]
    good = [pair for pair, w in zip(pairs, worth, strict=True) if w >= _AS_GOOD * max(worth)]
    return max(good, key=lambda pair: way.index(pair[0]) * len(way) - way.index(pair[1]))


def _toe(named: Named, foot: int) -> int | None:
    """The toes: so named and nearest below the foot; or its only child, or this one's where toes part."""
    for joint in named.tree.below(foot):
        if named.labels[joint].may("toe"):
            return joint
    children = [j for j in named.tree.children[foot] if not named.labels[j].other]
    if len(children) != 1 or named.labels[children[0]].twisting:
        return None
    further = named.tree.children[children[0]]
    return further[0] if len(further) == 1 and len(named.tree.children[further[0]]) > 1 else children[0]
