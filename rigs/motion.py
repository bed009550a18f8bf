"""Motion: a skeleton moving, as arrays over frames."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.errors import RigError
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

_MIRROR_X = np.array([-1.0, 1.0, 1.0])
_MIRROR_X_WXYZ = np.array([1.0, 1.0, -1.0, -1.0])  # S R S with S = diag(-1, 1, 1)


@dataclass(frozen=True, eq=False)
class Motion:
    """A clip of T frames at a constant rate; frame t is at t / fps seconds.

    Args:
        skeleton: J joints.
        rotations: (T, J, 4) wxyz, each joint in its parent's frame; the root's in the world.
        root: (T, 3) metres, position of the root joint in the world (y up).
        fps: frames per second, exact.
        translations: joint index to (T, 3) metres, which replace that joint's offset frame by frame.

    Raises:
        RigError: shapes that do not agree, no frames, or a rate that is not positive.
    """

    skeleton: Skeleton
    rotations: FloatArray
    root: FloatArray
    fps: Fraction
    translations: dict[int, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", _frozen(self.rotations))
        object.__setattr__(self, "root", _frozen(self.root))
        object.__setattr__(self, "fps", Fraction(self.fps))
        object.__setattr__(self, "translations", {int(j): _frozen(v) for j, v in self.translations.items()})
        _check(self)

    def __len__(self) -> int:
        return len(self.root)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the last."""
        return (len(self) - 1) / self.fps

    def world(self) -> tuple[FloatArray, FloatArray]:
        """Return where every joint is in the world: positions (T, J, 3) in metres, rotations (T, J, 4)."""
        positions, rotations = np.empty((*self.rotations.shape[:2], 3)), np.empty_like(self.rotations)
        positions[:, 0], rotations[:, 0] = self.root, self.rotations[:, 0]
        for j, parent in enumerate(self.skeleton.parents[1:].tolist(), start=1):
            offset = self.translations.get(j, self.skeleton.offsets[j])
            positions[:, j] = positions[:, parent] + quat.rotate(rotations[:, parent], offset)
            rotations[:, j] = quat.multiply(rotations[:, parent], self.rotations[:, j])
        return positions, rotations

    def slice(self, start: int | None = None, stop: int | None = None) -> "Motion":
        """Return frames start to stop, the last left out, counted as Python counts them.

        Raises:
            RigError: no frame is left.
        """
        translations = {j: values[start:stop] for j, values in self.translations.items()}
        return Motion(
            self.skeleton, self.rotations[start:stop], self.root[start:stop], self.fps, translations
        )

    def mirror(self) -> "Motion":
        """Return the clip seen in a mirror at x = 0, with left and right joints exchanged.

        Raises:
            RigError: the two sides of the skeleton are not the same tree.
        """
        other = self.skeleton.mirror
        rotations = self.rotations[:, other] * _MIRROR_X_WXYZ
        translations = {int(other[j]): v * _MIRROR_X for j, v in self.translations.items()}
        return Motion(self.skeleton.mirrored(), rotations, self.root * _MIRROR_X, self.fps, translations)


def _frozen(values: FloatArray) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _check(motion: Motion) -> None:
    frames, joints = len(motion.root), len(motion.skeleton)
    if frames == 0:
        raise RigError("motion has no frames; give at least one")
    if motion.fps <= 0:
        raise RigError(f"motion has {motion.fps} frames per second; give a rate above zero")
    _check_shape("root", motion.root, (frames, 3))
    _check_shape("rotations", motion.rotations, (frames, joints, 4))
    for joint, values in motion.translations.items():
        if not 0 < joint < joints:
            raise RigError(f"motion has translations of joint {joint}; give joints 1 to {joints - 1}")
        _check_shape(f"translations of joint {joint}", values, (frames, 3))


def _check_shape(what: str, values: FloatArray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise RigError(f"motion's {what} has shape {values.shape}; give {shape}")
