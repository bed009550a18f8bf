"""Refuse motions that hold numbers which are none, for formats that cannot say so."""

import numpy as np

from rigs.errors import FormatError
from rigs.motion import Motion


def check_finite(path: object, motion: Motion) -> None:
    """Let a motion pass that has a pose in every frame.

    Args:
        path: the file to be written, for the message.
        motion: T frames of J joints.

    Raises:
        FormatError: a number is not finite; names the joint and the first such frame.
    """
    values = {**{j: v for j, v in motion.translations.items()}, 0: motion.root}
    bad = ~np.isfinite(motion.rotations).all(axis=2)
    for joint, positions in values.items():
        bad[:, joint] |= ~np.isfinite(positions).all(axis=1)
    if bad.any():
        frame, joint = np.argwhere(bad)[0]
        name = motion.skeleton.names[joint]
        what = (
            f"joint {name!r} has no finite pose at frame {frame}, the first of {bad.any(axis=1).sum()} such"
        )
        raise FormatError(f"cannot write {path}: {what}; fill or cut those frames first")
