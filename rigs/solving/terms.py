"""What a motion should agree with: each term gives a cost and its part of the normal equations.

Costs are half sums of squares, made robust where said. The gradients are exact; the matrices are
Gauss-Newton's, J^T W J with the robust weights W of the current pose (iteratively reweighted least squares).
Frame rates: observations close in time share their detector's error, so a frame counts for at most 1/30 s of
evidence, and the motion priors are integrals over time. A clip at 120 fps and its 30 fps half then agree.
"""

from __future__ import annotations

from typing import Protocol

from rigs.solving.evidence import Depth, Reprojection, Shape
from rigs.solving.kinematics import Posed
from rigs.solving.limits import Limits, Rest, Turned
from rigs.solving.near import Near
from rigs.solving.normal import Normal
from rigs.solving.plants import Held, Stood
from rigs.solving.priors import Acceleration, Planted
from rigs.solving.relaxed import Relaxed
from rigs.solving.steady import Steady

__all__ = [
    "Acceleration",
    "Depth",
    "Held",
    "Limits",
    "Near",
    "Planted",
    "Relaxed",
    "Reprojection",
    "Rest",
    "Shape",
    "Steady",
    "Stood",
    "Term",
    "Turned",
]


class Term(Protocol):
    """A part of the solve's objective."""

    def cost(self, posed: Posed) -> float:
        """Return the term's cost at a pose."""
        ...

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add the term's J^T J and J^T r at a pose to `normal`."""
        ...
