"""What is believed of a person while nobody looks: where he is seen, all that it does is steady feet."""

from __future__ import annotations

import numpy as np

from rigs.solving.body import Body
from rigs.solving.kinematics import Points
from rigs.solving.terms import Held, Relaxed, Term

# Of limbs from the relaxed pose (radians), and of the hips' speed (m/s), beside an acceleration prior as weak
# as the solve's. Hidden for a second, limbs of held-out people err less for it and for turning slowly (elbow
# 87 -> 68 mm, ankle 114 -> 86), but for wrists that dance; where arms and legs are seen nothing moves.
RELAXED_SD, SPEED_SD = float(np.deg2rad(230.0)), 4.0
REACH = 0.2  # metres from the hips' joint of the points that show how the hips turn


def unseen_terms(body: Body, frames: int, fps: float, frame_weight: float, times: float = 1.0) -> list[Term]:
    """Return the pulls on a clip of so many frames; `times` their deviations.

    Limbs come to hang and turn slowly; the hips stand still, as what carries them is not seen either.
    """
    offsets = np.zeros((3, len(body.names), 3))
    offsets[1:, 0, [0, 2]] = REACH * np.eye(2)
    hips = Points(np.zeros(3, dtype=np.int64), offsets)
    hold = np.full((max(frames - 1, 0), 3), frame_weight)
    return [
        Relaxed(body, fps, times * RELAXED_SD, times, frame_weight),
        Held(hips, hold, times * SPEED_SD, fps),
    ]
