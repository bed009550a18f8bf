"""A clip that goes round: its last frame flows into its first.

Where the two ends of a cycle do not meet, each is moved half of the way, in place and in velocity, by a cubic
that fades within a short window, so the rest stays as it was captured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.cleanup.ground_turn import GroundMove
from rigs.cleanup.seek_cycle import find_cycle
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray

WINDOW = 0.25  # seconds on each side of the seam that are changed


@dataclass(frozen=True, eq=False)
class Cycle:
    """One time round: N frames, after which frame 0 follows again, moved over the floor.

    motion: the N frames.
    start, stop: frames [start, stop) of the source; stop is where frame 0 comes again.
    move: from one round to the next; nothing when in place.
    gap: (J,) radians that the source's ends were apart.
    """

    motion: Motion
    start: int
    stop: int
    move: GroundMove
    gap: FloatArray


def loop(
    motion: Motion,
    start: int | None = None,
    stop: int | None = None,
    in_place: bool = False,
    window: float = WINDOW,
) -> Cycle:
    """Make a cycle of a motion: of the part that repeats itself best, or of the part that is given.

    The root keeps its way: after N frames everything is as at frame 0, but for a turn about the upright axis
    and a shift along the floor, which are `Cycle.move`. In place, that move is taken out at a steady rate:
    the root sways and bobs as it did, about where it began, facing where it faced. Heights are not part of
    the move, so a climb does not loop. On a rig, loop first and retarget then.

    Args:
        motion: T frames.
        start: first frame of the cycle.
        stop: the frame that would be frame 0 of the next round; the source must have it.
        in_place: take out the way.
        window: seconds before and after the seam that may be changed.

    Raises:
        RigError: no part repeats itself, or start and stop are not two frames of the motion with three
        between.
    """
    if start is None and stop is None:
        start, stop = find_cycle(motion)
    start, stop = 0 if start is None else start, len(motion) - 1 if stop is None else stop
    if not 0 <= start <= stop - 4 or stop >= len(motion):
        raise RigError(
            f"cannot loop frames {start} to {stop} of {len(motion)}; give a start and, 4 or more frames "
            f"later, a stop, up to {len(motion) - 1}"
        )
    positions, _ = motion.world()
    move = GroundMove.between(positions[start], positions[stop])
    seam = _Seam(start, stop, min(max(round(window * float(motion.fps)), 1), (stop - start) // 2))
    rotations, gap = seam.rotations(motion.rotations, quat.conjugate(move.turn()))
    root = seam.places(motion.root, move)
    moved = {j: seam.places(values, GroundMove(0.0, 0j)) for j, values in motion.translations.items()}
    if in_place:
        back = -np.arange(stop - start) / (stop - start)
        root = move.places(root, back)
        rotations[:, 0] = quat.multiply(move.turn(back), rotations[:, 0])
        move = GroundMove(0.0, 0j)
    made = Motion(motion.skeleton, quat.continuous(rotations), root, motion.fps, moved)
    return Cycle(made, start, stop, move, np.linalg.norm(gap, axis=-1))


@dataclass(frozen=True)
class _Seam:
    """Brings the frames start and stop together, over `window` frames beside each."""

    start: int
    stop: int
    window: int

    def rotations(self, q: FloatArray, back: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return rotations (N, J, 4), and the gap (J, 3) that was closed; back turns the root's way back."""
        a, b = q[self.start], q[self.stop].copy()
        b[0] = quat.multiply(back, b[0])
        gap = quat.to_rotvec(quat.multiply(quat.conjugate(a), b))
        half = quat.from_rotvec(gap / 2.0)
        steps = quat.to_rotvec(quat.multiply(quat.conjugate(q[:-1]), q[1:]))  # in the joint's own axes
        rates = _rate(steps, self.start), _rate(steps, self.stop)
        kink = quat.rotate(half, rates[1]) - quat.rotate(quat.conjugate(half), rates[0])
        early, late = self._ramps(gap, kink)
        return quat.multiply(q[self.start : self.stop], quat.from_rotvec(early + late)), gap

    def places(self, p: FloatArray, move: GroundMove) -> FloatArray:
        """Return positions (N, 3) of which the move brings the first onto the one after the last."""
        steps, back = np.diff(p, axis=0), quat.conjugate(move.turn())
        gap = move.places(p[self.stop], -1.0) - p[self.start]
        kink = quat.rotate(back, _rate(steps, self.stop)) - _rate(steps, self.start)
        early, late = self._ramps(gap, kink)
        return p[self.start : self.stop] + early + quat.rotate(move.turn(), late)

    def _ramps(self, gap: FloatArray, kink: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Corrections (N, ...) after start and before stop: half the gap and half the change of velocity."""
        count = self.stop - self.start
        frames = np.arange(count).reshape(-1, *[1] * gap.ndim)
        ramps = []
        for away, sign in ((frames, 1.0), (count - frames, -1.0)):
            s = np.minimum(away / self.window, 1.0)
            place, slope = (1.0 + 2.0 * s) * (1.0 - s) ** 2, self.window * s * (1.0 - s) ** 2
            ramps.append((sign * place * gap + slope * kink) / 2.0)
        return ramps[0], ramps[1]


def _rate(steps: FloatArray, frame: int) -> FloatArray:
    """Change per frame at a frame: the mean of the steps before and after it, or the one that there is."""
    return np.asarray(steps[max(frame - 1, 0) : frame + 1].mean(axis=0))
