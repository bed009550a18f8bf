"""Clips to be written into scenes, and how far from them a program that reads the scene has their joints."""

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.motion import Motion

READ = Path(__file__).with_name("blender_scene.py")


def turned(name: str, motion: Motion, first: int = 0, seed: int = 3) -> Clip:
    """Return a clip whose joints are all turned at rest, and whose spine moves in its parent."""
    random = np.random.default_rng(seed)
    rest = quat.normalise(random.normal(size=(len(motion.skeleton), 4)))
    moved = {1: motion.skeleton.offsets[1] + random.normal(scale=0.02, size=(len(motion), 3))}
    moving = Motion(motion.skeleton, motion.rotations, motion.root, motion.fps, moved)
    return Clip(name, moving, rest, first=first)


def sparse(clip: Clip, every: int = 7) -> Clip:
    """Return a clip with keys every few frames alone, and between them what the keys say."""
    motion = clip.motion
    frames = np.unique([*range(0, len(motion), every), len(motion) - 1])
    keys = np.zeros((len(motion), len(motion.skeleton)), bool)
    keys[frames] = True
    before = np.clip(np.searchsorted(frames, np.arange(len(motion)), side="right") - 1, 0, len(frames) - 2)
    a, b = frames[before], frames[before + 1]
    part = (np.arange(len(motion)) - a) / (b - a)
    rotations = quat.slerp(motion.rotations[a], motion.rotations[b], part[:, None])
    root = motion.root[a] + part[:, None] * (motion.root[b] - motion.root[a])
    return Clip(clip.name, Motion(motion.skeleton, rotations, root, motion.fps), clip.rest, keys=keys)


def in_blender(positions: np.ndarray) -> np.ndarray:
    """Our y-up metres in Blender's z-up world."""
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def blender_scene(python: Path, path: Path, clips: Sequence[Clip], rate: int) -> dict[str, np.ndarray]:
    """Return what blender_scene.py says of a file of these clips; rate: what whole rate theirs is near."""
    base = repr(float(Fraction(rate) / clips[0].motion.fps))
    frames = max(clip.first + len(clip.motion) for clip in clips)
    target = path.with_suffix(".npz")
    command = [python, READ, path, target, str(rate), base, str(frames)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    with np.load(target, allow_pickle=False) as found:
        return dict(found)


def worst_in_blender(seen: dict[str, np.ndarray], clip: Clip, name: str | None = None) -> float:
    """Return how far from where we have it Blender has any joint of a clip in any frame, metres."""
    armature = name or clip.name
    order = [seen[f"{armature}:bones"].tolist().index(joint) for joint in clip.motion.skeleton.names]
    heads = seen[f"{armature}:heads"][clip.first : clip.first + len(clip.motion), order]
    return float(np.abs(heads - in_blender(clip.motion.world()[0])).max())
