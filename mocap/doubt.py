"""How well a person's motion is known, in every joint and frame, in metres that were held against truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mocap.scene import Scene
from rigs.solving.kinematics import Pose
from rigs.solving.uncertainty import joint_deviations

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What the solve is given is right for its balance of smoothness and sight; for what is known both are to be
# as large as they are. Fitted to errors of held-out people, whole and with limbs hidden: docs/findings.md.
NOISE = 2.4  # times a landmark's scatter: neighbouring frames err alike, and average nothing
LIVELINESS = 5.0  # times the accelerations of the body definition
UNSEEN = 0.6  # times what the solve believes of a body that nobody looks at
BIAS = 0.009  # of stature: what all views and frames have in common, as where joints are in a body
RATE = 15.0  # frames a second in which it is looked at
MADE_UP = 0.1  # metres from which a joint is said to be made up rather than seen


@dataclass(frozen=True)
class Gap:
    """The worst stretch of a joint that is made up: frames [start, stop), and the most it may be off."""

    joint: str
    start: int
    stop: int
    worst_m: float


def joint_doubt(scene: Scene, pose: Pose, sizes: Floats, stature: float) -> Floats:
    """Return how far each joint may be from where it is said to be: (T, J) metres, root mean square.

    Args:
        scene: what was seen; feet that are held say nothing here, so a guessed plant gives no confidence.
        pose: T frames, solved.
        sizes: (G,) metres of stature.
        stature: metres.
    """
    honest = replace(scene.settings, liveliness=LIVELINESS, planted_liveliness=LIVELINESS, unseen=UNSEEN)
    scene = replace(scene, sd=scene.sd * NOISE, settings=honest, feet="never", stance=None)
    spans, every = scene.spans(len(pose)), max(1, round(scene.fps / RATE))
    edges = [0, *((stop + start) // 2 for (_, stop), (start, _) in pairwise(spans)), len(pose)]
    parts = []
    for (start, stop), (low, high) in zip(spans, pairwise(edges), strict=True):
        part = scene.thinned(start, stop, every)
        terms = part.terms(0, part.frames, stature, scene.settings.robust / NOISE)
        known = joint_deviations(part.chain, pose[start:stop:every], sizes, terms)
        frames = np.arange(low - start, high - start) / every
        parts.append(np.stack([np.interp(frames, np.arange(len(known)), joint) for joint in known.T], axis=1))
    return np.hypot(np.concatenate(parts), BIAS * stature)


def made_up(joint_sd: Floats) -> Bools:
    """Whether each joint is made up rather than seen, from how far it may be off (m), of any shape."""
    return np.asarray(joint_sd > MADE_UP)


def worst_gap(joint_sd: Floats, names: tuple[str, ...]) -> Gap | None:
    """The stretch about the joint and frame that is known worst; None where nothing is made up."""
    unknown = made_up(joint_sd)
    if not unknown.any():
        return None
    frame, joint = np.unravel_index(int(np.argmax(joint_sd)), joint_sd.shape)
    known = np.flatnonzero(~unknown[:, joint])
    before, after = known[known < frame], known[known > frame]
    start = int(before[-1]) + 1 if len(before) else 0
    stop = int(after[0]) if len(after) else len(joint_sd)
    return Gap(names[joint], start, stop, float(joint_sd[frame, joint]))
