"""Where a camera saw a person, drawn over where its calibration says that it should have."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import reproject_error
from mocap import storage
from mocap.errors import MocapError
from mocap.gates import CONFIDENT
from mocap.keypoints import Layout
from mocap.observations import Observations
from mocap.video import Image, read_frames

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

# Okabe and Ito's orange and sky blue: told apart by colour-blind readers, and bright enough for dark footage.
DETECTED, EXPECTED, MISS = "#E69F00", "#56B4E9", "#FFFFFF"
TILES = 4  # frames on a sheet
_SEARCHED = 15.0  # seconds of a video in which they are sought: every frame up to them is decoded

_DPI = 100
_TILE, _HEAD, _FOOT, _GAP = (4.2, 5.4), 0.75, 0.35, 0.15  # inches
_AROUND = 0.15  # of the person's size, around the person
_SMALLEST = 40.0  # pixels of the video that a tile shows at least


def draw_overlay(image: Image, layout: Layout, detected: Floats, expected: Floats, caption: str) -> Image:
    """Draw two sets of keypoints over a frame, with lines between those that should be one.

    Args:
        image: (H, W, 3) RGB.
        layout: what the J axis means.
        detected: (J, 2) pixels, NaN = not seen.
        expected: (J, 2) likewise, where the calibration says that they should be.
        caption: written in the corner.

    Returns:
        (H, W, 3) RGB; a new image of the same size.
    """
    height, width = image.shape[:2]
    figure = _figure(width / _DPI, height / _DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    _show(axes, image, np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]]))
    _skeletons(axes, layout, detected, expected, max(1.2, max(width, height) / 900))
    size = float(np.clip(width / 40, 6, 28))
    box = {"facecolor": "black", "alpha": 0.6, "edgecolor": "none"}
    place: dict[str, Any] = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    text = axes.annotate(caption, xytext=(size / 2, -size / 2), color="white", size=size, va="top", **place)
    text.set_bbox(box)
    text.set_parse_math(False)
    return _rendered(figure)


def miss(seen: Observations, cameras: Cameras, landmarks: Floats, view: int) -> Floats:
    """Tell how far a view saw the landmarks that it was sure of from where they should be.

    Args:
        seen: V views of T frames.
        cameras: V cameras.
        landmarks: (T, J, 3) metres, world; best from the other views alone.
        view: which.

    Returns:
        (T, J) pixels, NaN where it was not sure, or nothing is expected.
    """
    only = cameras.select([cameras.names[view]])
    off = reproject_error(only, landmarks, seen.pixels[view][None])[0]
    return np.where(seen.confidence[view] > CONFIDENT, off, np.nan)


def typical_frames(off: Floats, count: int = TILES) -> list[int]:
    """Choose frames that show what is usual: of each stretch the one nearest to the median of all.

    Args:
        off: (T, J) pixels, as `miss` gives it.
        count: how many at most.

    Returns:
        Frames in order; none where nothing is known. Those that know half the usual number of points.
    """
    number = np.isfinite(off).sum(axis=1)
    if not number.any():
        return []
    usable = np.flatnonzero(number >= max(1.0, np.median(number[number > 0]) / 2))
    each = np.array([np.median(off[t][np.isfinite(off[t])]) for t in usable])
    distance = np.abs(each - np.nanmedian(off))
    parts = np.array_split(np.arange(len(usable)), min(count, len(usable)))
    return [int(usable[part[np.argmin(distance[part])]]) for part in parts]


def write_disagreement(
    path: Path,
    seen: Observations,
    cameras: Cameras,
    landmarks: Floats,
    view: str,
    video: Path,
    times: Sequence[float] | Floats,
) -> None:
    """Write a sheet of frames that shows how a view's calibration disagrees with its footage.

    Args:
        path: the PNG file; replaced if it exists.
        seen: V views of T frames.
        cameras: V cameras, in the order of the views.
        landmarks: (T, J, 3) metres, world; best from the other views alone, or the view takes part in what
            it is held against.
        view: name of the view.
        video: its file.
        times: (T,) seconds since the video's own first frame, of each frame of `seen`.

    Raises:
        MocapError: the view saw nothing that is expected anywhere, or its video cannot be read.
        TakeError: the file cannot be written.
    """
    index = seen.names.index(view)
    off = miss(seen, cameras, landmarks, index)
    soon = np.asarray(times) <= times[0] + _SEARCHED
    frames = typical_frames(np.where(soon[:, None], off, np.nan)) or typical_frames(off)
    if not frames:
        raise MocapError(f"view {view}: nothing to draw: no keypoint is seen there that other views expect")
    images = _images(video, [float(times[t]) for t in frames])
    sure = seen.confidence[index][frames, :, None] > CONFIDENT
    detected = np.where(sure, seen.pixels[index][frames], np.nan)
    expected = cameras[index].project(landmarks[frames])
    captions = [f"{times[t]:.2f} s: median {np.nanmedian(off[t]):.0f} px" for t in frames]
    figure = _sheet(len(frames), f"{view}: median {np.nanmedian(off):.0f} px")
    for place, image in enumerate(images):
        _tile(figure, place, image, seen.layout, detected[place], expected[place], captions[place])
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    storage.write_bytes(path, file.getbuffer())


def _images(video: Path, times: list[float]) -> list[Image]:
    """The frames shown nearest to these (increasing) times."""
    best: list[tuple[float, Image] | None] = [None] * len(times)
    for frame in read_frames(video):
        if frame.image is None:
            continue
        for i, time in enumerate(times):
            kept = best[i]
            if kept is None or abs(frame.time - time) < abs(kept[0] - time):
                best[i] = frame.time, frame.image
        if frame.time > times[-1] + 0.1:
            break
    return [kept[1] for kept in best if kept is not None]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _rendered(figure: Figure) -> Image:
    canvas: Any = figure.canvas
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _sheet(tiles: int, heading: str) -> Figure:
    """An empty sheet with a heading, and what the colours mean."""
    width = max(tiles, 2) * (_TILE[0] + _GAP) + _GAP
    height = _HEAD + _TILE[1] + _FOOT
    figure = _figure(width, height)
    top = 1 - 0.32 / height
    figure.text(_GAP / width, top, heading, size=16, weight="bold", va="center", parse_math=False)
    for i, (colour, words) in enumerate(
        ((DETECTED, "seen by this camera"), (EXPECTED, "expected by the others"))
    ):
        x = 1 - (_GAP + 2.2 * (2 - i)) / width
        figure.text(x, top, "●", color=colour, size=14, va="center")
        figure.text(x + 0.2 / width, top, words, size=11, va="center")
    return figure


def _tile(
    figure: Figure, place: int, image: Image, layout: Layout, detected: Floats, expected: Floats, caption: str
) -> None:
    width, height = figure.get_size_inches()
    left = _GAP + place * (_TILE[0] + _GAP)
    axes = figure.add_axes((left / width, _FOOT / height, _TILE[0] / width, _TILE[1] / height))
    _show(axes, image, _around(np.concatenate([detected, expected[np.isfinite(detected).all(axis=1)]])))
    _skeletons(axes, layout, detected, expected, 1.6)
    figure.text(left / width, 0.16 / height, caption, size=11, va="center", parse_math=False)


def _around(points: Floats) -> Floats:
    """(2, 2) top left and bottom right of a part of the image, shaped as a tile, with these points in it."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    size = np.maximum((high - low) * (1 + 2 * _AROUND), _SMALLEST)
    shape = np.array(_TILE)
    half = shape * np.max(size / shape) / 2
    return np.stack([(low + high) / 2 - half, (low + high) / 2 + half])


def _show(axes: Axes, image: Image, part: Floats) -> None:
    """The part of an image between two corners; pixel centres at integers."""
    axes.imshow(image, interpolation="antialiased")
    axes.set_xlim(part[0, 0], part[1, 0])
    axes.set_ylim(part[1, 1], part[0, 1])
    axes.set_facecolor("#BBBBBB")  # beyond the image's edges
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _skeletons(axes: Axes, layout: Layout, detected: Floats, expected: Floats, thick: float) -> None:
    both = np.isfinite(detected).all(axis=1) & np.isfinite(expected).all(axis=1)
    _lines(axes, np.stack([detected[both], expected[both]], axis=1), MISS, 1.2 * thick)
    for points, colour in ((expected, EXPECTED), (detected, DETECTED)):
        bones = points[np.array(layout.edges, dtype=np.intp).reshape(-1, 2)]
        _lines(axes, bones[np.isfinite(bones).all(axis=(1, 2))], colour, thick)
        rim: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 0.5}
        axes.plot(points[:, 0], points[:, 1], "o", color=colour, markersize=3.6 * thick, **rim)


def _lines(axes: Axes, lines: Floats, colour: str, thick: float) -> None:
    """Lines (N, 2, 2) with a dark rim, to be seen on any ground."""
    from matplotlib.collections import LineCollection

    for shade, width in (("#00000090", thick + 1.5), (colour, thick)):
        axes.add_collection(LineCollection(list(lines), colors=shade, linewidths=width, capstyle="round"))
