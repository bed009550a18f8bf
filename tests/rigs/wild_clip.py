"""Characters of random build that tumble through all rotations, to write and read back."""

from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.motion import Motion
from rigs.skeleton import Skeleton

DEEPEST = 9  # joints from the root to a fingertip


def wild_clip(
    name: str = "wild",
    joints: int = 56,
    frames: int = 40,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    first: int = 0,
    prefix: str = "joint",
) -> Clip:
    """Return a clip with rest rotations, tips on half its leaves, and two joints that leave their offsets."""
    random = np.random.default_rng(seed)
    skeleton = wild_skeleton(random, joints, prefix)
    rotations = np.empty((frames, joints, 4))
    rotations[0] = quat.normalise(random.normal(size=(joints, 4)))
    steps = quat.from_rotvec(random.normal(scale=0.12, size=(frames, joints, 3)))
    for t in range(1, frames):
        rotations[t] = quat.normalise(quat.multiply(rotations[t - 1], steps[t]))

    def wander(start: np.ndarray, step: float) -> np.ndarray:
        return start + np.cumsum(random.normal(scale=step, size=(frames, 3)), axis=0)

    moved = {
        int(j): wander(skeleton.offsets[j], 0.003) for j in random.choice(np.arange(1, joints), 2, False)
    }
    root = wander(np.array([0.3, 0.9, -2.0]), 0.02)
    motion = Motion(skeleton, quat.continuous(rotations), root, fps, moved)
    return Clip(name, motion, quat.normalise(random.normal(size=(joints, 4))), first=first)


def wild_skeleton(random: np.random.Generator, joints: int, prefix: str) -> Skeleton:
    parents, path = [-1], [0]
    for j in range(1, joints):
        back = int(random.integers(0, 3)) if random.random() < 0.4 else 0
        place = min(max(len(path) - 1 - back, 0), DEEPEST - 2)
        parents.append(path[place])
        path = [*path[: place + 1], j]
    offsets = random.normal(scale=0.12, size=(joints, 3))
    offsets[0] = 0.0, 0.9, 0.0
    names = tuple(f"{prefix}{j}" for j in range(joints))
    leaves = [j for j in range(joints) if j not in parents]
    tips = {names[j]: random.normal(scale=0.05, size=3) for j in leaves[::2]}
    return Skeleton(names, np.array(parents), offsets, tips)
