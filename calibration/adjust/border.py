"""Normal equations with a border: unknowns that all frames share, and a block of unknowns for each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GAUGE = 1e-12  # eigenvalues of the scaled system below this share of the largest are freedom, not knowledge


@dataclass(frozen=True, eq=False)
class Bordered:
    """Normal equations of N shared unknowns and T frames of D unknowns; filled in place."""

    corner: Array  # (N, N)
    edge: Array  # (T, N, D)
    block: Array  # (T, D, D)
    right: Array  # (N,)
    right_block: Array  # (T, D)

    @classmethod
    def empty(cls, shared: int, frames: int, own: int) -> Bordered:
        """Return zeros: N, T, D."""
        zeros = np.zeros
        return cls(
            zeros((shared, shared)),
            zeros((frames, shared, own)),
            zeros((frames, own, own)),
            zeros(shared),
            zeros((frames, own)),
        )

    def by_joint(self) -> tuple[Array, Array, Array]:
        """Views of the blocks (T, J, 3, J, 3), edges (T, N, J, 3) and right sides (T, J, 3) of points."""
        frames, shared, own = self.edge.shape
        joints = own // 3
        return (
            self.block.reshape(frames, joints, 3, joints, 3),
            self.edge.reshape(frames, shared, joints, 3),
            self.right_block.reshape(frames, joints, 3),
        )

    def step(self, damping: float) -> tuple[Array, Array]:
        """Steps of the shared unknowns (N,) and of the frames' (T, D) under Marquardt's damping."""
        inverse = np.linalg.inv(self._damped(damping))
        matrix, right = self._reduced(inverse)
        own = np.diag(self.corner)
        matrix[np.diag_indices_from(matrix)] += damping * own + 1e-12 * max(float(own.max(initial=0.0)), 1.0)
        shared = np.linalg.solve(matrix, right)
        return shared, np.einsum("tde,te->td", inverse, self.right_block - shared @ self.edge)

    def covariance(self) -> Array:
        """Of the shared unknowns (N, N), the frames' being whatever they are."""
        matrix, _ = self._reduced(np.linalg.inv(self._damped(0.0)))
        scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-30))
        values, vectors = np.linalg.eigh(matrix * scale[:, None] * scale)
        known = values > _GAUGE * values.max(initial=0.0)
        spread = (vectors[:, known] / np.sqrt(values[known])) * scale[:, None]
        return np.asarray(spread @ spread.T)

    def _damped(self, damping: float) -> Array:
        """Blocks that can be inverted, whatever was not seen."""
        out = self.block.copy()
        diagonal = np.einsum("tdd->td", out).copy()
        least = 1e-9 * np.max(diagonal, axis=1, keepdims=True, initial=0.0) + 1e-9
        every = np.arange(out.shape[-1])
        out[:, every, every] += damping * diagonal + least
        return out

    def _reduced(self, inverse: Array) -> tuple[Array, Array]:
        """The shared unknowns' own equations (N, N) and right side, the frames eliminated."""
        carried = (self.edge @ inverse).transpose(1, 0, 2).reshape(len(self.right), -1)
        flat = self.edge.transpose(1, 0, 2).reshape(len(self.right), -1)
        return self.corner - carried @ flat.T, self.right - carried @ self.right_block.reshape(-1)
