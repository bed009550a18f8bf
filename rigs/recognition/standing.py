"""Our own human standing at rest: where rigs take their proportions from of which no source gives any."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import Floats, load_body
from rigs.solving.graft import graft

STATURE = 1.70  # metres
BALL_HEIGHT = 0.02  # metres from the floor to the joint at the ball of the foot


@lru_cache
def standing_human() -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return where joints and tips are, (3,) metres each, in the T-pose of a person of 1.70 m."""
    body = load_body("human")
    skeleton = body.skeleton(np.full(len(body.size_names), STATURE))
    motion = Motion(skeleton, quat.identity(1, len(skeleton)), np.zeros((1, 3)), Fraction(1))
    parts = {}
    for leaf, mirrored in (("LeftHand", False), ("RightHand", True)):
        hand = load_body("hand", mirrored)
        part = hand.skeleton(np.full(len(hand.size_names), STATURE))
        parts[leaf] = part, quat.identity(1, len(part))
    whole = graft(motion, parts)
    positions = whole.world()[0][0]
    positions[:, 1] += BALL_HEIGHT - positions[whole.skeleton.index("LeftToeBase"), 1]
    joints = dict(zip(whole.skeleton.names, positions, strict=True))
    return joints, {leaf: joints[leaf] + tip for leaf, tip in whole.skeleton.tips.items()}
