"""How feet stand: the points of their soles, and how high these are on a foot that stands."""

from __future__ import annotations

SOLES = ("LeftBall", "RightBall", "LeftHeel", "RightHeel")  # the points of `rigs.solving.ground.soles`
# Heights above the floor of the points of `soles` on a standing foot in a shoe, units of stature: mean over
# fourteen rigged people of 1.4 to 1.9 m.
STANDING = (0.012, 0.012, 0.026, 0.026)
