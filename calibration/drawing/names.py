"""Names beside what they name, where they cover least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_AWAY = (12.0, 20.0, 32.0, 48.0, 70.0)  # pixels between a thing and its name, tried in this order
_SIDES = 16
_LONGEST = 18  # letters
_COVERED = 100.0  # what covering another name costs, against 1 for a point of a frustum


def place_names(axes: Axes, names: Sequence[str], colours: Sequence[str], things: Array) -> None:
    """Write each name beside its thing, clear of the others' as far as there is room.

    Args:
        axes: a panel whose limits are set.
        names: V names.
        colours: V colours, #RRGGBB.
        things: (V, 5, 2) the frusta, in the panel's coordinates: centre, and corners of the image plane.
    """
    pixels = axes.transData.transform(things.reshape(-1, 2)).reshape(things.shape)
    marks = _marks(pixels).reshape(-1, 2)
    frame = np.array([axes.bbox.p0, axes.bbox.p1])
    taken: list[Array] = []
    for name, colour, thing in zip(names, colours, pixels, strict=True):
        text = _text(axes, name, colour)
        size = np.array(text.get_window_extent().size)
        middle = _best(thing[0], size, marks, taken, frame)
        taken.append(_boxes(middle, size))
        text.set_position(axes.transData.inverted().transform(middle))
        _lead(axes, thing[0], middle, size, colour)


def _text(axes: Axes, name: str, colour: str) -> Any:
    from matplotlib.patheffects import withStroke

    short = name if len(name) <= _LONGEST else f"{name[:8]}…{name[-8:]}"
    halo = [withStroke(linewidth=3, foreground="white")]
    style: dict[str, Any] = {"ha": "center", "va": "center", "size": 10, "weight": "bold", "zorder": 9}
    return axes.text(0, 0, short, color=colour, path_effects=halo, parse_math=False, **style)


def _marks(frusta: Array) -> Array:
    """(V, 6, 5, 5, 2) points all over the frusta, in layers from the centre to the image plane."""
    share = np.linspace(0, 1, 5)
    down, right = (part[..., None] for part in np.meshgrid(share, share, indexing="ij"))
    centre, a, b, c, d = np.moveaxis(frusta, 1, 0)[:, :, None, None, None]
    plane = (1 - down) * ((1 - right) * a + right * b) + down * ((1 - right) * d + right * c)
    depth = np.linspace(0, 1, 6)[:, None, None, None]
    return np.asarray((1 - depth) * centre + depth * plane)


def _best(start: Array, size: Array, marks: Array, taken: list[Array], frame: Array) -> Array:
    """(2,) the middle of the place that covers least, the nearest of several."""
    angles = np.pi / 2 + 2 * np.pi * np.arange(_SIDES) / _SIDES
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = np.concatenate([start + ways * (away + size / 2) for away in _AWAY])
    costs = _costs(_boxes(places, size), marks, taken, frame) + 0.05 * np.arange(len(places))
    return np.asarray(places[np.argmin(costs)])


def _costs(boxes: Array, marks: Array, taken: list[Array], frame: Array) -> Array:
    """How much a name in each box (N, 2, 2) would cover: frusta, other names, and what is no panel."""
    low, high = boxes[:, None, 0], boxes[:, None, 1]
    covered = np.all((marks > low) & (marks < high), axis=-1).sum(axis=1)
    others = np.array(taken).reshape(-1, 2, 2)
    hidden = np.all((low < others[:, 1]) & (others[:, 0] < high), axis=-1).sum(axis=1)
    outside = np.any((boxes[:, 0] < frame[0]) | (boxes[:, 1] > frame[1]), axis=-1)
    return np.asarray(covered + _COVERED * (hidden + outside))


def _boxes(middles: Array, size: Array) -> Array:
    """(..., 2, 2) lower left and upper right corners around middles (..., 2)."""
    return np.stack([middles - size / 2 - 2, middles + size / 2 + 2], axis=-2)


def _lead(axes: Axes, start: Array, middle: Array, size: Array, colour: str) -> None:
    """A thin line from a thing to its name, if the name stands away."""
    end = np.clip(start, *_boxes(middle, size))
    if np.hypot(*(end - start)) > _AWAY[1] + 6:
        line = axes.transData.inverted().transform(np.stack([start, end]))
        axes.plot(*line.T, color=colour, linewidth=0.7, alpha=0.7, zorder=8)
