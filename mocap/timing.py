"""Offsets to a part of a frame, found with the cameras: a wrong camera looks like a wrong time, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import ROTATION, TIME, TRANSLATION
from calibration.camera import Cameras
from mocap.clock import on_one_clock
from mocap.keypoints import Keypoints2D
from mocap.selfcal import settle

Floats = NDArray[np.float64]

TURN, SHIFT = 0.03, 0.1  # radians and metres by which the cameras may be off meanwhile
LATE = 1.5  # frames by which offsets may be off where nothing better is known
ROUNDS = 3
DONE = 0.02  # frames
TOLERANCE = (
    1e-3  # a tenth of it moves offsets by 0.003 frames, a thirtieth of their deviation, in twice the time
)


def trim_offsets(
    keypoints: Mapping[str, Keypoints2D],
    rates: Sequence[Fraction],
    offsets: Floats,
    free: NDArray[np.bool_],
    cameras: Cameras,
    heard: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Move offsets by parts of a frame until all views agree, cameras moving along.

    Args:
        keypoints: by view, of one person.
        rates: frames a second of each view.
        offsets: (V,) s, right to about a frame.
        free: (V,) which may change; the first that may not, else the first of all, holds the clock.
        cameras: of the views, right to a few degrees.
        heard: (V,) deviations of offsets that sound told as well, seconds; infinite elsewhere.

    Returns:
        (V,) offsets and their deviations, seconds; the earliest view keeps its own if all are free.
    """
    frame = 1 / float(max(rates))
    found, sd = offsets.copy(), np.zeros(len(offsets))
    late = LATE * frame if heard is None else np.minimum(heard, LATE * frame)
    freedom = _freedom(free, np.broadcast_to(late, free.shape))
    for _ in range(ROUNDS):
        seen = on_one_clock(keypoints, rates, found.tolist())
        bundle = settle(seen, cameras, freedom, ((2.0, 20),), TOLERANCE)
        cameras = bundle.cameras
        found = found - bundle.times
        sd = bundle.sd[:, TIME]
        if np.abs(bundle.times).max() < DONE * frame:
            break
    return (found - found.min() + offsets.min() if free.all() else found), sd


def _freedom(free: NDArray[np.bool_], late: Floats) -> Freedom:
    freedom = Freedom.of(len(free))
    freedom.sd[:, ROTATION], freedom.sd[:, TRANSLATION] = TURN, SHIFT
    freedom.sd[:, TIME] = np.where(free, late, 0.0)
    if free.all():
        freedom.sd[0, TIME] = 0.0
    return freedom
