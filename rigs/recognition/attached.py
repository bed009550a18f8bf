"""Joints of a character that play no part of ours: sharers of a twist, and followers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rigs.recognition.limbs import SIDES, Named
from rigs.rig import Twist

_LIMBS = (  # the bone's joints, whose twist it is, whether the bone itself carries that twist
    ("Arm", "ForeArm", "Arm", True),
    ("ForeArm", "Hand", "Hand", False),
    ("UpLeg", "Leg", "UpLeg", True),
    ("Leg", "Foot", "Foot", False),
)
_SAME_PLACE = 0.02  # metres


def twists(named: Named, roles: Mapping[str, int]) -> dict[str, Twist]:
    """Return the joints that share a twist, by name: each as much of it as it stands along the bone.

    A joint that hangs from the bone which itself carries the twist, as of an upper arm, undoes the rest.
    """
    found = {}
    parts = set(roles.values())
    for side in SIDES:
        for upper, lower, twist, carries in _LIMBS:
            start, end = roles.get(side + upper), roles.get(side + lower)
            if start is None or end is None:
                continue
            bone = named.positions[end] - named.positions[start]
            for joint in named.tree.children[start]:
                if not named.labels[joint].twisting or joint in parts or parts & set(named.tree.below(joint)):
                    continue
                along = float((named.positions[joint] - named.positions[start]) @ bone / (bone @ bone))
                share = float(np.clip(along, 0.0, 1.0)) - (1.0 if carries else 0.0)
                found[joint] = Twist(side + twist, round(share, 4))
    return {named.names[joint]: twist for joint, twist in found.items()}


def follows(named: Named, roles: Mapping[str, int]) -> dict[str, str]:
    """Return the joints called ik that rest where a hand or foot does, by name, and where they belong."""
    ends = [roles[side + part] for part in ("Hand", "Foot") for side in SIDES if side + part in roles]
    parts = set(roles.values())
    found = {}
    for joint, label in enumerate(named.labels):
        if not label.following or joint in parts or parts & set(named.tree.below(joint)):
            continue
        near = min(ends, key=lambda end, j=joint: named.length(j, end), default=None)  # type: ignore[misc]
        if near is not None and named.length(joint, near) < _SAME_PLACE:
            found[named.names[joint]] = named.names[near]
    return found
