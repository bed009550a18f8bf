"""Normal equations of cameras and structure, with the structure eliminated (the Schur complement)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GAUGE = 1e-10  # eigenvalues of the scaled system below this share of the largest are freedom, not knowledge


@dataclass(frozen=True, eq=False)
class System:
    """Normal equations: V cameras of P parameters, S things of D unknowns that each camera saw or not."""

    corner: Array  # (V, P, P)
    edge: Array  # (V, S, P, D)
    block: Array  # (S, D, D)
    right: Array  # (V, P)
    right_block: Array  # (S, D)
    basis: Array  # (V * P, G)

    def step(self, damping: float) -> tuple[Array, Array]:
        """Camera steps (V, P) and structure steps (S, D) under Marquardt's damping."""
        inverse = np.linalg.inv(_damped(self.block, damping))
        reduced, right = self._reduced(inverse)
        matrix = self.basis.T @ reduced @ self.basis
        own = np.einsum("gp,gp->p", self.basis, _block_diagonal(self.corner) @ self.basis)
        matrix[np.diag_indices_from(matrix)] += damping * own + 1e-12 * max(float(own.max(initial=0.0)), 1.0)
        free = np.linalg.solve(matrix, self.basis.T @ right) if matrix.size else np.zeros(0)
        cameras = (self.basis @ free).reshape(self.right.shape)
        carried = self.right_block - np.einsum("vspd,vp->sd", self.edge, cameras)
        return cameras, np.einsum("sij,sj->si", inverse, carried)

    def covariance(self) -> Array:
        """Of all camera parameters (V * P, V * P), the structure being whatever it is."""
        reduced, _ = self._reduced(np.linalg.inv(_damped(self.block, 1e-9)))
        matrix = self.basis.T @ reduced @ self.basis
        scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-30))
        values, vectors = np.linalg.eigh(matrix * scale[:, None] * scale)
        known = values > _GAUGE * values.max(initial=0.0)
        inverse = (vectors[:, known] / values[known]) @ vectors[:, known].T
        spread = self.basis * scale
        return np.asarray(spread @ inverse @ spread.T)

    def _reduced(self, inverse: Array) -> tuple[Array, Array]:
        """The cameras' own equations (V * P, V * P) and right side, the structure eliminated."""
        views, _, wide, _ = self.edge.shape
        carried = self.edge @ inverse
        left = carried.transpose(0, 2, 1, 3).reshape(views * wide, self.right_block.size)
        cross = left @ self.edge.transpose(0, 2, 1, 3).reshape(left.shape).T
        right = self.right.reshape(-1) - left @ self.right_block.reshape(-1)
        return _block_diagonal(self.corner) - cross, right


def _damped(block: Array, damping: float) -> Array:
    """Blocks that can be inverted, whatever was not seen."""
    out = block.copy()
    width = block.shape[-1]
    diagonal = np.einsum("sdd->sd", out)
    least = 1e-12 * np.max(diagonal, axis=1, keepdims=True, initial=0.0) + 1e-12
    out[:, np.arange(width), np.arange(width)] += damping * diagonal + least
    return out


def _block_diagonal(blocks: Array) -> Array:
    count, width = blocks.shape[:2]
    out = np.zeros((count, width, count, width))
    out[np.arange(count), :, np.arange(count), :] = blocks
    return out.reshape(count * width, count * width)
