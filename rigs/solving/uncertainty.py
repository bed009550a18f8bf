"""How well a solved motion is known: the posterior deviation of every joint in every frame.

Around a solution the objective is a quadratic, whose matrix is the inverse covariance of all freedoms of all
frames. Where nothing is seen the priors of motion are what is left: under them the deviation grows with the
time to the nearest sight to the power of 3/2, until it meets what is believed of a body that nobody looks at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.composite import fold
from rigs.solving.kinematics import Chain, Points, Pose, derivative
from rigs.solving.normal import Normal
from rigs.solving.terms import Term


def joint_deviations(chain: Chain, pose: Pose, sizes: Floats, terms: Sequence[Term]) -> Floats:
    """Return how far each joint may be from where it is said to be: (T, J) metres, root mean square.

    Args:
        chain: the body's kinematics.
        pose: T frames, solved.
        sizes: (G,) metres of stature, taken as known.
        terms: what is believed; robust ones count as they do at `pose`.
    """
    posed, joints = chain.place(pose, sizes), len(chain.body.names)
    normal = Normal(len(pose), chain.freedoms, 0)
    for term in terms:
        term.add(posed, normal)
    fold(posed, normal)
    moves = derivative(posed, Points(np.arange(joints), np.zeros((joints, joints, 3))))
    variance = np.empty((len(pose), joints))
    for t, covariance in normal.covariances():
        rows = moves[t].reshape(-1, chain.freedoms)
        variance[t] = ((rows @ covariance) * rows).reshape(joints, -1).sum(axis=1)
    return np.sqrt(variance)
