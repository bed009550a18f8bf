"""Normal equations of a whole clip: a band over the frames with a border for the sizes all frames share.

Terms that couple a frame with its next two give a symmetric band of D x D blocks; the sizes G touch every
frame and stand beside the band. Solving costs O(T D^3): linear in the number of frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.linalg import LinAlgError, lapack

from rigs.solving.body import Floats, Ints
from rigs.solving.inertia import Inertia

REACH = 2  # frames ahead that an acceleration couples with
FLOOR = 1e-9  # added to the diagonal: a freedom that nothing holds stays


class Normal:
    """Sums J^T J and J^T r of terms; `solve` gives the step.

    blocks[s]: (T - s, D, D), frame t against frame t + s; of blocks[0] only the upper triangle is read.
    gradient: (T, D); border: (T, D, G); corner: (G, G); size_gradient: (G,).
    The blocks are views of one array that is LAPACK's lower band: H[i, j] = band[j, i - j].
    """

    def __init__(self, frames: int, freedoms: int, sizes: int) -> None:
        # One block more than the band is wide, so that the triangle nobody reads has a place of its own.
        self._wide = np.zeros((frames * freedoms, (REACH + 2) * freedoms))
        self._factored = np.empty((0, 0))
        self.blocks = [self._block(s, frames, freedoms) for s in range(REACH + 1)]
        self.gradient = np.zeros((frames, freedoms))
        self.border = np.zeros((frames, freedoms, sizes))
        self.corner = np.zeros((sizes, sizes))
        self.size_gradient = np.zeros(sizes)
        self.inertia: Inertia | None = None

    def clear(self) -> None:
        """Begin anew in the same memory: to have it from the system again takes a sixth of a step's time."""
        parts = (self._wide, self.gradient, self.border, self.corner, self.size_gradient)
        for part in parts:
            part[...] = 0.0
        self.inertia = None

    def bones(self, joints: int) -> Inertia:
        """What moving each of so many bones costs, to add to until `composite.fold` spends it."""
        if self.inertia is None:
            self.inertia = Inertia(len(self.gradient), joints, REACH)
        return self.inertia

    def _block(self, s: int, frames: int, freedoms: int) -> Floats:
        if frames <= s:
            return np.zeros((0, freedoms, freedoms))
        down, right = (stride // self._wide.itemsize for stride in self._wide.strides)
        strides = [k * self._wide.itemsize for k in (freedoms * down, down - right, right)]
        return as_strided(self._wide.reshape(-1)[s * freedoms :], (frames - s, freedoms, freedoms), strides)

    def add(self, s: int, columns: Ints, values: Floats) -> None:
        """Add values (T', c, c) to blocks[s] at the freedoms `columns` (c,), ascending, of both frames."""
        block, runs = self.blocks[s], _runs(columns)
        for a, into_a in runs:
            for b, into_b in runs:
                block[:, into_a, into_b] += values[:, a, b]

    def solve(self, damping: float) -> tuple[Floats, Floats]:
        """Return the Levenberg-Marquardt step: (T, D) for the frames and (G,) for the sizes.

        Raises numpy's LinAlgError when the damped matrix is not positive definite.
        """
        factor = self._factor(damping)
        lowered = self._lower(factor)
        size_step = self._size_step(lowered, damping)
        right = lowered[:, 0] + lowered[:, 1:] @ size_step
        step = lapack.dtbtrs(factor, right, uplo="L", trans="T")[0]
        return -step.reshape(self.gradient.shape), size_step

    def size_information(self) -> tuple[Floats, Floats]:
        """Return matrix (G, G) and gradient (G,) of the sizes with the poses solved out."""
        return self._reduced(self._lower(self._factor(1e-6)))

    def covariances(self) -> Iterator[tuple[int, Floats]]:
        """Give each frame, from the last to the first, and the covariance (D, D) of its freedoms.

        That is the frame's block of the inverse, the sizes being held. A sweep back over the factor L gives
        all of them, as the inverse within the band needs nothing from outside: with D = L[frame, frame],
        G = L[later, frame] / D and S the covariance of the two later frames it is (D D^T)^-1 + G^T S G.

        Source: Takahashi, Fagan and Chin, Formation of a sparse bus impedance matrix (1973).
        """
        frames, freedoms = self.gradient.shape
        factor, later = self._factor(0.0).T, np.zeros((0, 0))
        for t in reversed(range(frames)):
            blocks = _dense(factor[t * freedoms : (t + 1) * freedoms])
            inverse = np.tril(lapack.dtrtri(blocks[:freedoms], lower=1)[0])
            ahead = blocks[freedoms : freedoms + len(later)] @ inverse
            couple = later @ ahead
            own = inverse.T @ inverse + ahead.T @ couple
            own = (own + own.T) / 2  # the sweep doubles what is not symmetric in every frame
            yield t, own
            kept = slice(0, min(freedoms * (REACH - 1), len(later)))
            later = np.block([[own, -couple[kept].T], [-couple[kept], later[kept, kept]]])

    def _factor(self, damping: float) -> Floats:
        """Cholesky factor of the damped band in LAPACK's lower storage (bandwidth + 1, T D); for now."""
        frames, freedoms = self.gradient.shape
        if not self._factored.size:
            self._factored = np.empty((frames * freedoms, min(REACH + 1, frames) * freedoms))
        band = self._factored
        band[...] = self._wide[:, : band.shape[1]]
        band[:, 0] = band[:, 0] * (1.0 + damping) + FLOOR
        factor, failed = lapack.dpbtrf(band.T, lower=1, overwrite_ab=1)
        if failed:
            raise LinAlgError(f"the normal equations are not positive definite at unknown {failed}")
        return factor

    def _lower(self, factor: Floats) -> Floats:
        """L^-1 [gradient, border]: (T D, 1 + G)."""
        right = np.concatenate([self.gradient[..., None], self.border], axis=2)
        return np.asarray(lapack.dtbtrs(factor, right.reshape(self.gradient.size, -1), uplo="L")[0])

    def _reduced(self, lowered: Floats) -> tuple[Floats, Floats]:
        couple = lowered[:, 1:].T @ lowered
        return self.corner - couple[:, 1:], self.size_gradient - couple[:, 0]

    def _size_step(self, lowered: Floats, damping: float) -> Floats:
        if not len(self.size_gradient):
            return np.zeros(0)
        matrix, gradient = self._reduced(lowered)
        matrix = matrix + damping * np.diag(np.diag(self.corner))
        return -np.asarray(np.linalg.solve(matrix, gradient))


def _dense(columns: Floats) -> Floats:
    """Columns (D, width) of a lower band, each from its diagonal on, as a matrix (width + D, D)."""
    freedoms, width = columns.shape
    out = np.zeros((freedoms, width + freedoms))
    as_strided(out.reshape(-1), columns.shape, ((width + freedoms + 1) * 8, 8))[...] = columns
    return out.T


def _runs(columns: Ints) -> list[tuple[slice, slice]]:
    """Cut ascending columns where a number is missing: places in `columns`, and the numbers there."""
    cuts = np.flatnonzero(np.diff(columns) != 1) + 1
    ends = [0, *cuts.tolist(), len(columns)]
    return [(slice(a, b), slice(int(columns[a]), int(columns[b - 1]) + 1)) for a, b in pairwise(ends)]
