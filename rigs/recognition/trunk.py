"""Which joints of a skeleton are its hips, spine, necks and the root below them."""

from __future__ import annotations

from collections.abc import Mapping

from rigs.recognition.limbs import Named

_LOW = 0.2  # of the height of the hips: a joint below that may carry the way


def trunk(named: Named, ends: Mapping[str, int]) -> dict[str, int]:
    """Return Hips, Spine, Spine1, ..., Neck, Neck1, ... and Head, as far as there are any.

    ends: feet, hands and, if there is one, the head.
    """
    tree = named.tree
    feet, hands = [ends["LeftFoot"], ends["RightFoot"]], [ends["LeftHand"], ends["RightHand"]]
    chest = tree.meeting(*hands)
    top = ends.get("Head", chest)
    hips = _hips(named, tree.meeting(*feet, top, chest))
    roles = {"Hips": hips}
    spines: list[int] = []
    necks: list[int] = []
    way = [] if top == hips else [*tree.way(hips, top), *([] if "Head" in ends else [top])]
    called = any("neck" in named.labels[joint].kinds for joint in way)
    past = False
    for joint in way:
        label = named.labels[joint]
        neck = "neck" in label.kinds
        if not neck and (label.twisting or label.other or label.following):
            continue
        (necks if neck or (past and not (called and label.may("spine"))) else spines).append(joint)
        past = past or joint == chest
    roles |= {f"Spine{k or ''}": joint for k, joint in enumerate(spines)}
    roles |= {f"Neck{k or ''}": joint for k, joint in enumerate(necks)}
    return {**roles, "Head": top} if "Head" in ends else roles


def _hips(named: Named, meeting: int) -> int:
    """The joint that carries legs and trunk: where they meet, or one above it that is called so."""
    above = [j for j in named.tree.above(meeting) if "hips" in named.labels[j].kinds]
    label = named.labels[meeting]
    if label.may("hips") or not above or named.labels[above[0]].stem == "root":
        return meeting
    return above[0]


def root(named: Named, hips: int, floor: float) -> int | None:
    """Return the joint above the hips that stands on the floor and so carries the way; None: there is none.

    floor: metres; the joints' positions have y up.
    """
    limit = floor + _LOW * (named.positions[hips][1] - floor)
    low = [j for j in named.tree.above(hips) if named.positions[j][1] < limit]
    return low[-1] if low else None
