"""Weights of the package's own small networks: read whole and unharmed, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from mocap.errors import MocapError

Singles = NDArray[np.float32]

SHA256 = {
    "blazepose": "96ab0edc6ac5d12992414d4fb1c6977018a60beb4bc4ec3d7659cf0b62537be0",
    "blazepose33_ankles": "63c78ff74dd05e2f70db26d4d55f8ae5a67d06bbad1a56dea2f13bb6d22540ba",
    "blazepose33_lifter": "354edc8e8f6bbaca07c101109ab30d228183a3050606651f3e7ae05d2a602632",
}


def read_weights(name: str) -> dict[str, Singles] | None:
    """Return the arrays of a network by their names; None where none of that name was trained.

    Args:
        name: of a file in `mocap/refiners`, without its suffix.

    Raises:
        MocapError: the file of the package is damaged.
    """
    if name not in SHA256:
        return None
    data = resources.files("mocap").joinpath("refiners", f"{name}.npz").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise MocapError(f"the weights of {name} in this installation are damaged: install mocap again")
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return {key: arrays[key].astype(np.float32) for key in arrays.files}


def gelu(x: Singles) -> Singles:
    """Gaussian error linear unit of values of any shape (Hendrycks and Gimpel 2016)."""
    return np.asarray(0.5 * x * (1 + erf(x / np.sqrt(np.float32(2)))), np.float32)


def over_time(
    hidden: Singles,
    dilations: Sequence[int],
    wide: Sequence[Singles],
    wide_bias: Sequence[Singles],
    back: Sequence[Singles],
    back_bias: Sequence[Singles],
) -> Singles:
    """Return (T, H) after residual convolutions over three frames each, `dilations` frames apart.

    Args:
        hidden: (T, H) of consecutive frames; the ends are repeated.
        dilations: frames, one for each convolution.
        wide: (3 H, M) of each.
        wide_bias: (M,) of each.
        back: (M, H) of each.
        back_bias: (H,) of each.
    """
    frames = np.arange(len(hidden))
    for dilation, *layer in zip(dilations, wide, wide_bias, back, back_bias, strict=True):
        w, w_bias, b, b_bias = layer
        rows = [np.clip(frames + d, 0, len(hidden) - 1) for d in (-dilation, 0, dilation)]
        around = np.concatenate([hidden[r] for r in rows], axis=1)
        hidden = hidden + (gelu(around @ w + w_bias) @ b + b_bias)
    return hidden
