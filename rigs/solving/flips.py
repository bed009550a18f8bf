"""Limbs that are turned over for a moment: a solve that began with a joint seen wrongly may come to rest so.

Turned over by half a turn, a limb is pulled back by nothing: what smoothness costs is flat there. Taken out
and solved once more, it finds its way, unless it truly moved like that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.solving.body import Body
from rigs.solving.kinematics import Chain, Pose
from rigs.solving.solve import SizePrior, Solution, solve
from rigs.solving.terms import Term

Floats = NDArray[np.float64]

JUMP = np.deg2rad(60)  # from frame to frame at 30 a second: nobody turns a limb at 1800 degrees a second
RATE = 30.0
LONGEST = 0.25  # seconds for which a limb may be turned over
BACK = 0.5  # of the smaller jump, by which the limb may have moved on in between
LIMBS = (("Shoulder", "Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot", "ToeBase"))


def solve_without_flips(
    chain: Chain,
    pose: Pose,
    sizes: Floats,
    terms: Sequence[Term],
    prior: SizePrior | None = None,
    *,
    steps: int,
    tolerance: float,
    fps: float,
) -> Solution:
    """Solve from a pose that is near, and once more if limbs came to rest turned over for a moment.

    All is given as to `rigs.solving.solve.solve`, and `fps`, frames a second.

    Returns:
        The better of both.

    Raises:
        RigError: the start is not finite.
    """
    found = solve(chain, pose, sizes, terms, prior, steps=steps, tolerance=tolerance, near=True)
    mended = without_flips(chain.body, found.pose, fps)
    if mended is None:
        return found
    again = solve(chain, mended, found.sizes, terms, prior, steps=steps, tolerance=tolerance, near=True)
    return again if again.cost < found.cost else found


def without_flips(body: Body, pose: Pose, fps: float) -> Pose | None:
    """The pose with limbs that turn over and back led straight on meanwhile; None where none does.

    Args:
        body: with the names of `definitions/human.yaml`.
        pose: T frames.
        fps: frames a second.
    """
    jump, longest = JUMP * min(1.0, RATE / fps), max(round(LONGEST * fps), 1)
    rotations, found = pose.rotations.copy(), False
    for side in ("Left", "Right"):
        for limb in LIMBS:
            rows = [body.index(side + name) for name in limb]
            for first, last in _flips(pose.rotations[:, rows], jump, longest):
                part = np.linspace(0, 1, last - first + 1)[1:-1, None]
                before, after = (pose.rotations[frame, rows][None] for frame in (first, last))
                rotations[first + 1 : last, rows] = quat.slerp(before, after, part)
                found = True
    return Pose(pose.root, rotations) if found else None


def _flips(rotations: Floats, jump: float, longest: int) -> list[tuple[int, int]]:
    """Frames (before, after) flips of any of a limb's joints (T, J, 4)."""
    steps = quat.angle(rotations[:-1], rotations[1:])
    found = []
    for joint in range(rotations.shape[1]):
        jumps = np.flatnonzero(steps[:, joint] > jump).tolist()
        for first, back in pairwise(jumps):
            across = quat.angle(rotations[first, joint], rotations[back + 1, joint])
            if back - first <= longest and across < BACK * min(steps[first, joint], steps[back, joint]):
                found.append((first, back + 1))
    return found
