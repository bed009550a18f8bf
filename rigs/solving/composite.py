"""From the inertia of bones to normal equations of the freedoms and sizes that move them.

A freedom moves all bones from its joint on by one twist, so the entry of two freedoms is their twists about
the sum of the matrices of the bones that both move. A size shifts the bones from its joints on and is treated
as a freedom of each such joint.

Source: Featherstone, Rigid Body Dynamics Algorithms (2008), section 6.2, the composite-rigid-body algorithm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from rigs.solving.body import Bools, Floats, Ints
from rigs.solving.kinematics import Chain, Posed
from rigs.solving.normal import Normal

CHUNK = 24  # frames that are turned at a time: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Freedoms:
    """The freedoms D of a chain and, after them, the lengths of all joints but the first.

    joint: (D + J - 1,) from which on each moves bones.
    """

    chain: Chain
    with_sizes: bool

    @cached_property
    def joint(self) -> Ints:
        """From which joint on each moves bones."""
        body = self.chain.body
        lengths = np.arange(1, len(body.names) if self.with_sizes else 1)
        return np.concatenate([np.zeros(3), body.freedom_joint, lengths]).astype(int)

    @cached_property
    def above(self) -> Bools:
        """Whether the first of two freedoms moves all that the second moves."""
        return self.chain.on_path[self.joint][:, self.joint].T

    @cached_property
    def below(self) -> Bools:
        """Whether the second moves all that the first moves, and more."""
        return self.above.T & ~self.above

    @cached_property
    def groups(self) -> list[tuple[int, Ints | slice]]:
        """Each joint's freedoms."""
        found = [(j, np.flatnonzero(self.joint == j)) for j in range(len(self.chain.body.names))]
        return [(j, slice(c[0], c[-1] + 1) if c[-1] - c[0] == len(c) - 1 else c) for j, c in found if len(c)]

    @cached_property
    def sizes(self) -> Floats:
        """Which size each length follows: (J - 1, G)."""
        body = self.chain.body
        return np.eye(len(body.size_names))[body.size_of[1:]]

    def twists(self, posed: Posed) -> Floats:
        """Twist (T, 6, ...) about the root of each freedom."""
        body, count = self.chain.body, self.chain.freedoms
        out = np.zeros((len(posed.pose), 6, len(self.joint)))
        out[:, :3, :3] = np.eye(3)
        pivot = posed.positions[:, body.freedom_joint] - posed.positions[:, :1]
        out[:, :3, 3:count] = np.cross(pivot, posed.axes).swapaxes(1, 2)
        out[:, 3:, 3:count] = posed.axes.swapaxes(1, 2)
        if self.with_sizes:
            along = posed.rotations[:, body.parents[1:]] @ body.offsets[1:, :, None]
            out[:, :3, count:] = along[..., 0].swapaxes(1, 2)
        return out


def fold(posed: Posed, normal: Normal) -> None:
    """Turn `normal.inertia` into normal equations of the freedoms and sizes; it is spent."""
    inertia, normal.inertia = normal.inertia, None
    if inertia is None:
        return
    freedoms = _freedoms(posed.chain, normal.corner.size > 0)
    twists = freedoms.twists(posed)
    parents = posed.chain.body.parents
    for values in (*inertia.pairs, inertia.wrench):
        for j in range(len(parents) - 1, 0, -1):
            values[:, parents[j]] += values[:, j]
    slope = np.einsum("tid,tdi->td", twists, inertia.wrench[:, freedoms.joint])
    _add_slope(freedoms, slope, normal)
    for s, matrices in enumerate(inertia.pairs):
        for frames in _chunks(len(matrices)):
            later = slice(frames.start + s, frames.stop + s)
            entries = _entries(freedoms, matrices[frames], twists[frames], twists[later], same=s == 0)
            _add_entries(freedoms, entries, s, frames, normal)


@lru_cache(maxsize=8)
def _freedoms(chain: Chain, with_sizes: bool) -> Freedoms:
    return Freedoms(chain, with_sizes)


def _chunks(frames: int) -> Iterator[slice]:
    for start in range(0, frames, CHUNK):
        yield slice(start, min(start + CHUNK, frames))


def _entries(freedoms: Freedoms, matrices: Floats, here: Floats, there: Floats, same: bool) -> Floats:
    """Products (T, D', D') of freedoms in one frame and in another; only above the diagonal in the `same`."""
    out = here.swapaxes(1, 2) @ _forces(freedoms, matrices, there)
    out *= freedoms.above
    if not same:
        back = _forces(freedoms, matrices.swapaxes(-1, -2), here).swapaxes(1, 2) @ there
        back *= freedoms.below
        out += back
    return out


def _forces(freedoms: Freedoms, matrices: Floats, twists: Floats) -> Floats:
    """What each freedom's twist costs on all bones it moves, (T, 6, D')."""
    out = np.empty_like(twists)
    for j, columns in freedoms.groups:
        out[:, :, columns] = matrices[:, j] @ twists[:, :, columns]
    return out


def _add_slope(freedoms: Freedoms, slope: Floats, normal: Normal) -> None:
    count = freedoms.chain.freedoms
    normal.gradient += slope[:, :count]
    if freedoms.with_sizes:
        normal.size_gradient += slope[:, count:].sum(axis=0) @ freedoms.sizes


def _add_entries(freedoms: Freedoms, entries: Floats, s: int, frames: slice, normal: Normal) -> None:
    """Add entries (T, D', D') of frames against those `s` later."""
    count = freedoms.chain.freedoms
    normal.blocks[s][frames] += entries[:, :count, :count]
    if not freedoms.with_sizes:
        return
    sizes = freedoms.sizes
    across, back = entries[:, :count, count:], entries[:, count:, :count].swapaxes(1, 2)
    square = entries[:, count:, count:].sum(axis=0)
    if s == 0:  # an entry is on that side where the first freedom is above, on both where they share a joint
        across = across + back * ~freedoms.above[:count, count:]
        square = square + (square * ~freedoms.above[count:, count:].T).T
    else:
        square = square + square.T
        normal.border[frames.start + s : frames.stop + s] += back @ sizes
    normal.border[frames] += across @ sizes
    normal.corner += sizes.T @ square @ sizes
