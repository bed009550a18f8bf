"""A camera rig as a picture: from above, from the front, and in three dimensions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.camera import Cameras
from calibration.drawing.names import place_names
from calibration.drawing.scene import Scene, arrange, remarks
from calibration.saving import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Rect = tuple[float, float, float, float]

# Rows: the direction in the world that is to the right, up, and towards the reader.
ABOVE = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
FRONT = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])

_WIDTH, _HEIGHT, _DPI = 15.0, 9.0, 100
_LEFT, _GAP, _TOP, _BOTTOM = 0.6, 0.75, 1.15, 0.4  # inches around the panels
_AROUND = 0.45  # inches inside a panel, for names
_LINE = 0.24  # inches from one line of the legend to the next
_LABELS = 12  # numbers along a panel; with more lines, every other has one
_INK, _GREY, _PALE = "#222222", "#777777", "#DDDDDD"


def draw(
    cameras: Cameras,
    path: str | Path,
    *,
    points: ArrayLike | None = None,
    floor: bool = True,
    sd: ArrayLike | None = None,
    errors_px: ArrayLike | None = None,
    offsets: Sequence[float | None] | None = None,
    title: str = "Camera rig",
) -> None:
    """Write a picture of a rig: from above and from the front to one scale, and in three dimensions.

    Args:
        cameras: V cameras; world y up, metres.
        path: the PNG file; replaced if it exists.
        points: (N, 3) board corners or tracks of feet, NaN = unknown; None = no points.
        floor: whether y = 0 is the floor.
        sd: (V, 3) standard deviation of the cameras' centres, metres, drawn as ellipses (enlarged where they
            would be too small to see, and then said so); NaN = unknown, 0 = held fixed.
        errors_px: (V,) what each camera is off by, pixels.
        offsets: (V,) seconds added to each view's own times; None = unknown.
        title: the heading.

    Raises:
        ValueError: shapes that do not fit.
        FileError: the file cannot be written.
    """
    scene = arrange(cameras, points=points, floor=floor, sd=sd, errors_px=errors_px, offsets=offsets)
    save(path, picture(scene, title))


def picture(scene: Scene, title: str = "Camera rig") -> bytes:
    """Return the PNG that `draw` writes."""
    file = io.BytesIO()
    rig_figure(scene, title).savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def rig_figure(scene: Scene, title: str = "Camera rig") -> Figure:
    """Draw the three panels: axes 0 from above, 1 from the front, 2 in three dimensions."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _words(figure, _LEFT, _HEIGHT - 0.42, shortened(title, 100), size=17, weight="bold")
    _words(figure, _LEFT, _HEIGHT - 0.68, "   ·   ".join(remarks(scene)), color=_GREY)
    above, front, solid = _rects(scene)
    heading: dict[str, Any] = {"loc": "left", "size": 11, "color": _INK}
    scale = max(_scale(scene, ABOVE, above), _scale(scene, FRONT, front))
    _flat(figure, above, scene, ABOVE, scale).set_title("from above: x right, z down", **heading)
    _flat(figure, front, scene, FRONT, scale).set_title("from the front: x right, y up", **heading)
    _solid(figure, solid, scene)
    _legend(figure, scene, solid[0])
    return figure


def turned(azimuth: float, elevation: float) -> Array:
    """(3, 3) rows right, up and towards the reader, who stands `azimuth` rad to the right of +z and above."""
    sin_a, cos_a, sin_e, cos_e = np.sin(azimuth), np.cos(azimuth), np.sin(elevation), np.cos(elevation)
    near = np.array([sin_a * cos_e, sin_e, cos_a * cos_e])
    right = np.array([cos_a, 0.0, -sin_a])
    return np.stack([right, np.cross(near, right), near])


def _rects(scene: Scene) -> tuple[Rect, Rect, Rect]:
    """Where the three panels go, inches: left, bottom, width, height."""
    high = _HEIGHT - _TOP - _BOTTOM
    _, tall, deep = scene.high - scene.low
    share = float(np.clip(tall / max(tall + deep, 1e-9), 0.15, 0.6))
    front = 2 * _AROUND + (high - _GAP - 4 * _AROUND) * share
    width = 0.44 * _WIDTH
    right = _LEFT + width + 0.4
    legend = _LINE * (_legend_shape(scene)[0] + 1) + 0.2
    return (
        (_LEFT, _BOTTOM + front + _GAP, width, high - _GAP - front),
        (_LEFT, _BOTTOM, width, front),
        (right, _BOTTOM + legend, _WIDTH - right - 0.3, high - legend),
    )


def _flat(figure: Figure, rect: Rect, scene: Scene, basis: Array, scale: float) -> Axes:
    """A panel along two axes of the world with its grid; `scale` is metres an inch."""
    axes = _axes(figure, rect, _ends(scene, basis).mean(axis=0), scale)
    for axis, row in zip((axes.xaxis, axes.yaxis), basis, strict=False):
        low, high = np.array(axis.get_view_interval()) / scene.step
        lines = np.arange(np.ceil(low), np.floor(high) + 1)
        every = 1 if len(lines) <= _LABELS else 2
        sign = row.sum()  # from above, what is up on the paper is -z
        labels = [f"{sign * line * scene.step + 0.0:.6g}" if line % every == 0 else "" for line in lines]
        axis.set_ticks(lines * scene.step, labels=labels)
        axis.set_tick_params(length=0, labelsize=9, labelcolor=_GREY)
    axes.grid(color=_PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    if scene.floor and basis[1, 1]:
        axes.axhline(0.0, color=_INK, linewidth=1.6, zorder=1)
    _things(axes, scene, basis)
    return axes


def _solid(figure: Figure, rect: Rect, scene: Scene) -> None:
    """The panel in three dimensions: the floor's grid, and where on it each camera stands."""
    basis = turned(np.radians(28), np.radians(26))
    axes = _axes(figure, rect, _ends(scene, basis).mean(axis=0), _scale(scene, basis, rect))
    axes.set_axis_off()
    _ground(axes, scene, basis)
    _compass(axes, basis)
    _things(axes, scene, basis)


def _axes(figure: Figure, rect: Rect, middle: Array, scale: float) -> Axes:
    left, bottom, width, height = rect
    axes = figure.add_axes((left / _WIDTH, bottom / _HEIGHT, width / _WIDTH, height / _HEIGHT))
    axes.set_xlim(middle[0] - scale * width / 2, middle[0] + scale * width / 2)
    axes.set_ylim(middle[1] - scale * height / 2, middle[1] + scale * height / 2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _ends(scene: Scene, basis: Array) -> Array:
    """(2, 2) lower left and upper right of everything, metres on the paper."""
    box = np.stack(np.meshgrid(*np.stack([scene.low, scene.high], axis=1)), axis=-1).reshape(-1, 3)
    flat = box @ basis[:2].T
    return np.stack([flat.min(axis=0), flat.max(axis=0)])


def _scale(scene: Scene, basis: Array, rect: Rect) -> float:
    """Metres an inch at which everything fits, with room for the names around it."""
    return float(np.max(np.ptp(_ends(scene, basis), axis=0) / (np.array(rect[2:]) - 2 * _AROUND)))


def _ground(axes: Axes, scene: Scene, basis: Array) -> None:
    """The grid at the height of the floor, or of the lowest thing there is."""
    from matplotlib.collections import LineCollection

    level = 0.0 if scene.floor else scene.low[1]
    (x0, _, z0), (x1, _, z1), half = scene.low, scene.high, scene.step / 2
    across = [[(x, level, z0), (x, level, z1)] for x in np.arange(x0, x1 + half, scene.step)]
    along = [[(x0, level, z), (x1, level, z)] for z in np.arange(z0, z1 + half, scene.step)]
    grid = np.array(across + along) @ basis[:2].T
    axes.add_collection(LineCollection(list(grid), colors=_PALE, linewidths=0.8))
    feet = scene.centres * [1, 0, 1] + [0, level, 0]
    drops = np.stack([scene.centres, feet], axis=1) @ basis[:2].T
    axes.add_collection(LineCollection(list(drops), colors=_GREY, linewidths=0.8, linestyles="dotted"))
    axes.plot(*drops[:, 1].T, "o", color=_GREY, markersize=2.5)


def _compass(axes: Axes, basis: Array) -> None:
    """The world's axes, in a corner."""
    middle = (50.0, 45.0)
    near: dict[str, Any] = {"xycoords": "axes points", "textcoords": "axes points"}
    arrow = {"arrowstyle": "-", "color": _GREY, "shrinkA": 0, "shrinkB": 0}
    for name, (x, y) in zip("xyz", 28 * basis[:2].T, strict=True):
        end, beyond = (middle[0] + x, middle[1] + y), (middle[0] + 1.4 * x, middle[1] + 1.4 * y)
        axes.annotate("", end, middle, arrowprops=arrow, **near)
        axes.annotate(name, middle, beyond, color=_GREY, ha="center", va="center", **near)


def _things(axes: Axes, scene: Scene, basis: Array) -> None:
    """Points, frusta, error ellipses and names, what is nearest last."""
    axes.plot(*(scene.points @ basis[:2].T).T, ".", color=_GREY, markersize=2.5, zorder=2)
    order = np.argsort(scene.centres @ basis[2])
    for layer, view in enumerate(order):
        _camera(axes, scene, basis, int(view), 3 + layer / len(order))
    frusta = np.concatenate([scene.centres[:, None], scene.frusta], axis=1) @ basis[:2].T
    place_names(axes, scene.names, [scene.colour(v) for v in range(len(scene.names))], frusta)


def _camera(axes: Axes, scene: Scene, basis: Array, view: int, layer: float) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Ellipse, Polygon

    colour, centre = scene.colour(view), scene.centres[view] @ basis[:2].T
    corners = scene.frusta[view] @ basis[:2].T
    edges = [[centre, corner] for corner in corners]
    axes.add_collection(LineCollection(edges, colors=colour, linewidths=0.9, zorder=layer))
    axes.add_patch(Polygon(corners, facecolor=colour + "40", edgecolor=colour, linewidth=0.9, zorder=layer))
    axes.plot(*corners[:2].T, color=colour, linewidth=3, zorder=layer, solid_capstyle="round")  # its top
    axes.plot(*centre, "o", color=colour, markersize=4.5, zorder=layer)
    if scene.unsure(view):
        wide, high, angle = _ellipse(basis, scene.sd[view] * scene.enlarged)
        style = {
            "facecolor": colour + "30",
            "edgecolor": colour,
            "linestyle": (0, (4, 1.5)),
            "linewidth": 1.2,
        }
        axes.add_patch(
            Ellipse((centre[0], centre[1]), 2 * wide, 2 * high, angle=angle, zorder=layer, **style)
        )


def _ellipse(basis: Array, sd: Array) -> tuple[float, float, float]:
    """Half axes and angle (degrees) of the projection of an ellipsoid along the world's axes."""
    values, vectors = np.linalg.eigh(basis[:2] @ np.diag(sd**2) @ basis[:2].T)
    narrow, wide = np.sqrt(np.maximum(values, 0.0))
    return float(wide), float(narrow), float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))


def _legend_shape(scene: Scene) -> tuple[int, int]:
    """Rows and columns."""
    columns = 1 if len(scene.names) <= 6 else 2
    return -(-len(scene.names) // columns), columns


def _legend(figure: Figure, scene: Scene, left: float) -> None:
    """What is known of each camera, in its colour, below the panel in three dimensions."""
    rows, columns = _legend_shape(scene)
    width = (_WIDTH - left - 0.3) / columns
    for view, (name, facts) in enumerate(zip(scene.names, scene.facts, strict=True)):
        x, y = left + view // rows * width, _BOTTOM + _LINE * (rows - 1 - view % rows)
        _words(figure, x, y, "■", color=scene.colour(view), size=11)
        _words(figure, x + 0.2, y, shortened(name, 16 if columns == 1 else 10), weight="bold")
        shown = facts if columns == 1 else [fact for fact in facts if fact[0] in ("error", "place", "time")]
        text = "   ".join(f"{heading} {value}" for heading, value in shown)
        _words(figure, x + (1.7 if columns == 1 else 1.1), y, text, size=9.5 if columns == 1 else 8)


def shortened(name: str, most: int) -> str:
    """A name, with its middle left out if it is long."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[:half]}…{name[-half:]}"


def _words(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Words at a place in inches; a dollar sign is one."""
    settings: dict[str, Any] = {"size": 10, "color": _INK, **style}
    figure.text(x / _WIDTH, y / _HEIGHT, text, parse_math=False, **settings)
