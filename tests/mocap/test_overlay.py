"""Overlays: the right pixels in the right colour, and the frames that tell."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from mocap.errors import MocapError, TakeError
from mocap.keypoints import load_layout
from mocap.observations import Observations
from mocap.overlay import (
    DETECTED,
    EXPECTED,
    MISS,
    _images,
    draw_overlay,
    miss,
    typical_frames,
    write_disagreement,
)
from tests.calibration.synthetic import people, ring
from tests.mocap import films

COCO = load_layout("coco17")
BACK = np.array([40, 60, 30], np.uint8)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def nowhere() -> np.ndarray:
    return np.full((len(COCO), 2), np.nan)


def only(joint: str, at: tuple[float, float]) -> np.ndarray:
    points = nowhere()
    points[COCO.index(joint)] = at
    return points


def line_at(image: np.ndarray, x: int, y: int, colour: str) -> bool:
    """Whether a line of that colour crosses a column at a pixel or beside it; a line's rim is blended."""
    off = np.abs(image[y - 1 : y + 2, x].astype(int) - rgb(colour)).max(axis=-1)
    return bool(off.min() < 45)


def scene(frames: int = 12, shift: float = 9.0) -> tuple[Observations, object, np.ndarray]:
    """Three views of points; the second's detections are moved to the right."""
    cameras = ring(3)
    truth = people(np.random.default_rng(0), frames, len(COCO))
    pixels = cameras.project(truth)
    pixels[1, ..., 0] += shift
    seen = Observations(cameras.names, COCO, pixels, np.ones(pixels.shape[:-1]), Fraction(30))
    return seen, cameras, truth


def test_points_and_the_line_between_them_are_where_they_should_be() -> None:
    image = np.tile(BACK, (200, 300, 1))
    drawn = draw_overlay(image, COCO, only("nose", (60, 120)), only("nose", (160, 120)), "")
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert tuple(drawn[120, 60]) == rgb(DETECTED)
    assert tuple(drawn[120, 160]) == rgb(EXPECTED)
    assert line_at(drawn, 110, 120, MISS)
    assert (image == BACK).all()


def test_edges_of_the_layout_are_drawn_in_the_colour_of_their_points() -> None:
    image = np.tile(BACK, (300, 300, 1))
    a, b = COCO.edges[0]
    points = nowhere()
    points[[a, b]] = (50, 80), (250, 80)
    drawn = draw_overlay(image, COCO, points, nowhere(), "")
    assert line_at(drawn, 150, 80, DETECTED)
    points[b] = np.nan
    assert (draw_overlay(image, COCO, points, nowhere(), "")[80, 150] == BACK).all()


def test_rest_of_the_frame_is_left_as_it_was() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 161, 3)).astype(np.uint8)
    assert (draw_overlay(image, COCO, nowhere(), nowhere(), "") == image).all()
    drawn = draw_overlay(image, COCO, only("nose", (150, 110)), nowhere(), "cam_1: $19 px^")
    changed = np.argwhere((drawn != image).any(axis=-1))
    near = np.hypot(*(changed - (110, 150)).T) < 8
    assert near.any() and changed[~near][:, 0].max() < 30  # else the caption only


def test_miss_is_the_distance_where_the_view_was_sure() -> None:
    seen, cameras, truth = scene()
    assert miss(seen, cameras, truth, 1) == pytest.approx(9.0)
    assert miss(seen, cameras, truth, 0) == pytest.approx(0.0, abs=1e-9)
    confidence = seen.confidence.copy()
    confidence[1, 3] = 0.3
    off = miss(replace(seen, confidence=confidence), cameras, truth, 1)
    assert np.isnan(off[3]).all() and np.isfinite(off[4]).all()


def test_typical_frames_are_spread_and_neither_best_nor_worst() -> None:
    off = np.tile(np.linspace(5.0, 25.0, 10), 4)[:, None] * np.ones(17)
    frames = typical_frames(off)
    assert [frame // 10 for frame in frames] == [0, 1, 2, 3]
    assert off[frames, 0] == pytest.approx(15.0, abs=2.3)  # the median, to a step of the ramp
    assert frames == sorted(frames)


def test_frames_in_which_little_is_known_are_not_typical() -> None:
    off = np.full((8, 17), 10.0)
    off[[0, 1, 4], 3:] = np.nan
    assert not {0, 1, 4} & set(typical_frames(off, 2))
    assert typical_frames(np.full((8, 17), np.nan)) == []
    assert typical_frames(off[2:4]) == [0, 1]


def left_edge(image: np.ndarray) -> float:
    """Where the bar of a test film begins."""
    return float(np.flatnonzero(image[20:].mean(axis=(0, 2)) > 120)[0])


def test_frames_of_the_video_are_those_nearest_in_time(tmp_path: Path) -> None:
    film = films.write(tmp_path / "a.mp4")
    found = _images(film, [4 / 30, 10.4 / 30, 20.6 / 30, 99.0])
    assert [left_edge(image) / 2 for image in found] == pytest.approx([4, 10, 21, 39], abs=0.5)


@pytest.mark.slow
def test_sheet_has_a_tile_a_frame(tmp_path: Path) -> None:
    film = films.write(tmp_path / "a.mp4", frames=12, size=(240, 180))
    seen, cameras, truth = scene()
    for frames, width in ((12, 4), (1, 2)):
        part = replace(seen, pixels=seen.pixels[:, :frames], confidence=seen.confidence[:, :frames])
        write_disagreement(
            tmp_path / "b.png", part, cameras, truth[:frames], "cam2", film, np.arange(frames) / 30
        )
        image = cv2.imread(str(tmp_path / "b.png"))
        assert image is not None and image.shape[1] == pytest.approx(435 * width + 15, abs=1)
        for colour in (DETECTED, EXPECTED):
            assert (image == rgb(colour)[::-1]).all(axis=-1).sum() > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.png"]


def test_nothing_in_common_is_refused(tmp_path: Path) -> None:
    seen, cameras, truth = scene()
    film = films.write(tmp_path / "a.mp4")
    with pytest.raises(MocapError, match="view cam2: nothing to draw"):
        write_disagreement(
            tmp_path / "b.png", seen, cameras, truth * np.nan, "cam2", film, np.arange(12) / 30
        )
    with pytest.raises(TakeError, match="could not be written"):
        write_disagreement(tmp_path / "no" / "b.png", seen, cameras, truth, "cam2", film, np.arange(12) / 30)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
