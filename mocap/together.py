"""What lifters of single views say of a person whom several see, for what the images together hardly tell.

Somebody whom one or two views see, or whom the image's edge cuts, leaves limbs whose place the images tell
badly. A lifter (`mocap.lift`) knows how people move, and says where joints are about the hips from each view
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.attach import Attachment
from mocap.lift.lifter import lift_view
from mocap.lift.points import NAMES, points_of
from mocap.observations import Observations
from rigs.solving.body import Body
from rigs.solving.kinematics import Points
from rigs.solving.terms import Shape, Term

Floats = NDArray[np.float64]

HARDLY = 0.025  # of stature: points that may be off by more ask the lifter
LIFT_SD = 3.0  # times what the views' lifters say together, who err alike
ROBUST = 3.0
# Hands see wrists better, and of elbows and what hangs on them the detector's guess of depths counts already:
# with the lifter's too, wrists of two who meet were off by 38 instead of 32 mm.
LEFT_OUT = ("LeftHand", "RightHand", "left_pinky", "right_pinky", "left_index", "right_index")


@dataclass(frozen=True, eq=False)
class Together:
    """Where points of `mocap.lift.points` are about the hips, by all views.

    shape: (T, N, 3) statures, world axes; sd: (T, N) statures, infinite where nobody says; asked: (T, N)
    whether the images hardly tell of them.
    """

    shape: Floats
    sd: Floats
    asked: NDArray[np.bool_]

    def term(self, points: Points, stature: float, start: int, stop: int, frame_weight: float) -> list[Term]:
        """Return the pull on frames [start, stop), none where nobody asks.

        In a frame in which any point asks, all count: what is known well lays the shape where it belongs.
        """
        frames = slice(start, stop)
        asking = self.asked[frames].any(axis=1)
        if not asking.any():
            return []
        sd = np.where(asking[:, None], LIFT_SD * stature * self.sd[frames], np.inf)
        return [Shape(points, stature * self.shape[frames], sd / np.sqrt(frame_weight), ROBUST)]


def together(
    seen: Observations, cameras: Cameras, body: Body, attachment: Attachment, stature: float, doubt: Floats
) -> Together | None:
    """Ask the lifters of all views, if anything is hardly known.

    Args:
        seen: V views of one person.
        cameras: theirs.
        body: of the person.
        attachment: of landmarks on it.
        stature: m.
        doubt: (T, J) m that each joint may be off, see `mocap.doubt`.

    Returns:
        None where all is known well enough, or no lifter was trained for the detector.
    """
    asked = doubt[:, points_of(body, attachment, stature).joint] > HARDLY * stature
    asked[:, [NAMES.index(name) for name in LEFT_OUT]] = False
    if seen.world is None or not asked.any():
        return None
    total, weight = np.zeros((*asked.shape, 3)), np.zeros(asked.shape)
    for view, camera in enumerate(cameras):
        rotation = camera.camera_from_world[:3, :3]
        lifted = lift_view(seen.select([view]), camera, rotation[:, 1])
        if lifted is None:
            return None
        told = np.nan_to_num(lifted.along**-2.0)
        total += told[..., None] * np.nan_to_num(lifted.points) @ rotation
        weight += told
    weight[:, [NAMES.index(name) for name in LEFT_OUT]] = 0.0
    some = np.maximum(weight, 1e-12)
    sd = np.where(weight > 0.0, 1.0 / np.sqrt(some), np.inf)
    return Together(total / some[..., None], sd, asked)
