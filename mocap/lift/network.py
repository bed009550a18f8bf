"""The lifter's networks: a layer on each frame, convolutions over time, and a straight way past them.

Residual dilated convolutions (van den Oord et al. 2016; for lifting, Pavllo et al. 2019), on matrix products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mocap.weights import gelu, over_time, read_weights

Singles = NDArray[np.float32]

DILATIONS = (1, 3, 9, 27)  # frames
REACH = sum(DILATIONS)  # frames before and after that matter


@dataclass(frozen=True, eq=False)
class Layers:
    """Weights: of the frames' layer (F, H), each convolution (3 H, M) and back (M, H), the outputs (H, O).

    straight: (F, O), from what goes in to what comes out.
    """

    first: Singles
    first_bias: Singles
    wide: tuple[Singles, ...]
    wide_bias: tuple[Singles, ...]
    back: tuple[Singles, ...]
    back_bias: tuple[Singles, ...]
    last: Singles
    last_bias: Singles
    straight: Singles

    def __call__(self, features: Singles) -> Singles:
        """Return (T, O) for features (T, F) of consecutive frames."""
        hidden = gelu(features @ self.first + self.first_bias)
        hidden = over_time(hidden, DILATIONS, self.wide, self.wide_bias, self.back, self.back_bias)
        return np.asarray(hidden @ self.last + self.last_bias + features @ self.straight)


@dataclass(frozen=True, eq=False)
class Network:
    """Networks that were trained apart and are asked together: as their errors differ, the mean errs less."""

    members: tuple[Layers, ...]

    def __call__(self, features: Singles) -> Singles:
        """Return (T, O) for features (T, F) of consecutive frames."""
        return np.asarray(sum(member(features) for member in self.members) / np.float32(len(self.members)))


@lru_cache
def load_lifter(layout: str) -> Network | None:
    """Return the networks for a layout's detector; None where none was trained.

    Raises:
        MocapError: the file of the package is damaged.
    """
    arrays = read_weights(f"{layout}_lifter")
    return None if arrays is None else network_of(arrays)


def network_of(arrays: Mapping[str, Singles]) -> Network:
    """Return the networks whose weights `arrays` holds; the arrays' first axis is of the networks."""
    count = len(arrays["first"])
    return Network(tuple(_layers({name: arrays[name][k] for name in arrays}) for k in range(count)))


def _layers(one: Mapping[str, Singles]) -> Layers:
    """One network's weights by their names."""

    def many(name: str) -> tuple[Singles, ...]:
        return tuple(one[f"{name}{k}"] for k in range(len(DILATIONS)))

    middle = many("wide"), many("wide_bias"), many("back"), many("back_bias")
    return Layers(one["first"], one["first_bias"], *middle, one["last"], one["last_bias"], one["straight"])
