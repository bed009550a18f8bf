"""What the lifter's network says of each frame, and in which units."""

from __future__ import annotations

from mocap.lift.points import CONTACTS, NAMES

UNIT = 0.2  # statures: of points about the middle of the hips
SPREAD, DEPTH = 0.02, 0.04  # statures: usual spread of a point across and along the line of sight
ROOT, ROOT_DEPTH = 0.05, 0.08  # of the hips: extents across, a logarithm of the distance along
WIDTH = {
    "points": 3 * len(NAMES),
    "spread": len(NAMES),
    "depth": len(NAMES),
    "root": 3,
    "root_spread": 2,
    "up": 3,
    "contact": len(CONTACTS),
}
COUNT = sum(WIDTH.values())
