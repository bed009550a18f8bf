"""Normal equations of a whole clip: a band over the frames with a border for the sizes all frames share.

Terms that couple a frame with its next two give a symmetric band of D x D blocks; the sizes G touch every
frame and stand beside the band. Solving costs O(T D^3): linear in the number of frames.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, solveh_banded

from rigs.body import Floats

REACH = 2  # frames ahead that an acceleration couples with


class Normal:
    """Sums J^T J and J^T r of terms; `solve` gives the step.

    blocks[s]: (T - s, D, D), frame t against frame t + s; gradient: (T, D);
    border: (T, D, G); corner: (G, G); size_gradient: (G,).
    """

    def __init__(self, frames: int, freedoms: int, sizes: int) -> None:
        self.blocks = [np.zeros((max(frames - s, 0), freedoms, freedoms)) for s in range(REACH + 1)]
        self.gradient = np.zeros((frames, freedoms))
        self.border = np.zeros((frames, freedoms, sizes))
        self.corner = np.zeros((sizes, sizes))
        self.size_gradient = np.zeros(sizes)

    def solve(self, damping: float) -> tuple[Floats, Floats]:
        """Return the Levenberg-Marquardt step: (T, D) for the frames and (G,) for the sizes.

        Raises numpy's LinAlgError when the damped matrix is not positive definite.
        """
        frames, freedoms = self.gradient.shape
        sizes = len(self.size_gradient)
        band = self._band(damping)
        right = np.concatenate([self.gradient[..., None], self.border], axis=2).reshape(-1, 1 + sizes)
        solved = solveh_banded(band, right, overwrite_ab=True, check_finite=False)
        solved = solved.reshape(frames, freedoms, 1 + sizes)
        size_step = self._size_step(solved, damping)
        return -(solved[..., 0] + solved[..., 1:] @ size_step), size_step

    def size_information(self) -> tuple[Floats, Floats]:
        """Return what the clip says of the sizes with the poses solved out: (G, G) matrix and (G,) gradient."""
        frames, freedoms = self.gradient.shape
        right = np.concatenate([self.gradient[..., None], self.border], axis=2).reshape(frames * freedoms, -1)
        solved = solveh_banded(self._band(1e-6), right, check_finite=False).reshape(frames, freedoms, -1)
        return self._reduced(solved)

    def _reduced(self, solved: Floats) -> tuple[Floats, Floats]:
        couple = np.einsum("tdg,tdh->gh", self.border, solved[..., 1:])
        return self.corner - couple, self.size_gradient - np.einsum("tdg,td->g", self.border, solved[..., 0])

    def _size_step(self, solved: Floats, damping: float) -> Floats:
        if not len(self.size_gradient):
            return np.zeros(0)
        matrix, gradient = self._reduced(solved)
        matrix = matrix + damping * np.diag(np.diag(self.corner))
        try:
            return -np.asarray(np.linalg.solve(matrix, gradient))
        except LinAlgError:
            return np.zeros(len(gradient))

    def _band(self, damping: float) -> Floats:
        """Upper-band storage of LAPACK: band[u + i - j, j] = H[i, j] for i <= j."""
        frames, d = self.gradient.shape
        upper = min((REACH + 1) * d, frames * d) - 1
        band = np.zeros((upper + 1, frames * d))
        row, col = np.indices((d, d))
        for s, block in enumerate(self.blocks):
            inside = (s > 0) | (row <= col)
            across = row - col - s * d
            start = np.arange(s, frames) * d
            columns = start[:, None] + col[inside]
            band[upper + across[inside][None], columns] = block[:, inside]
        band[upper] *= 1.0 + damping
        band[upper] += 1e-9
        return band
